//! Attacks, class by class: tables with a line a case, and after each of them what must hold.
//!
//! Each runner prints how many cases it saw (`cargo nextest run -E 'test(/^hostile/)' --no-capture`).

mod catalogue;
mod doubles;
mod evasion;
mod front;
mod messages;
mod strict;

/// Says how many cases of a class were seen. The harness shows it where it shows what tests print.
fn counted(class: &str, cases: usize) {
    println!("hostile: {cases} cases of {class}");
}
