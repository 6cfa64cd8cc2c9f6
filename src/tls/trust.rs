//! How each platform comes to trust the interception CA, by its own documented means: what `ca show` prints and setup pages show.

/// What is done on one platform.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// Its name in setup pages.
    pub id: &'static str,
    /// The platform, and who has to do it.
    pub title: &'static str,
    /// Commands, one a line; `ca.pem` is the CA's certificate in the current folder.
    pub commands: &'static str,
    /// What else is to be known.
    pub note: &'static str,
}

/// Every platform.
pub const STEPS: &[Step] = &[
    Step {
        id: "windows",
        title: "Windows, machine store (.NET, WinHTTP, Edge), as administrator",
        commands: "certutil -addstore -f Root ca.pem",
        note: ".NET Framework and .NET read that store; restart the services that use it.",
    },
    Step {
        id: "java",
        title: "Java, as administrator, for each Java runtime",
        commands: "keytool -importcert -noprompt -cacerts -storepass changeit -alias ucx-egress -file ca.pem",
        note: "",
    },
    Step {
        id: "grpc",
        title: "gRPC (C core) does not read the system's store: the file replaces its roots, so put both into one",
        commands: "cat /etc/ssl/certs/ca-certificates.crt ca.pem > roots.pem\nexport GRPC_DEFAULT_SSL_ROOTS_FILE_PATH=$PWD/roots.pem",
        note: "",
    },
    Step {
        id: "linux",
        title: "Debian, Ubuntu",
        commands: "cp ca.pem /usr/local/share/ca-certificates/ucx-egress.crt && update-ca-certificates",
        note: "",
    },
    Step {
        id: "python",
        title: "Python (requests; httpx and the standard library)",
        commands: "cat /etc/ssl/certs/ca-certificates.crt ca.pem > roots.pem\nexport REQUESTS_CA_BUNDLE=$PWD/roots.pem SSL_CERT_FILE=$PWD/roots.pem",
        note: "",
    },
    Step { id: "node", title: "Node", commands: "export NODE_EXTRA_CA_CERTS=$PWD/ca.pem", note: "It is read when Node starts." },
    Step {
        id: "curl",
        title: "curl, by itself",
        commands: "cat /etc/ssl/certs/ca-certificates.crt ca.pem > roots.pem\nexport CURL_CA_BUNDLE=$PWD/roots.pem",
        note: "curl of the system reads the system's store too.",
    },
];

/// The steps of one platform.
#[must_use]
pub fn step(id: &str) -> Option<&'static Step> {
    STEPS.iter().find(|step| step.id == id)
}
