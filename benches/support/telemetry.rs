//! Beats as a suite of some size sends them, in several formats, the same bytes on every run.

use std::fmt::Write as _;

const PROCESSES: &[&str] = &[
    "svchost.exe",
    "System",
    "sqlservr.exe",
    "w3wp.exe",
    "lsass.exe",
    "ImagicleQueueManager.exe",
    "ImagicleBudget.exe",
    "MsMpEng.exe",
    "conhost.exe",
    "RuntimeBroker.exe",
    "vmtoolsd.exe",
    "spoolsv.exe",
    "WmiPrvSE.exe",
    "csrss.exe",
    "Registry",
    "fontdrvhost.exe",
];
const SERVICES: &[(&str, &str, &str, &str)] = &[
    ("Spooler", "Automatic", "LocalSystem", "C:\\\\Windows\\\\System32\\\\spoolsv.exe"),
    ("MSSQL$UCX", "Automatic", "NT Service\\\\MSSQL$UCX", "\\\"C:\\\\Program Files\\\\Microsoft SQL Server\\\\sqlservr.exe\\\" -sUCX"),
    ("W3SVC", "Automatic", "LocalSystem", "C:\\\\Windows\\\\system32\\\\svchost.exe -k iissvcs"),
    ("ImagicleBudget", "Automatic", "LocalSystem", "C:\\\\Program Files (x86)\\\\StonevoiceAS\\\\Apps\\\\Budget\\\\Budget.exe"),
    ("Dnscache", "Manual", "NT AUTHORITY\\\\NetworkService", "C:\\\\Windows\\\\system32\\\\svchost.exe -k NetworkService -p"),
    ("EventLog", "Automatic", "NT AUTHORITY\\\\LocalService", "C:\\\\Windows\\\\System32\\\\svchost.exe -k LocalServiceNetworkRestricted"),
];
const PRODUCTS: &[(&str, &str, &str)] = &[
    ("PuTTY release 0.78 (64-bit)", "0.78.0.0", "Simon Tatham"),
    ("7-Zip 23.01 (x64)", "23.01", "Igor Pavlov"),
    ("Microsoft Visual C++ 2015-2022 Redistributable (x64) - 14.36.32532", "14.36.32532.0", "Microsoft Corporation"),
    ("Notepad++ (64-bit x64)", "8.5.7", "Notepad++ Team"),
    ("VMware Tools", "12.3.5.22544099", "VMware, Inc."),
    ("Microsoft SQL Server 2019 (64-bit)", "15.0.4316.3", "Microsoft Corporation"),
    ("Mozilla Firefox (x64 it)", "119.0.1", "Mozilla"),
    ("Imagicle UCX Suite", "2026.2.1", "Imagicle spa"),
];

/// First and second words of names of software, so that most names are there once only.
const FIRST: &[&str] = &[
    "Contoso",
    "Fabrikam",
    "Northwind",
    "Adatum",
    "Litware",
    "Proseware",
    "Tailspin",
    "Wingtip",
    "Lucerne",
    "Trey",
    "Humongous",
    "Margie",
];
const SECOND: &[&str] = &[
    "Backup Agent",
    "Fax Gateway",
    "Call Recorder",
    "Print Spooler",
    "Monitor",
    "Runtime",
    "Update Service",
    "Codec Pack",
    "Report Viewer",
    "Directory Sync",
    "Web Console",
    "Archive",
    "Mail Relay",
    "Storage Driver",
    "Telemetry",
    "Help Desk",
];

/// A small generator of numbers (Knuth's MMIX constants): the bytes must not change from run to run.
#[derive(Debug)]
pub struct Numbers(u64);

impl Numbers {
    /// Starts a row.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number below a limit.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit.max(1)
    }

    /// One of a list.
    ///
    /// # Panics
    /// If there is none.
    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        let at = self.below(list.len() as u64);
        list.get(usize::try_from(at).unwrap_or_default()).expect("the list has entries")
    }
}

/// The name of a process: most are there several times.
fn process_name(numbers: &mut Numbers) -> String {
    match numbers.below(3) {
        0 => format!("{}{}{}.exe", numbers.pick(FIRST), numbers.pick(SECOND).replace(' ', ""), numbers.below(10)),
        _ => (*numbers.pick(PROCESSES)).to_owned(),
    }
}

/// Name, version and vendor of software: most are there once.
fn product(numbers: &mut Numbers) -> (String, String, String) {
    if numbers.below(4) == 0 {
        let (name, version, vendor) = *numbers.pick(PRODUCTS);
        return (name.to_owned(), version.to_owned(), vendor.to_owned());
    }
    let (first, second) = (*numbers.pick(FIRST), *numbers.pick(SECOND));
    // No number of an address is as large as that of a build.
    let (major, minor, build) = (numbers.below(30), numbers.below(20), 256 + numbers.below(9_000));
    (
        format!("{first} {second} {major}.{minor}"),
        format!("{major}.{minor}.{build}.{}", numbers.below(9)),
        format!("{first} Software, Inc."),
    )
}

/// One process as JSON.
fn process(numbers: &mut Numbers) -> String {
    format!(
        r#"{{"processId":{},"name":"{}","usedMemory":{},"handleCount":{},"threadCount":{},"cpuUsage":{}.{:02}}}"#,
        numbers.below(40_000),
        process_name(numbers),
        numbers.below(1 << 31) * 4096,
        numbers.below(4_000),
        numbers.below(300),
        numbers.below(100),
        numbers.below(100)
    )
}

fn application(numbers: &mut Numbers) -> String {
    let (name, version, vendor) = product(numbers);
    format!(
        r#"{{"name":"{name}","version":"{version}","vendor":"{vendor}","installationPath":"C:\\Program Files\\{}\\"}}"#,
        name.split(' ').next().unwrap_or_default()
    )
}

fn service(numbers: &mut Numbers) -> String {
    let (name, mode, account, path) = numbers.pick(SERVICES);
    let name = if numbers.below(2) == 0 { (*name).to_owned() } else { format!("{}{}", numbers.pick(FIRST), numbers.below(100)) };
    format!(r#"{{"serviceName":"{name}","startupName":"{mode}","startupIdentity":"{account}","exePath":"{path}"}}"#)
}

fn list(numbers: &mut Numbers, bytes: usize, element: impl Fn(&mut Numbers) -> String) -> String {
    let mut list = String::from("[");
    while list.len() < bytes {
        if list.len() > 1 {
            list.push(',');
        }
        list.push_str(&element(numbers));
    }
    list.push(']');
    list
}

/// The four beats in one document of about so many bytes: processes, services, installed software, hardware, the suite.
#[must_use]
pub fn json(bytes: usize) -> Vec<u8> {
    let mut numbers = Numbers::new(7);
    let rest = bytes.saturating_sub(SUITE.len());
    let processes = list(&mut numbers, rest / 2, process);
    let applications = list(&mut numbers, rest / 4, application);
    let services = list(&mut numbers, rest / 5, service);
    let hotfixes = list(&mut numbers, rest / 20, |numbers| format!("\"KB50{:05}\"", numbers.below(100_000)));
    format!(
        "{{\"processes\":{{\"runningProcesses\":{processes}}},\"softwareInfo\":{{\"installedApplications\":{applications},\
         \"windowsServices\":{services},\"hotfixes\":{hotfixes}}},{SUITE}}}"
    )
    .into_bytes()
}

/// What does not grow with the server.
const SUITE: &str = r#""hardwareInfo":{"virtualMachine":true,"processors":[{"name":"Intel(R) Xeon(R) Gold 6248R CPU @ 3.00GHz","manufacturer":"GenuineIntel","bitness":64,"numberOfCores":4}],"memory":{"totalInstalled":17179869184,"reserved":8388608},"disks":[{"size":107374182400,"model":"VMware Virtual disk SCSI Disk Device"}],"networkAdapters":[{"adapterName":"vmxnet3 Ethernet Adapter","dhcpConfiguration":false,"dnsServers":["10.20.0.53"],"gateways":["10.20.0.1"],"ipAddresses":["10.20.0.11"]}]},"ucxSuite":{"suite":{"version":"2026.2.1","platform":"Cisco UC","installationPath":"C:\\Program Files (x86)\\Imagicle\\UCX","installationFolderSize":6871947673},"cluster":{"nodes":["10.20.0.11","10.20.0.12"],"databaseReplicationStrategy":"SqlServerReplication"},"voipArchitecture":{"cucmVersion":"14.0.1.13900-155","numberOfUsers":1250,"numberOfDevices":2310,"cucmIpAddress":"10.20.0.60"},"logging":{"enabled":true,"retention":30}}"#;

/// A process a line.
#[must_use]
pub fn ndjson(bytes: usize) -> Vec<u8> {
    let mut numbers = Numbers::new(11);
    let mut lines = String::new();
    while lines.len() < bytes {
        let _ = writeln!(lines, r#"{{"process":{}}}"#, process(&mut numbers));
    }
    lines.into_bytes()
}

/// Names and values of processes, one after the other.
#[must_use]
pub fn form(bytes: usize) -> Vec<u8> {
    let mut numbers = Numbers::new(13);
    let mut form = String::from("suiteVersion=2026.2.1");
    while form.len() < bytes {
        let (name, version, vendor) = product(&mut numbers);
        let name = name.replace('+', "%2B").replace(' ', "+");
        let vendor = vendor.replace('+', "%2B").replace(' ', "+");
        let pid = numbers.below(40_000);
        let _ = write!(form, "&processId={pid}&applicationName={name}&applicationVersion={version}&vendor={vendor}");
    }
    form.into_bytes()
}

/// Processes as elements.
#[must_use]
pub fn xml(bytes: usize) -> Vec<u8> {
    let mut numbers = Numbers::new(17);
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<processes>");
    while xml.len() < bytes {
        let (pid, name) = (numbers.below(40_000), process_name(&mut numbers));
        let (memory, handles) = (numbers.below(1 << 31) * 4096, numbers.below(4_000));
        let _ = write!(
            xml,
            "\n  <process><processId>{pid}</processId><name>{name}</name><usedMemory>{memory}</usedMemory><handleCount>{handles}</handleCount></process>"
        );
    }
    xml.push_str("\n</processes>\n");
    xml.into_bytes()
}

/// The boundary of [`multipart`].
pub const BOUNDARY: &str = "----beat7MA4YWxk";

/// One field a part.
#[must_use]
pub fn multipart(bytes: usize) -> Vec<u8> {
    let mut numbers = Numbers::new(19);
    let mut body = String::new();
    // More parts are not read.
    for _ in 0..900 {
        if body.len() >= bytes {
            break;
        }
        let (name, _, _) = product(&mut numbers);
        let _ = write!(body, "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"applicationName\"\r\n\r\n{name}\r\n");
    }
    let _ = write!(body, "--{BOUNDARY}--\r\n");
    body.into_bytes()
}

/// Lines of a log, as free text.
#[must_use]
pub fn text(bytes: usize) -> Vec<u8> {
    let mut numbers = Numbers::new(23);
    let mut text = String::new();
    while text.len() < bytes {
        let (service, mode, _, _) = numbers.pick(SERVICES);
        let _ = writeln!(text, "The {service} service entered the running state, start type {mode}, after {} ms.", numbers.below(4_000));
    }
    text.into_bytes()
}

/// Names and numbers of processes, for a message of another format.
pub fn processes(mut each: impl FnMut(u64, &str, u64, u64, u64, f64) -> bool) {
    let mut numbers = Numbers::new(29);
    loop {
        let (pid, name) = (numbers.below(40_000), process_name(&mut numbers));
        let (memory, handles, threads) = (numbers.below(1 << 31) * 4096, numbers.below(4_000), numbers.below(300));
        let cpu = f64::from(u32::try_from(numbers.below(10_000)).unwrap_or_default()) / 100.0;
        if !each(pid, &name, memory, handles, threads, cpu) {
            return;
        }
    }
}

/// Names, versions and vendors of applications, for a message of another format.
pub fn applications(mut each: impl FnMut(&str, &str, &str) -> bool) {
    let mut numbers = Numbers::new(31);
    loop {
        let (name, version, vendor) = product(&mut numbers);
        if !each(&name, &version, &vendor) {
            return;
        }
    }
}
