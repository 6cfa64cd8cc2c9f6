use super::*;

fn shape() -> Shape {
    Shape::compile(&toml::from_str::<Document>(include_str!("../../../../config/policy/shape.toml")).expect("TOML")).expect("compiles")
}

fn meaning(shape: &Shape, path: &str) -> Meaning {
    let mut words: Vec<Words> = path.split('/').map(|key| shape.fold(key)).collect();
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
