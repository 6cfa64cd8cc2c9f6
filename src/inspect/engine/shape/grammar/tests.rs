use super::*;

fn all(is: fn(&str) -> bool, texts: &[&str]) {
    for text in texts {
        assert!(is(text), "{text}");
    }
}

fn none(is: fn(&str) -> bool, texts: &[&str]) {
    for text in texts {
        assert!(!is(text), "{text}");
    }
}

#[test]
fn what_is_no_path_proves_nothing() {
    all(
        is_system_path,
        &[r"C:\Windows\x.exe -k a", r"\SystemRoot\x", "%windir%\\x", r"C:\Program Files\X 1.4.4\y", r#""C:\x.exe" -c "D:\a.xml""#],
    );
    none(
        is_system_path,
        &[
            r"CORP\asmith",
            r"C:\x.exe -s 62.30.244.247",
            r"C:\x 41.597305,14.35187",
            r"C:\x 2001:db9::5",
            r"C:\x D:\y ::5",
            r"C:\x ab:\cd:\ef",
            "151.41.87.170",
        ],
    );
    none(is_system_path, &[r"C:\x 08428621-H", r"C:\x CE 27 23 49 A", r"C:\x 565-83-9560", r"C: CORP\asmith"]);
    none(is_version, &["0050.5c37.6cd8", "8470.ECC7.13EE"]);
    all(is_version, &["2019.0150.2000", "10.0.1", "22.10.23.01"]);
}

#[test]
fn names_are_proven_only_if_nothing_can_hide_in_them() {
    let harmless =
        ["svchost.exe", "Intel(R) Xeon(R) CPU @ 3.00GHz", "Simon Tatham", "MSSQL$UCX", "Компания КриптоПро", "Spooler di stampa"];
    all(is_name, &harmless);
    let hiding = [
        "mario@example.com",
        "SEP001B21AABBCC",
        "00-1B-44-11-3A-B7",
        "f47e.e5e1.a1d2",
        "password: hunter2x",
        "tel:+390212345678",
        "/home/mario/x",
        "8.8.8.8",
        "AKIAMNDJBJNOJOPLLM4L",
        "bWFyaW9Acm9zc2kuaXQ",
        "RSSMRA80A01H501U",
        "02 1234 5678",
        "&#109;ario",
        "RwBJAFUATABJAEEALgBHAEEAUgBDAEkAQQA",
        "ABHAEkAVQBMAEkAQQAuAEcAQQBSAEMASQBB",
        "055.123.4567",
        "chiamare 347/9602527",
        "ｍａｒｉｏ",
        "Mario int. 4312",
        "AB 12 34 56 C",
        "lat 45.4642 lon 9.1900",
    ];
    none(is_name, &hiding);
    none(is_like_a_name, &["A1b2C3d4E5f6G7h8I9j0K1l2M3n4", "a\u{7}b"]);
}

#[test]
fn versions_are_no_numbers_of_persons() {
    all(is_version, &["10.0.17763.1", "v2.1", "21H2", "2026.2.1-rc.2", "4.8.03761", "1"]);
    none(
        is_version,
        &["4111.1111.1111.1111", "06.12.34.56.78", "3C:52:82:11:3A:B7", "3331234567", "10.0 SEP001B21AABBCC", "784-1990-1234567-1"],
    );
    all(is_like_a_version, &["22.10.23.01-220622a-380677C", "14.0.1.13900-155"]);
    none(is_like_a_version, &["3c98.73c9.a132", "10.0 (0044 20 7546 9641", "784-1990-1234567-1", "06.12.34.56.78"]);
}

#[test]
fn paths_are_proven_only_if_nothing_can_hide_in_them() {
    all(is_system_path, &[r"C:\Windows\System32\svchost.exe -k netsvcs -p", r"D:\SQLData\Ucx.mdf", r"%SystemRoot%\x.exe", "C:"]);
    let hiding = [
        r"C:\Users\jsmith\x",
        r"\\srv\share\x",
        r"C:\x\SEP001B21AABBCC.xml",
        r"C:\x\00-1B-44-11-3A-B7",
        r"\u006d\u0061\u0072",
        r"C:\x%40y",
        r"C:\x Password=secret1",
        r"C:\DOCUME~1\jsmith",
        "C:\\U\u{455}ers\\mrossi",
        r"D:\Profiles\mrossi",
        r"D:\Gebruikers\mrossi",
        r"D:\Brugere\mrossi",
        r"D:\Brukere\mrossi",
        r"D:\Anvandare\mrossi",
        r"D:\Uzytkownicy\mrossi",
        "D:\\U\u{17c}ytkownicy\\mrossi",
        "D:\\Anv\u{e4}ndare\\mrossi",
        r"C:\x.exe -h79.9.12.14",
        r"C:\x.exe u@79.9.12.14",
        r"C:\x\tool.exe -u mrossi -p hunter2",
        r"C:\Windows\runas.exe /user:ACME\mrossi cmd",
        "Mario Rossi",
    ];
    none(is_system_path, &hiding);
    none(is_like_a_path, &["Mario Rossi", "203.0.113.7 is down"]);
}

#[test]
fn what_says_nothing_by_its_form_may_stand_anywhere() {
    let guid = "6f9619ff-8b86-4011-b42d-00cf4fc964ff";
    all(is_inert, &["", "n/a", "Running", "KB5031364", guid, "10.0.17763", "2026-11-15T02:00:00Z", "42", r"C:\Windows\x.dll"]);
    let telling = [
        "10.1.2.3",
        "3331234567",
        "+39 02 2034 5678",
        "784-1990-1234567-1",
        "06.12.34.56.78",
        "Mario Rossi",
        // A GUID of version 1 ends with a hardware address; forty hexadecimal digits may be twenty letters.
        "6f9619ff-8b86-1011-b42d-00cf4fc964ff",
        "6d6172696f2e726f7373694061636d652e636f6d",
        "6dc3bc6c6c6572734061636d652e6974",
    ];
    none(is_inert, &telling);
    // A counter has as many digits as a telephone number; what is sent as text was written by somebody.
    assert!(is_inert_number("999999") && is_inert_number("1763172000") && is_inert_number("3331234567"));
}

#[test]
fn accounts_of_services_are_named_like_ones() {
    all(is_service_account, &["LocalSystem", r"NT SERVICE\MSSQL$UCX", "NT-AUTORITÄT\\SYSTEM", r".\LocalSystem"]);
    none(
        is_service_account,
        &[
            r"NT AUTHORITY\mario.rossi",
            r"BUILTIN\mrossi",
            r"Window Manager\mrossi",
            r"ACME\m.rossi",
            "mario",
            r"NT SERVICE\x mario@example.com",
            r"NT SERVICE\password=secret",
        ],
    );
}

#[test]
fn tags_of_languages_hold_no_names() {
    all(is_language, &["it-IT", "en", "zh-Hans-CN", "es-419", "0410", "Italiano (Italia)"]);
    none(is_language, &["mario.rossi", "it-rossi-mario-3331234", "ab-12345678"]);
}

#[test]
fn names_of_several_words_are_no_codes() {
    for name in ["ContosoBackupAgent3", "ImagicleQueueManager12", "FabrikamUpdateService2024", "NorthwindDirectorySync"] {
        assert!(is_name(name), "{name}");
    }
    // Base64 in small words, base32, the code of a person, words without vowels or with a long number.
    for code in ["TWFyaWFSb3NzaVZh", "nvqxe2lpfzzg643tn4yt", "RssmraUrtLmsAsnt85", "BackupAgentService20245", "KbdTxtRvwPqrStv3"] {
        assert!(!is_name(code), "{code}");
    }
}

#[test]
fn hotfixes_are_known_with_words_around_them() {
    all(is_like_a_hotfix, &["KB5022286 (Security Update)", "Package_for_KB5031364~31bf3856ad364e35~amd64~~10.0.1.5", "Security Update"]);
    none(is_like_a_hotfix, &["Mario Rossi", "KB12", "KB50222861", "Update by Mario"]);
}

#[test]
fn accounts_hold_no_numbers_of_persons() {
    all(is_account, &[r"ACME\svc_ucx", "LocalSystem", "S-1-5-80-3880718306-3832830129-1677859214-2598158968-1052248003", "jürgen@acme.it"]);
    none(is_account, &["svc 0039 335 1234567", "4312", "svc +39", "svc 02/1234-5678", "a;b", ""]);
}
