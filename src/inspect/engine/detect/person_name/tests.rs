use super::scan;
use crate::inspect::engine::context::TextKind;
use crate::inspect::engine::detect::probe::{all_block, blocks, hits, linear, none_hit, survives, with};
use crate::inspect::engine::finding::Kind;

const HITS: &[(&str, &str)] = &[
    ("first name", "Mario"),
    ("given name", "Zyprian"),
    ("surname", "Wojciechowska"),
    ("last name", "O'Brien"),
    ("family name", "De Luca"),
    ("full name", "Ludovica Zanchi"),
    ("contact person", "J. Smith"),
    ("cognome", "Rossi"),
    ("nome", "Mario Rossi"),
    ("display name", "Mario Rossi"),
    ("display name", "Rossi, Mario"),
    ("display name", "mario rossi"),
    ("owner", "Ludovica Zanchi"),
    ("registered owner", "Gerhard Huber"),
    ("registered user", "Hans-Peter M\u{fc}ller"),
    ("user name", "Jean-Luc Moreau"),
    ("installed by", "Marco"),
    ("installed by", "Ludovica Zanchi"),
    ("last logged on user", "Anna Schmidt"),
    ("caller name", "MARIO ROSSI"),
    ("calling party name", "Ludovica van der Berg"),
    ("", "Mario Rossi, Anna Bianchi, Luca Ferrari"),
    ("", "present: John Smith; Mary Johnson and Rossi Mario."),
    ("members", "Hans M\u{fc}ller\nUte Schmidt\nKarl Weber"),
];

const MISSES: &[(&str, &str)] = &[
    ("", "Simon Tatham"),
    ("", "Martin Prikryl"),
    ("", "Kay Bruns"),
    ("", "Igor Pavlov"),
    ("", "Frank Heind\u{f6}rfer, Philip Chinery"),
    ("publisher", "Simon Tatham"),
    ("vendor", "Martin Prikryl"),
    ("vendor", "Colin Harrison"),
    ("name", "Simon Tatham"),
    ("name", "Dell"),
    ("name", "Martin"),
    ("name", "Oracle VM"),
    ("name", "SAP"),
    ("name", "Erlang"),
    ("name", "Kerberos"),
    ("name", "Ada"),
    ("name", "Jenkins"),
    ("name", "Marco"),
    ("display name", "Print Spooler"),
    ("display name", "Google Chrome"),
    ("display name", "Spooler di stampa"),
    ("display name", "Marco"),
    ("service display name", "Mario Rossi"),
    ("nome", "Rete"),
    ("nome", "Spooler di stampa"),
    ("owner", "Windows User"),
    ("registered owner", "Utente Windows"),
    ("registered owner", "Imagicle"),
    ("owner", "SYSTEM"),
    ("user", "Administrator"),
    ("installed by", "SYSTEM"),
    ("installed by", r"NT AUTHORITY\SYSTEM"),
    ("user locale", "Italian Italy"),
    ("full name", r"C:\Windows\System32\x.dll"),
    ("full name", "System.Core, Version=4.0.0.0"),
    ("full name", "Microsoft Windows Server"),
    ("first name", ""),
    ("first name", "true"),
    ("first name", "42"),
    ("last name", "notCapital"),
    ("file name", "Mario Rossi"),
    ("host name", "Mario Rossi"),
    ("", "Mario Rossi and Anna Bianchi"),
    ("", "Themes Spooler Netlogon"),
    ("", "Servicio de enrutador de AllJoyn"),
    ("", "Compte d'utilisateur d'administration"),
    ("", "\u{41a}\u{43e}\u{43c}\u{43f}\u{430}\u{43d}\u{438}\u{44f} \u{41a}\u{440}\u{438}\u{43f}\u{442}\u{43e}\u{41f}\u{440}\u{43e}"),
    ("", ""),
];

#[test]
fn names_under_keys_block() {
    all_block(scan, Kind::PersonName, TextKind::Free, HITS);
}

#[test]
fn vendors_and_services_pass() {
    none_hit(scan, TextKind::Free, MISSES);
}

#[test]
fn names_of_products_never_hit() {
    for kind in [TextKind::Name, TextKind::Path, TextKind::Version, TextKind::Number] {
        none_hit(scan, kind, HITS);
        none_hit(scan, kind, MISSES);
    }
}

#[test]
fn one_pair_is_a_hint() {
    for (key, text) in [("name", "Mario Rossi"), ("members", "Rossi, Mario"), ("", "Colin Harrison")] {
        let bits = with(key, TextKind::Free, |context| hits(scan, text.as_bytes(), context).first().map(|hit| hit.bits));
        assert_eq!(bits, Some(super::PAIR), "{key} {text}");
    }
}

#[test]
fn an_account_slot_may_hold_a_name() {
    assert!(blocks(scan, "Mario Rossi", "owner", TextKind::Identity));
}

#[test]
fn work_is_linear() {
    linear(scan, &["A", "A ", "Mario ", "Mario Rossi", "Rossi, ", "Mario-", "Mm "]);
}

#[test]
fn cuts_are_harmless() {
    survives(scan, &["Mario Rossi, Anna Bianchi, Luca Ferrari", "Hans M\u{fc}ller"]);
}
