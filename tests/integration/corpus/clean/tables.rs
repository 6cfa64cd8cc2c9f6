//! The documented fields (Terms of Use, section 10) with the names that senders may give them, and the properties of WMI that hold
//! them.

use super::Slot;

/// English and Italian names, each a list parted by `|` of blank-separated words.
type Names = (&'static str, &'static str);

/// One of the documented messages.
#[derive(Clone, Copy)]
pub(crate) struct Beat {
    pub(crate) names: Names,
    pub(crate) groups: &'static [Group],
}

/// A part of a message: one object or a list of them.
#[derive(Clone, Copy)]
pub(crate) struct Group {
    pub(crate) names: Names,
    pub(crate) is_list: bool,
    pub(crate) fields: &'static [(Names, Slot)],
}

const fn list(names: Names, fields: &'static [(Names, Slot)]) -> Group {
    Group { names, is_list: true, fields }
}

const fn one(names: Names, fields: &'static [(Names, Slot)]) -> Group {
    Group { names, is_list: false, fields }
}

const PROCESSES: Group = list(
    ("processes|running processes|process list", "processi|processi in esecuzione"),
    &[
        (("process id|pid|id", "id processo|pid"), Slot::Pid),
        (("name|process name", "nome|nome processo"), Slot::Process),
        (
            (
                "used memory|memory usage|memory used|working set|working set size|memory|memory bytes",
                "memoria usata|memoria utilizzata|memoria",
            ),
            Slot::Bytes,
        ),
        (("handle count|handles|number of handles", "numero handle|handle"), Slot::Handles),
        (("thread count|threads|number of threads", "numero thread|thread"), Slot::Threads),
        (("cpu usage|cpu|cpu percent|cpu usage percentage", "utilizzo cpu|cpu"), Slot::Percent),
    ],
);

const RUNNING_SERVICES: Group = list(
    ("windows services|services|running services|running windows services", "servizi windows|servizi"),
    &[
        (("process id|pid", "id processo|pid"), Slot::Pid),
        (("name|service name|display name", "nome|nome servizio"), Slot::Service),
        (("status|state|service status", "stato|stato servizio"), Slot::State),
    ],
);

const APPLICATIONS: Group = list(
    (
        "installed applications|applications|installed software|installed programs|apps|software",
        "applicazioni installate|programmi installati|applicazioni",
    ),
    &[
        (("name|application name|display name|product name", "nome|nome applicazione"), Slot::AppName),
        (("version|application version|display version", "versione"), Slot::AppVersion),
        (("vendor|publisher|manufacturer", "produttore|fornitore|editore"), Slot::Vendor),
        (
            (
                "installation path|install path|install location|path|install dir|installation folder|install directory",
                "percorso installazione|percorso|cartella di installazione",
            ),
            Slot::InstallPath,
        ),
    ],
);

const SYSTEM: Group = one(
    ("operating system|os|os info", "sistema operativo"),
    &[
        (("edition name|edition|name|windows edition name|os name", "nome edizione|edizione|nome"), Slot::Text("os")),
        (("version|windows version|os version|build number", "versione"), Slot::Text("osversion")),
        (("language|windows language|os language|locale", "lingua"), Slot::Text("language")),
        (("system drive|drive", "unità di sistema"), Slot::Text("drive")),
        (("system directory|windows directory|system dir", "directory di sistema|cartella di sistema"), Slot::Path),
    ],
);

const SERVICES: Group = list(
    ("windows services|services|service list", "servizi windows|servizi"),
    &[
        (("service name|name|display name", "nome servizio|nome"), Slot::Service),
        (("startup name|startup type|start mode|start type|startup mode", "tipo di avvio|modalita avvio"), Slot::Startup),
        (("startup identity|identity|start name|log on as|run as|account|service account", "identità di avvio|account"), Slot::Account),
        (("exe path|path|executable path|path name|image path|binary path", "percorso eseguibile|percorso exe"), Slot::Path),
    ],
);

const HOTFIXES: Group = list(
    (
        "hotfixes|installed hotfixes|hotfix packages|windows updates|hot fixes|quick fixes",
        "aggiornamenti|hotfix installati|aggiornamenti installati",
    ),
    &[(("hotfix id|id|hot fix id|kb", "id"), Slot::Text("kb"))],
);

const FIREWALL: Group = one(
    ("firewall|windows firewall|firewall status", "firewall"),
    &[
        (("domain|domain level|domain profile|domain enabled|domain profile enabled", "dominio|livello dominio"), Slot::Flag),
        (("public|public level|public profile|public enabled", "pubblico|livello pubblico"), Slot::Flag),
        (("private|private level|private profile|private enabled", "privato|livello privato"), Slot::Flag),
    ],
);

const VIRTUAL: Group = one(
    ("virtualization|virtualisation|virtual machine info", "virtualizzazione"),
    &[(("is virtual machine|virtual machine|is virtual|virtualized", "macchina virtuale"), Slot::Flag)],
);

const CPUS: Group = list(
    ("processors|cpus|cpu|installed processors", "processori|cpu"),
    &[
        (("name|processor name|model", "nome|modello"), Slot::Text("cpu")),
        (("manufacturer|vendor", "produttore"), Slot::Text("cpumaker")),
        (("bitness|address width|architecture|data width", "bitness|architettura"), Slot::Bitness),
        (("number of cores|cores|core count|cores count|physical cores", "numero di core|core"), Slot::Cores),
        (("logical processors|number of logical processors|logical processor count", "processori logici"), Slot::Cores),
    ],
);

const MEMORY: Group = one(
    ("memory|ram|physical memory", "memoria|ram"),
    &[
        (
            (
                "total installed|total|installed|total installed memory|total memory|installed memory|total bytes|total physical memory",
                "totale|totale installata|installata",
            ),
            Slot::Bytes,
        ),
        (("reserved|reserved memory|hardware reserved|reserved bytes", "riservata"), Slot::Bytes),
    ],
);

const DISKS: Group = list(
    ("disks|disk drives|drives|hard disks|storage", "dischi|disco"),
    &[
        (("size|size bytes|capacity|disk size|total size", "dimensione|capacità"), Slot::Bytes),
        (("model|disk model|name", "modello|nome"), Slot::Text("disk")),
    ],
);

const ADAPTERS: Group = list(
    ("network adapters|network cards|network interfaces|nics|adapters|network", "schede di rete|rete"),
    &[
        (("adapter name|name|description|interface name", "nome scheda|nome|descrizione"), Slot::Text("adapter")),
        (("dhcp configuration|dhcp enabled|dhcp|is dhcp enabled", "dhcp|dhcp abilitato"), Slot::Flag),
        (("dns servers|dns|dns server addresses|dns server", "server dns|dns"), Slot::Addresses),
        (("gateways|default gateway|gateway|default gateways|gateway addresses", "gateway"), Slot::Addresses),
        (("ip addresses|ip address|ips|ip|ipv4 addresses|addresses|ipv4 address", "indirizzi ip|indirizzo ip"), Slot::Addresses),
        (("subnet mask|subnet masks|ip subnet|netmask", "subnet mask"), Slot::Mask),
    ],
);

const SUITE: Group = one(
    ("suite|ucx suite|ucx|product", "suite"),
    &[
        (("version|suite version|ucx version|ucx suite version", "versione"), Slot::Text("suite")),
        (("platform|suite platform|pbx platform|pbx type", "piattaforma"), Slot::Text("platform")),
        (("installation path|install path|installation folder", "percorso installazione"), Slot::InstallPath),
        (
            (
                "installation folder size|folder size|install size|installation size|installation folder size bytes",
                "dimensione cartella di installazione",
            ),
            Slot::Bytes,
        ),
    ],
);

const CLUSTER: Group = one(
    ("cluster|ucx cluster|cluster info", "cluster"),
    &[
        (("nodes|nodes list|node list|cluster nodes|members", "nodi|lista nodi"), Slot::Addresses),
        (
            ("database replication strategy|replication strategy|replication|replication type", "strategia di replica|replica database"),
            Slot::Text("replication"),
        ),
    ],
);

const NODES: Group = list(
    ("nodes|cluster nodes", "nodi|nodi cluster"),
    &[(("name|node|node name|address", "nome|nodo"), Slot::Node), (("role|status|type", "stato"), Slot::State)],
);

const VOIP: Group = one(
    ("voip architecture|voip|telephony|cucm|voip platform", "architettura voip|voip"),
    &[
        (("cucm version|version|call manager version", "versione cucm"), Slot::Text("cucm")),
        (("number of users|users|user count|users count|total users|cucm users", "numero utenti|utenti"), Slot::Count),
        (
            ("number of devices|devices|device count|devices count|total devices|cucm devices", "numero dispositivi|dispositivi"),
            Slot::Count,
        ),
        (("cucm ip address|ip address|cucm address|cucm ip|ip", "indirizzo ip cucm|indirizzo ip"), Slot::Address),
    ],
);

const SERVER: Group = one(
    ("database server|sql server|db server", "server database|sql server"),
    &[
        (("sql server edition|edition|server edition", "edizione"), Slot::Text("sql")),
        (("version|sql server version|product version|server version", "versione"), Slot::AppVersion),
        (("instance name|instance", "nome istanza|istanza"), Slot::Instance),
    ],
);

const DATABASES: Group = list(
    ("databases|database|dbs", "database"),
    &[
        (("name|database name|db name", "nome|nome database"), Slot::Database),
        (("size|database size|size bytes|db size", "dimensione"), Slot::Bytes),
        (
            ("file paths|data file path|log file path|file path|data file|log file|files|physical name", "percorsi file|percorso file"),
            Slot::Path,
        ),
        (
            ("authentication type|authentication|auth type|authentication mode", "tipo autenticazione|autenticazione"),
            Slot::Text("authentication"),
        ),
        (
            ("full text catalog status|full text status|fulltext catalog status|full text catalog", "stato catalogo full text"),
            Slot::Text("fulltext"),
        ),
        (
            (
                "last maintenance|last maintenance date|last maintenance date time|last maintenance at|last maintenance utc",
                "ultima manutenzione|data ultima manutenzione",
            ),
            Slot::Time,
        ),
    ],
);

const LOGGING: Group = one(
    ("logging|logs|log settings|log configuration", "log|logging"),
    &[
        (("enabled|is enabled|logging enabled|active", "abilitato|attivo"), Slot::Flag),
        (
            (
                "retention|retention days|log retention|days|keep days|retention period days",
                "giorni di ritenzione|ritenzione|conservazione",
            ),
            Slot::Days,
        ),
    ],
);

const COUNTERS: Group = one(
    ("counters|usage counters|metrics|statistics|stats", "contatori"),
    &[
        (
            (
                "attendant consoles connected|connected attendant consoles|attendant consoles|number of connected attendant consoles",
                "attendant console connesse",
            ),
            Slot::Count,
        ),
        (
            (
                "calls being recorded|recorded calls|active recordings|recording calls|number of calls being recorded|recordings",
                "chiamate in registrazione",
            ),
            Slot::Count,
        ),
        (("ivr active calls|active calls|ivr calls", "chiamate ivr attive"), Slot::Count),
        (("fifo queued calls|acd queued calls fifo|queued calls fifo|fifo queue calls|acd fifo", "chiamate in coda fifo"), Slot::Count),
        (("camp on queued calls|acd queued calls camp on|queued calls camp on|camp on", "chiamate in coda camp on"), Slot::Count),
        (("active consultation calls|consultation calls|acd consultation calls", "chiamate consultazione attive"), Slot::Count),
        (("faxes being sent|faxes sent|fax sent|sent faxes|outgoing faxes|fax being transmitted", "fax in invio|fax inviati"), Slot::Count),
        (("faxes being received|faxes received|fax received|incoming faxes", "fax in ricezione|fax ricevuti"), Slot::Count),
        (
            ("phone lock request rate|phone lock rate|phone lock requests per second|curri phone lock", "frequenza richieste phone lock"),
            Slot::Rate,
        ),
        (("contact manager request rate|contact manager rate|curri contact manager", "frequenza richieste contact manager"), Slot::Rate),
    ],
);

const CONSOLES: Group = one(
    ("attendant consoles connected|attendant consoles|connected consoles", "attendant console"),
    &[
        (("standard|basic", "standard"), Slot::Count),
        (("professional", "professional"), Slot::Count),
        (("enterprise", "enterprise"), Slot::Count),
    ],
);

const RATES: Group = one(
    ("ecc curri request rate|curri request rate|ecc curri", "frequenza richieste curri"),
    &[(("phone lock", "phone lock"), Slot::Rate), (("contact manager", "contact manager"), Slot::Rate)],
);

const LICENSE: Group = one(
    ("license|licence|licensing|license update request|entitlement", "licenza"),
    &[
        (("activation token|license token|token", "token di attivazione"), Slot::Token),
        (("license key|activation key|key", "chiave di licenza"), Slot::LicenseKey),
        (("product code|product id", "codice prodotto"), Slot::Guid),
        (("sku|product sku", "sku"), Slot::Sku),
        (("capacity|seats|max users|quantity|license count", "capacità"), Slot::Count),
        (("expiry date|expiration date|expires at|valid until|term end date|end date|expires", "data di scadenza|scadenza"), Slot::Date),
        (("start date|valid from|term start date", "data di inizio"), Slot::Date),
        (("trial|is trial", "trial"), Slot::Flag),
    ],
);

const FEATURES: Group = list(
    ("licenses|features|entitlements|modules|licensed products", "licenze|moduli"),
    &[
        (("name|product name|feature|module", "nome|prodotto"), Slot::Feature),
        (("capacity|seats|quantity|count|max users|used", "capacità"), Slot::Count),
        (("expiry date|expires|expiration date|valid until|end date", "scadenza|data di scadenza"), Slot::Date),
    ],
);

/// The four beats, and the licence.
pub(crate) const BEATS: &[Beat] = &[
    Beat { names: ("processes beat|processes|beat processes", "processi"), groups: &[PROCESSES, RUNNING_SERVICES] },
    Beat {
        names: ("software info|software|software information", "software|informazioni software"),
        groups: &[APPLICATIONS, SYSTEM, SERVICES, HOTFIXES, FIREWALL],
    },
    Beat {
        names: ("hardware info|hardware|hardware information", "hardware|informazioni hardware"),
        groups: &[VIRTUAL, CPUS, MEMORY, DISKS, ADAPTERS],
    },
    Beat { names: ("ucx suite|suite|application", "suite"), groups: &[SUITE, CLUSTER, VOIP, SERVER, DATABASES, LOGGING, COUNTERS] },
    Beat { names: ("ucx suite|suite counters", "suite"), groups: &[NODES, CONSOLES, RATES, LOGGING] },
    Beat { names: ("licensing|license beat", "licenze"), groups: &[LICENSE, FEATURES] },
];

/// Classes of WMI with their properties that are documented fields.
pub(crate) const WMI: &[(&str, &[(&str, Slot)])] = &[
    (
        "Win32_Process",
        &[
            ("Name", Slot::Process),
            ("ProcessId", Slot::Pid),
            ("WorkingSetSize", Slot::Bytes),
            ("HandleCount", Slot::Handles),
            ("ThreadCount", Slot::Threads),
            ("ExecutablePath", Slot::Path),
            ("ParentProcessId", Slot::Pid),
        ],
    ),
    (
        "Win32_PerfFormattedData_PerfProc_Process",
        &[
            ("Name", Slot::Process),
            ("IDProcess", Slot::Pid),
            ("WorkingSetPrivate", Slot::Bytes),
            ("HandleCount", Slot::Handles),
            ("ThreadCount", Slot::Threads),
            ("PercentProcessorTime", Slot::Percent),
        ],
    ),
    (
        "Win32_Service",
        &[
            ("Name", Slot::Service),
            ("DisplayName", Slot::Service),
            ("State", Slot::State),
            ("StartMode", Slot::Startup),
            ("StartName", Slot::Account),
            ("PathName", Slot::Path),
            ("ProcessId", Slot::Pid),
        ],
    ),
    (
        "Win32_Product",
        &[
            ("Name", Slot::AppName),
            ("Version", Slot::AppVersion),
            ("Vendor", Slot::Vendor),
            ("InstallLocation", Slot::InstallPath),
            ("IdentifyingNumber", Slot::Guid),
            ("InstallDate", Slot::Date),
        ],
    ),
    (
        "Win32_OperatingSystem",
        &[
            ("Caption", Slot::Text("os")),
            ("Version", Slot::Text("osversion")),
            ("OSLanguage", Slot::LcidOrTag),
            ("Locale", Slot::LcidOrTag),
            ("SystemDrive", Slot::Text("drive")),
            ("SystemDirectory", Slot::Path),
            ("WindowsDirectory", Slot::Path),
            ("OSArchitecture", Slot::Bitness),
        ],
    ),
    ("Win32_QuickFixEngineering", &[("HotFixID", Slot::Text("kb")), ("InstalledOn", Slot::Date)]),
    (
        "Win32_Processor",
        &[
            ("Name", Slot::Text("cpu")),
            ("Manufacturer", Slot::Text("cpumaker")),
            ("AddressWidth", Slot::Bitness),
            ("DataWidth", Slot::Bitness),
            ("NumberOfCores", Slot::Cores),
            ("NumberOfLogicalProcessors", Slot::Cores),
            ("MaxClockSpeed", Slot::Megahertz),
        ],
    ),
    ("Win32_DiskDrive", &[("Model", Slot::Text("disk")), ("Caption", Slot::Text("disk")), ("Size", Slot::Bytes)]),
    (
        "Win32_NetworkAdapterConfiguration",
        &[
            ("Description", Slot::Text("adapter")),
            ("DHCPEnabled", Slot::Flag),
            ("DHCPServer", Slot::Address),
            ("DNSServerSearchOrder", Slot::Addresses),
            ("DefaultIPGateway", Slot::Addresses),
            ("IPAddress", Slot::Addresses),
            ("IPSubnet", Slot::Mask),
        ],
    ),
    (
        "Win32_ComputerSystem",
        &[("HypervisorPresent", Slot::Flag), ("TotalPhysicalMemory", Slot::Bytes), ("NumberOfLogicalProcessors", Slot::Cores)],
    ),
];
