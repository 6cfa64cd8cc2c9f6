use super::*;

fn shape() -> Shape {
    Shape::compile(&toml::from_str::<Document>(include_str!("../../../../config/policy/shape.toml")).expect("TOML")).expect("compiles")
}

fn meaning(shape: &Shape, path: &str) -> Meaning {
    let mut words: Vec<Key> = path.split('/').map(|key| shape.read(key)).collect();
    let key = words.pop().expect("a key");
    shape.meaning(&words, &key)
}

#[test]
fn documented_fields_are_known_in_any_spelling() {
    let shape = shape();
    for (path, slot) in [
        ("processes/runningProcesses/processId", Slot::Id),
        ("Win32_Process/WorkingSetSize", Slot::Bytes),
        ("processi/memoria_usata", Slot::Bytes),
        ("processes.0.cpuUsage", Slot::Percent),
        ("payload/RUNNING_PROCESSES.12.NAME", Slot::Name),
        ("services/DisplayName", Slot::Name),
        ("windowsServices/startupIdentity", Slot::Account),
        ("Win32_Service/StartName", Slot::Startup),
        ("installedApplications/displayVersion", Slot::Version),
        ("networkAdapters/DNSServerSearchOrder", Slot::Address),
        ("cluster.nodes", Slot::Node),
        ("hardwareInfo.cpus.0.addressWidth", Slot::Bitness),
        ("HARDWARE_INFO_PROCESSORS_0_ADDRESS_WIDTH", Slot::Bitness),
        ("softwareInfo.hotfixes.0.installedOn", Slot::Time),
        ("software info.windows hotfixes.12.installed on", Slot::Time),
        ("hardwareInfo.networkAdapters.0.dnsServers.1", Slot::Address),
        ("attendantConsoles/blue", Slot::Count),
        ("schemaVersion", Slot::Version),
        ("networkAdapters/dhcp/leaseObtained", Slot::Time),
        ("networkAdapters/dhcpConfiguration", Slot::Lease),
        ("hardwareInfo/isVirtualMachine", Slot::Machine),
        ("counters/phoneLockRequestRate", Slot::Rate),
        ("contatori.frequenza_richieste_contact_manager", Slot::Rate),
        ("counters/chiamateInRegistrazione", Slot::Count),
        ("voip/numberOfUsers", Slot::Users),
        ("license/activationToken", Slot::Token),
        ("name", Slot::Label),
        ("databases/databaseName", Slot::Identifier),
    ] {
        assert_eq!(meaning(&shape, path), Meaning::Field(slot), "{path}");
    }
}

#[test]
fn keys_of_persons_are_known_in_any_spelling() {
    let shape = shape();
    for (path, kind) in [
        ("givenName", Kind::PersonName),
        ("x/display_name", Kind::PersonName),
        ("agentName", Kind::PersonName),
        ("operator.name", Kind::PersonName),
        ("hotfixes/installedBy", Kind::PersonName),
        ("process/owner", Kind::PersonName),
        ("os/RegisteredUser", Kind::PersonName),
        ("lastLoggedOnUser", Kind::PersonName),
        ("Nome Utente", Kind::PersonName),
        ("cn", Kind::PersonName),
        ("mobile_phone_number", Kind::Phone),
        ("numeroChiamante", Kind::Phone),
        ("directoryNumber", Kind::Phone),
        ("interno", Kind::Phone),
        ("user_0_email", Kind::Email),
        ("full_0_name", Kind::PersonName),
        ("hardware.0.address", Kind::MacAddress),
        ("users.0.installedOn", Kind::Identity),
        ("hotfixes.0.installedBy", Kind::PersonName),
        ("userPrincipalName", Kind::Identity),
        ("networkAdapters/macAddress", Kind::MacAddress),
    ] {
        assert_eq!(meaning(&shape, path), Meaning::Personal(kind), "{path}");
    }
}

#[test]
fn what_stands_in_a_container_of_a_person_is_personal() {
    let shape = shape();
    for path in ["caller/shade", "data/employee/tag", "contactPerson/shade/colour"] {
        assert!(matches!(meaning(&shape, path), Meaning::Personal(_)), "{path}");
    }
    assert_eq!(meaning(&shape, "container/shade"), Meaning::Unknown);
}

#[test]
fn nothing_documented_makes_a_person_harmless() {
    let shape = shape();
    for path in [
        "owner/name",
        "contact/description",
        "person/birth/date",
        "employee/number",
        "user/title",
        "users/list/title",
        "phone/description",
        "faxNumber",
        "fax/number",
        "presenceStatus",
        "connectedNumber",
        "p.h.o.n.e",
        "pho_ne",
        "os/surname",
        "license/customer/name",
        "users/mrossi",
        "processes/fullName",
        "applications/lastName",
        "networkAdapters/fullName",
        "databases/displayName",
        "services/saudiId",
        "processes/nationalId",
        "hotfixes/sessionId",
        "disks/directoryNumber",
    ] {
        assert!(matches!(meaning(&shape, path), Meaning::Personal(_)), "{path}: {:?}", meaning(&shape, path));
    }
}

#[test]
fn amounts_of_persons_are_amounts() {
    let shape = shape();
    for path in [
        "users",
        "voip/users",
        "phoneCount",
        "phones/total",
        "users/registered",
        "registeredDevices",
        "license/extensions",
        "cucm/registeredPhones",
        "numberOfContacts",
        "nombreUtilisateurs",
        "Anzahl Benutzer",
        "número de usuarios",
        "numeroUtenti",
    ] {
        let meaning = meaning(&shape, path);
        assert!(matches!(meaning, Meaning::Field(Slot::Users | Slot::Count)), "{path}: {meaning:?}");
    }
    // One has no plural, the other no container that counts.
    for path in ["license/extension", "extensions"] {
        assert_eq!(meaning(&shape, path), Meaning::Personal(Kind::Phone), "{path}");
    }
}

#[test]
fn keys_of_persons_are_known_in_five_languages() {
    let shape = shape();
    for (kind, keys) in [
        (
            Kind::PersonName,
            "dob|dateOfBirth|dataNascita|geburtsdatum|dateNaissance|fechaNacimiento|vorname|nachname|prénom|apellidos|subscriberName",
        ),
        (
            Kind::Phone,
            "lineNumber|a_number|exten|mailbox|Rufnr|Nst|telefax|handynummer|numeroChiamato|numéro portable|buzón|casella vocale|appelant|llamante|anrufer|fax_number",
        ),
        (Kind::Identity, "ntlm|lastLogonDate|lastLogin|nomUtilisateur|nombreUsuario|benutzerkennung|logonUser"),
        (Kind::Credential, "passwort|kennwort|motDePasse|contraseña|parola|sessionToken|id_token|otp"),
        (Kind::Email, "correo electrónico|courriel|emailAddress|e-mail|indirizzo posta"),
        (Kind::Cookie, "JSESSIONID|sessionId"),
        (Kind::CallRecord, "dateTimeOrigination|dateTimeConnect|callDuration"),
        (Kind::Geolocation, "residenza|domicilio|wohnort|código postal|streetAddress"),
    ] {
        for key in keys.split('|') {
            assert_eq!(meaning(&shape, key), Meaning::Personal(kind), "{key}");
        }
    }
}

#[test]
fn things_that_sound_like_persons_are_none() {
    let shape = shape();
    for path in ["smtp/server", "smtpServer", "mailServer", "sipPort", "userTime", "sipTrunk/port"] {
        assert!(!matches!(meaning(&shape, path), Meaning::Personal(_)), "{path}");
    }
    for (path, slot) in [
        ("agent/processes/name", Slot::Name),
        ("operatingSystem/family", Slot::Version),
        ("processors/family", Slot::Version),
        ("cluster/nodes/hostname", Slot::Node),
        ("services/serviceType", Slot::State),
        ("services/startType", Slot::State),
        ("processes/WorkingSet64", Slot::Bytes),
        ("processes/PrivateMemorySize64", Slot::Bytes),
        ("processes/rss", Slot::Bytes),
        ("command", Slot::Label),
        ("from", Slot::Bound),
    ] {
        assert_eq!(meaning(&shape, path), Meaning::Field(slot), "{path}");
    }
    assert!(matches!(meaning(&shape, "family"), Meaning::Personal(_)));
}

#[test]
fn no_single_word_is_impersonal() {
    let document: Document = toml::from_str(DOCUMENTED).expect("TOML");
    let shape = shape();
    assert!(document.impersonal.len() > 20);
    for key in &document.impersonal {
        let words = key.rsplit(':').next().unwrap_or_default();
        assert!(key.contains(':') || shape.fold(words).as_slice().len() > 1, "{key}");
    }
}

#[test]
fn words_of_others_are_told_from_ours() {
    let shape = shape();
    for (key, is_ours) in [
        ("processes.0.name", true),
        ("numero_di_utenti", true),
        ("unità di sistema", true),
        ("catName", false),
        ("zork", false),
        ("", false),
        ("the cat is the name", false),
    ] {
        assert_eq!(shape.read(key).is_ours, is_ours, "{key}");
    }
    assert!(shape.knows("processName") && !shape.knows("processes.0.name") && !shape.knows("a"), "what is shown has our words only");
}

#[test]
fn an_index_says_nothing_and_a_number_of_a_person_does() {
    let shape = shape();
    assert_eq!(meaning(&shape, "attendantConsoles/12"), meaning(&shape, "attendantConsoles"));
    assert_eq!(meaning(&shape, "attendantConsoles/4312"), Meaning::Unknown);
}

#[test]
fn what_is_wrong_in_a_shape_is_named() {
    for (text, part) in [
        ("[[field]]\nid = \"x\"\nkeys = [\"a\"]\nslot = \"nothing\"\nquote = \"q\"", "is no slot"),
        ("[[field]]\nid = \"x\"\nkeys = [\"list\"]\nslot = \"id\"\nquote = \"q\"", "no word"),
        ("[[personal]]\nkind = \"nothing\"\nkeys = [\"a\"]", "is no kind"),
    ] {
        let text = format!("format = 1\nname = \"x\"\nnoise = [\"list\"]\n{text}");
        let Unfit(detail) = Shape::compile(&toml::from_str::<Document>(&text).expect("TOML")).expect_err("unfit");
        assert!(detail.contains(part), "{detail}");
    }
}

/// A key as `container/key`, each part with and without separators.
fn ways(key: &str) -> (String, String) {
    let (under, words) = key.split_once(": ").map_or(("", key), |(under, words)| (under, words));
    let path = |words: &str| if under.is_empty() { words.to_owned() } else { format!("{under}/{words}") };
    (path(words), path(words).replace(' ', ""))
}

#[test]
fn keys_without_separators_mean_the_same() {
    let document: Document = toml::from_str(DOCUMENTED).expect("TOML");
    let shape = shape();
    let mut others = Vec::new();
    let mut count = 0;
    for key in document.fields.iter().flat_map(|field| &field.keys).filter(|key| key.contains(' ')) {
        let (separated, joined) = ways(key);
        let is_letters = !words::split(key).iter().any(|word| word.len() == 1);
        count += 1;
        for joined in [joined.clone(), joined.to_uppercase()] {
            let (one, other) = (meaning(&shape, &separated), meaning(&shape, &joined));
            if one != other && is_letters {
                others.push(format!("{joined}: {other:?}, not {one:?} {:?}", shape.read(&joined).words.as_slice()));
            }
        }
    }
    assert!(others.is_empty() && count > 500, "{} of {count}\n{}", others.len(), others.join("\n"));
}

#[test]
fn keys_of_persons_without_separators_stay_theirs() {
    let document: Document = toml::from_str(DOCUMENTED).expect("TOML");
    let shape = shape();
    let mut others = Vec::new();
    for key in document.personal.iter().flat_map(|entry| &entry.keys).filter(|key| key.contains(' ')) {
        let (separated, joined) = ways(key);
        let is_person = |path: &str| matches!(meaning(&shape, path), Meaning::Personal(_));
        if is_person(&separated) && !is_person(&joined) {
            others.push(format!("{joined} {:?}", meaning(&shape, &joined)));
        }
    }
    assert!(others.is_empty(), "{}\n{}", others.len(), others.join("\n"));
}

#[test]
fn names_of_persons_are_not_taken_apart() {
    let shape = shape();
    let tables = include_str!("../detect/person_name/gazetteer.rs");
    let tables = tables.split_once("const GIVEN").expect("the tables").1;
    let names: Vec<&str> = tables.split(|letter: char| !letter.is_ascii_lowercase()).filter(|name| name.len() > 3).collect();
    assert!(names.len() > 1000);
    let apart: Vec<_> = names.iter().filter_map(|name| Some((name, shape.lexicon.apart(name)?))).collect();
    assert!(apart.is_empty(), "{apart:?}");
}

#[test]
fn keys_without_separators_are_known() {
    let shape = shape();
    for (path, slot) in [
        ("hardwareinfo/memory/totalinstalled", Slot::Bytes),
        ("hardwareinfo/memory/TOTALINSTALLED", Slot::Bytes),
        ("Memory/Totalinstalled", Slot::Bytes),
        ("installedapplications/installationpath", Slot::Path),
        ("runningprocesses/processid", Slot::Id),
        ("runningprocesses/cpuusage", Slot::Percent),
        ("voiparchitecture/numberofusers", Slot::Users),
        ("cluster/databasereplicationstrategy", Slot::State),
        ("networkadapters/DNSservers", Slot::Address),
        ("contatori/chiamateinregistrazione", Slot::Count),
    ] {
        assert_eq!(meaning(&shape, path), Meaning::Field(slot), "{path}");
        assert!(path.split('/').all(|key| shape.read(key).is_ours), "{path}");
    }
    for path in ["username", "displayname", "phonenumber", "callername", "lastname", "sipuri", "userdn", "mobilephonenumber", "ownername"] {
        assert!(matches!(meaning(&shape, path), Meaning::Personal(_)), "{path}: {:?}", meaning(&shape, path));
    }
    for path in ["catname", "zorktotal", "totalzork"] {
        assert_eq!(meaning(&shape, path), Meaning::Unknown, "{path}");
        assert!(!shape.read(path).is_ours, "{path}");
    }
    for path in ["hostname", "filename", "windows", "domain", "servername", "portnumber", "linespeed"] {
        assert!(!matches!(meaning(&shape, path), Meaning::Personal(_)), "{path}: {:?}", meaning(&shape, path));
    }
}

#[test]
fn keys_that_have_nothing_in_them_but_words_and_indices_are_told() {
    let shape = Shape::built_in().expect("the shape compiles");
    for key in ["name", "installedApplications[0][name]", "installedApplications[1234].vendor", "hotfixes.0.installedOn", "dnsServers.0"] {
        assert!(shape.read(key).is_plain, "{key}");
    }
    // An initial, numbers beside one another or too long, words of nobody, and more words than are read.
    let (long, spelled) = ("id.".repeat(16), format!("p.h.o.n.e.{}", "id.".repeat(11)));
    let hidden = [&long, &spelled].map(|words| format!("{words}Rossi347"));
    let others = ["4312", "name.M", "name[347][1234]", "name.34712", "name.rossi", "name.rossi.0"];
    for key in others.into_iter().chain(hidden.iter().map(String::as_str)) {
        let read = shape.read(key);
        assert!(!read.is_plain && !read.is_shown, "{key}");
    }
    assert!(!shape.read(&hidden[0]).is_ours);
}
