//! Policies of any size.

use std::fmt::Write as _;

/// A policy of so many hosts on port 443: nine in ten by name, the tenth a wildcard.
pub(crate) fn policy(hosts: usize) -> String {
    let mut text =
        String::from("format = 1\nname = \"large\"\n[[service]]\nid = \"tenants\"\npersonal_data = \"unstated\"\nidle_timeout = \"1h\"\n");
    for number in 0..hosts {
        let host = if number % 10 == 9 { format!("*.{}", domain(number)) } else { exact(number) };
        writeln!(text, "[[service.endpoint]]\nhost = \"{host}\"\nport = 443\nprotocol = \"https\"").expect("writing to a string");
    }
    text
}

/// The host that such a policy has by name at this place or the one before.
pub(crate) fn exact(number: usize) -> String {
    let number = if number % 10 == 9 { number - 1 } else { number };
    format!("ucx.{}", domain(number))
}

/// A host that the next wildcard from this place on covers.
pub(crate) fn covered(number: usize) -> String {
    format!("ucx.{}", domain(number / 10 * 10 + 9))
}

fn domain(number: usize) -> String {
    format!("tenant-{number}.example.com")
}
