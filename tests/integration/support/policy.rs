//! A site's own policy, where the built-in one has no such endpoint: plain HTTP, short idle limits.

use tempfile::TempDir;

/// A policy file; it goes when dropped, and nobody reads it again after the start.
pub struct PolicyFile {
    folder: TempDir,
    mode: String,
}

impl PolicyFile {
    /// Holds the text of its `[[service]]` entries.
    pub fn new(services: &str) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let text = format!("format = 1\nname = \"site\"\n{services}\n");
        std::fs::write(folder.path().join("policy.toml"), text).expect("the policy is written");
        Self { folder, mode: "enforce".to_owned() }
    }

    /// Enforces or observes.
    pub fn in_mode(mut self, mode: &str) -> Self {
        mode.clone_into(&mut self.mode);
        self
    }

    /// One service with one endpoint for each `(host, port, protocol)`.
    pub fn of(id: &str, idle_timeout: &str, endpoints: &[(&str, u16, &str)]) -> Self {
        let service = format!("[[service]]\nid = \"{id}\"\npersonal_data = \"unstated\"\nidle_timeout = \"{idle_timeout}\"\n");
        let endpoint = |(host, port, protocol): &(&str, u16, &str)| {
            format!("[[service.endpoint]]\nhost = \"{host}\"\nport = {port}\nprotocol = \"{protocol}\"\n")
        };
        Self::new(&(service + &endpoints.iter().map(endpoint).collect::<String>()))
    }

    /// One intercepted service that is promised to send no personal data, at these hosts on port 443.
    pub fn intercepted(idle_timeout: &str, hosts: &[&str]) -> Self {
        let service = format!(
            "[[service]]\nid = \"inspected\"\npersonal_data = \"none\"\ntreatment = \"intercept\"\nidle_timeout = \"{idle_timeout}\"\n"
        );
        let endpoint = |host: &&str| format!("[[service.endpoint]]\nhost = \"{host}\"\nport = 443\nprotocol = \"https\"\n");
        Self::new(&(service + &hosts.iter().map(endpoint).collect::<String>()))
    }

    /// The section of the configuration that names it.
    pub fn section(&self) -> String {
        format!("[policy]\nfile = \"{}\"\nmode = \"{}\"", self.folder.path().join("policy.toml").display(), self.mode)
    }
}
