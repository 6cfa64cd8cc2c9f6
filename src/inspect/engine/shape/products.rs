//! Words of products: a text of nothing but these and short numbers names a product, a process or a service, whatever stands in front
//! of it. It matters where fields have no names, as in Protocol Buffers without a descriptor.

/// Longest text that is looked at.
const LONGEST: usize = 96;
/// Longest number beside a word: a year, a model.
const LONGEST_NUMBER: usize = 4;

/// Words that stand in names of systems, products, parts, processes and services, and are nobody's name; in lower case, sorted.
#[rustfmt::skip]
const WORDS: &[&str] = &[
    "acpi", "acropolis", "activated", "active", "adapter", "adobe", "agent", "ahv", "amazon", "amd", "amd64", "analysis", "apache",
    "api", "application", "apppool", "asp", "audio", "audiodg", "authority", "azure", "backup", "bare", "base", "bhyve", "bit", "bits",
    "bochs", "browser", "build", "bus", "c", "center", "central", "chipset", "cisco", "citrix", "client", "cloud", "cluster",
    "collaboration", "common", "compatible", "component", "components", "compute", "conhost", "connector", "console", "container",
    "controller", "core", "corp", "corporation", "cpu", "cryptsvc", "csrss", "cumulative", "data", "database", "datacenter", "defender",
    "desktop", "developer", "device", "devices", "dhcp", "directory", "disk", "dll", "dllhost", "dns", "dnscache", "docker", "domain",
    "domu", "driver", "drivers", "dwm", "ec2", "edge", "edition", "engine", "english", "enterprise", "essentials", "esxi", "ethernet",
    "evaluation", "eventlog", "exchange", "exe", "experience", "explorer", "express", "feature", "firewall", "fontdrvhost", "for",
    "foundation", "framework", "gateway", "generation", "genuineintel", "ghz", "gigabit", "gmbh", "gold", "google", "graphics", "group",
    "host", "hosting", "hotfix", "hvm", "hyper", "hypervisor", "ibm", "idle", "iis", "imagicle", "inc", "innotek", "integration",
    "intel", "interface", "internet", "italian", "java", "jdk", "jre", "kernel", "kvm", "language", "lanmanserver", "lanmanworkstation",
    "limited", "linux", "llc", "local", "log", "lsass", "ltd", "lxc", "machine", "management", "manager", "memory", "metal",
    "microsoft", "minimum", "mobile", "module", "monitor", "monitoring", "mozilla", "mpssvc", "msdtc", "msi", "msmpeng", "mssql",
    "mssqlserver", "native", "net", "netlogon", "network", "node", "nutanix", "nvidia", "odbc", "office", "ole", "openssl", "openstack",
    "operating", "oracle", "ovirt", "pack", "package", "parallels", "pci", "physical", "platform", "print", "pro", "process",
    "processor", "professional", "program", "protocol", "provider", "proxmox", "qemu", "r", "r2", "redhat", "redistributable",
    "registry", "release", "remote", "replication", "reporting", "rhev", "rpcss", "runtime", "runtimebroker", "s", "scsi", "sdk",
    "seabios", "search", "searchindexer", "secure", "security", "server", "service", "services", "setup", "shared", "shell", "silver",
    "smss", "software", "spooler", "spoolsv", "sql", "sqlagent", "sqlbrowser", "sqlservr", "sqlwriter", "standard", "storage", "studio",
    "suite", "support", "svchost", "symantec", "system", "system32", "systems", "task", "taskhostw", "technologies", "telephony",
    "termservice", "themes", "time", "tm", "tools", "transport", "ucx", "unified", "update", "updates", "usb", "utilities", "v", "vcpu",
    "version", "video", "virtual", "virtualbox", "visual", "vmbus", "vmtoolsd", "vmware", "vmxnet3", "vsphere", "vss", "w32time",
    "w3wp", "web", "windefend", "windows", "wininit", "winlogon", "winrm", "wmi", "wmiprvse", "workstation", "wsearch", "wuauserv",
    "x64", "x86", "xen", "xeon",
];

/// Whether a text is a name of such words.
#[must_use]
pub fn is_product(text: &str) -> bool {
    let is_sign = |byte: u8| b" -_.,()+&/$:".contains(&byte);
    if text.len() > LONGEST || !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || is_sign(byte)) {
        return false;
    }
    let mut words = 0;
    let is_known = |part: &str| {
        part.len() <= LONGEST_NUMBER && part.bytes().all(|byte| byte.is_ascii_digit()) || {
            words += 1;
            is_word(part)
        }
    };
    let all = text.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|part| !part.is_empty()).all(is_known);
    all && words > 0 && numbers(text) <= LONGEST_NUMBER
}

/// Digits of the longest stretch of numbers: those of a telephone may stand apart.
fn numbers(text: &str) -> usize {
    let is_letter = |byte: &u8| byte.is_ascii_alphabetic();
    let digits = |part: &[u8]| part.iter().filter(|byte| byte.is_ascii_digit()).count();
    text.as_bytes().split(is_letter).map(digits).max().unwrap_or_default()
}

fn is_word(part: &str) -> bool {
    let lower = part.to_ascii_lowercase();
    WORDS.binary_search(&lower.as_str()).is_ok()
}

/// Whether a text is a tag of a language with its country, or a drive: `it-IT`, `C:`.
#[must_use]
pub fn is_tag(text: &str) -> bool {
    match text.as_bytes() {
        [a, b, b'-', c, d] => a.is_ascii_lowercase() && b.is_ascii_lowercase() && c.is_ascii_uppercase() && d.is_ascii_uppercase(),
        [drive, b':'] | [drive, b':', b'\\'] => drive.is_ascii_alphabetic(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_can_be_searched() {
        assert!(WORDS.is_sorted(), "{:?}", WORDS.windows(2).find(|pair| pair[0] > pair[1]));
    }

    #[test]
    fn products_are_told_from_persons() {
        for text in [
            "Windows Server 2022 Standard",
            "svchost.exe",
            "MSSQL$UCX",
            "Microsoft SQL Server 2019 Setup (English)",
            "GenuineIntel",
            "Imagicle",
            "Hyper-V",
        ] {
            assert!(is_product(text), "{text}");
        }
        for text in [
            "",
            "2022",
            "Mario Rossi",
            "Windows of Mario",
            "Server 02 1234 5678",
            "Cisco 39331",
            "mrossi.exe",
            "sql@server.net",
            "Cisco +39 021",
        ] {
            assert!(!is_product(text), "{text}");
        }
        assert!(is_tag("it-IT") && is_tag("C:") && is_tag("d:\\") && !is_tag("mr-RO\u{e9}") && !is_tag("rossi"));
    }
}
