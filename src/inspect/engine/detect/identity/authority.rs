//! The authorities of Windows and the accounts that they have, in the languages of the suite.
//!
//! Source: Microsoft, "Security identifiers" (well-known ones and their localised names) and "Service accounts".

/// An authority that is no domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authority {
    /// `NT AUTHORITY`: a closed set of accounts.
    System,
    /// `BUILTIN`: a closed set of groups.
    Builtin,
    /// `NT SERVICE`, `IIS APPPOOL`: an account for each service, named like it.
    Services,
    /// `Window Manager`, `Font Driver Host`: an account for each session.
    Sessions,
}

/// Names of authorities, lower case.
const AUTHORITIES: &[(&str, Authority)] = &[
    ("nt authority", Authority::System),
    ("autorite nt", Authority::System),
    ("autorité nt", Authority::System),
    ("autorità nt", Authority::System),
    ("autorita nt", Authority::System),
    ("nt-autorität", Authority::System),
    ("nt-autoritat", Authority::System),
    ("nt-autoritaet", Authority::System),
    ("autoridad nt", Authority::System),
    ("autoridade nt", Authority::System),
    ("zarządzanie nt", Authority::System),
    ("builtin", Authority::Builtin),
    ("predefinito", Authority::Builtin),
    ("predefinite", Authority::Builtin),
    ("vordefiniert", Authority::Builtin),
    ("integrado", Authority::Builtin),
    ("incorporado", Authority::Builtin),
    ("integrierte", Authority::Builtin),
    ("nt service", Authority::Services),
    ("nt dienst", Authority::Services),
    ("iis apppool", Authority::Services),
    ("nt virtual machine", Authority::Services),
    ("application package authority", Authority::Services),
    ("mandatory label", Authority::Services),
    ("verbindliche beschriftung", Authority::Services),
    ("window manager", Authority::Sessions),
    ("font driver host", Authority::Sessions),
];

/// Accounts of `NT AUTHORITY`, lower case.
#[rustfmt::skip]
const SYSTEM: &[&str] = &[
    "anonymous logon", "anonymous-anmeldung", "accesso anonimo", "authenticated users", "authentifizierte benutzer", "utenti autenticati",
    "utilisateurs authentifiés", "usuarios autentificados", "batch", "cloud account authentication", "dialup", "dienst", "digest authentication",
    "enterprise domain controllers", "inicio de sesión anónimo", "interactif", "interactive", "interactivo", "interaktiv", "interattivo", "iusr",
    "local account", "local account and member of administrators group", "local service", "local system", "localservice", "localsystem",
    "lokale service", "lokaler dienst", "lokales system", "lokales systemkonto", "network", "network service", "networkservice", "netwerkservice",
    "netzwerk", "netzwerkdienst", "ntlm authentication", "other organization", "proxy", "red", "remote interactive logon", "restricted", "rete",
    "réseau", "schannel authentication", "self", "service", "service local", "service reseau", "service réseau", "servicio", "servicio de red",
    "servicio local", "servico de rede", "servico local", "servizio", "servizio di rete", "servizio locale", "serviço de rede", "serviço local",
    "sistema", "sistema local", "sistema locale", "system", "systeme", "systeme local", "système", "système local", "terminal server user",
    "this organization", "usługa lokalna", "usługa sieciowa", "write restricted",
];

/// Groups of `BUILTIN`, lower case.
#[rustfmt::skip]
const BUILTIN: &[&str] = &[
    "access control assistance operators", "account operators", "administradores", "administrateurs", "administratoren", "administrators",
    "amministratori", "backup operators", "benutzer", "certificate service dcom access", "cryptographic operators", "device owners",
    "distributed com users", "event log readers", "guests", "gäste", "hauptbenutzer", "hyper-v administrators", "hyper-v-administratoren",
    "iis_iusrs", "incoming forest trust builders", "invitados", "invités", "network configuration operators", "performance log users",
    "performance monitor users", "power users", "pre-windows 2000 compatible access", "print operators", "rds endpoint servers",
    "rds management servers", "rds remote access servers", "remote desktop users", "remote management users", "replicator", "server operators",
    "storage replica administrators", "system managed accounts group", "terminal server license servers", "users", "usuarios", "utenti",
    "utilisateurs", "windows authorization access group",
];

/// The authority of this name (lower case), if it is one.
#[must_use]
pub fn of(domain: &str) -> Option<Authority> {
    AUTHORITIES.iter().find(|(name, _)| *name == domain).map(|(_, authority)| *authority)
}

impl Authority {
    /// Whether it has an account of this name (lower case).
    #[must_use]
    pub fn has(self, account: &str) -> bool {
        match self {
            Self::System => SYSTEM.contains(&account),
            Self::Builtin => BUILTIN.contains(&account),
            Self::Services => !account.is_empty(),
            Self::Sessions => account
                .strip_prefix("dwm-")
                .or_else(|| account.strip_prefix("umfd-"))
                .is_some_and(|number| (1..=4).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())),
        }
    }
}

/// Whether what stands behind the separator begins with an account that a closed authority has, as whole words.
pub(super) fn begins_with_account(behind: &[u8]) -> bool {
    let behind = String::from_utf8_lossy(behind).to_lowercase();
    let is_ended = |rest: &str| {
        !rest.starts_with(|letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '-' | '_'))
            || rest.starts_with('.') && !rest.get(1..).is_some_and(|rest| rest.starts_with(char::is_alphanumeric))
    };
    SYSTEM.iter().chain(BUILTIN).any(|account| behind.strip_prefix(account).is_some_and(is_ended))
}

/// Whether an authority that has accounts for each service or session ends here.
pub(super) fn is_open(lower: &str) -> bool {
    AUTHORITIES.iter().any(|(name, authority)| matches!(authority, Authority::Services | Authority::Sessions) && lower.ends_with(name))
}
