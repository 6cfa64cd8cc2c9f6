//! A site's own policy, where the built-in one has no such endpoint: plain HTTP, short idle limits.

use tempfile::TempDir;

/// A `[[service]]` with these keys, and an endpoint for each `(host, port, protocol)`.
pub fn service(id: &str, keys: &str, endpoints: &[(&str, u16, &str)]) -> String {
    let endpoint = |(host, port, protocol): &(&str, u16, &str)| {
        format!("[[service.endpoint]]\nhost = \"{host}\"\nport = {port}\nprotocol = \"{protocol}\"\n")
    };
    format!("[[service]]\nid = \"{id}\"\n{keys}\n{}", endpoints.iter().map(endpoint).collect::<String>())
}

/// The text of a policy with these services.
pub fn text(services: &str) -> String {
    format!("format = 1\nname = \"site\"\n{services}\n")
}

/// A policy file; it goes when dropped, and nobody reads it again after the start.
pub struct PolicyFile {
    folder: TempDir,
    mode: String,
}

impl PolicyFile {
    /// Holds the text of its `[[service]]` entries.
    pub fn new(services: &str) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        std::fs::write(folder.path().join("policy.toml"), text(services)).expect("the policy is written");
        Self { folder, mode: "enforce".to_owned() }
    }

    /// Enforces or observes.
    pub fn in_mode(mut self, mode: &str) -> Self {
        mode.clone_into(&mut self.mode);
        self
    }

    /// One service with one endpoint for each `(host, port, protocol)`.
    pub fn of(id: &str, idle_timeout: &str, endpoints: &[(&str, u16, &str)]) -> Self {
        Self::new(&service(id, &format!("personal_data = \"unstated\"\nidle_timeout = \"{idle_timeout}\""), endpoints))
    }

    /// One intercepted service that is promised to send no personal data, at these hosts on port 443.
    pub fn intercepted(idle_timeout: &str, hosts: &[&str]) -> Self {
        let keys = format!("personal_data = \"none\"\ntreatment = \"intercept\"\nidle_timeout = \"{idle_timeout}\"");
        let endpoints: Vec<_> = hosts.iter().map(|host| (*host, 443, "https")).collect();
        Self::new(&service("inspected", &keys, &endpoints))
    }

    /// The section of the configuration that names it.
    pub fn section(&self) -> String {
        format!("[policy]\nfile = \"{}\"\nmode = \"{}\"", self.folder.path().join("policy.toml").display(), self.mode)
    }
}
