//! Attacks, class by class: tables with a line a case, and after each of them what must hold.
//!
//! Each runner prints how many cases it saw (`cargo nextest run -E 'test(/^hostile/)' --no-capture`).

mod catalogue;
mod configurations;
mod dependencies;
mod dns;
mod doubles;
mod evasion;
mod floods;
mod framing;
mod front;
mod handshakes;
mod messages;
mod operations;
mod panics;
mod slow;
mod strict;
mod weak_certificates;

/// Says how many cases of a class were seen. The harness shows it where it shows what tests print.
fn counted(class: &str, cases: usize) {
    println!("hostile: {cases} cases of {class}");
}

/// Asserts that nothing differs, and shows all that does at once.
fn as_expected(cases: usize, class: &str, wrong: &[String]) {
    counted(class, cases);
    assert!(wrong.is_empty(), "{} of {cases}:\n{}", wrong.len(), wrong.join("\n"));
}
