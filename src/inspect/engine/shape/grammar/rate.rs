//! Rates with their unit.

use super::amount;

/// What is counted, in the languages of the suite, lower case.
#[rustfmt::skip]
const EVENTS: &[&str] = &[
    "", "req", "reqs", "request", "requests", "richiesta", "richieste", "rich.", "anfrage", "anfragen", "requête", "requêtes", "requete", "requetes",
    "solicitud", "solicitudes", "petición", "peticiones", "pedido", "pedidos", "call", "calls", "chiamate", "anrufe", "appels", "llamadas", "event",
    "events", "eventi", "ops", "msg", "messages", "tps", "hits",
];
/// Spans of time, likewise.
#[rustfmt::skip]
const SPANS: &[&str] = &[
    "s", "sec", "secs", "second", "secondo", "secondi", "sekunde", "seconde", "segundo", "sek", "m", "min", "minute", "minuto", "h", "hour", "hr", "ora",
    "stunde", "heure", "hora", "day", "d", "giorno", "tag", "jour", "día",
];
/// What stands between the two.
const PER: &[&str] = &["/", " per ", " al ", " alla ", " all'", " pro ", " par ", " por ", " a "];
/// Units that are one word.
const UNITS: &[&str] = &["rps", "rpm", "rph", "qps", "hz", "tps", "cps", "bhca"];

/// The amount of a rate with its unit, which is left off: `12.5 req/s`, `3 richieste al minuto`, `12,5/s`, `12.5 rps`.
#[must_use]
pub fn without_unit(text: &str) -> Option<&str> {
    let end = text.find(|letter: char| letter.is_alphabetic() || letter == '/')?;
    let (number, unit) = text.split_at(end);
    let number = number.trim_end_matches([' ', '\u{a0}', '\u{202f}']);
    let is_known = amount(number).is_some() || super::decimal_below(number, u64::MAX);
    (is_known && is_unit(&format!(" {}", unit.to_lowercase()))).then_some(number)
}

/// A unit with a blank in front.
fn is_unit(unit: &str) -> bool {
    let is_rate = |per: &&str| {
        unit.split_once(*per)
            .is_some_and(|(event, span)| EVENTS.contains(&event.trim()) && SPANS.contains(&span.trim().trim_end_matches('.')))
    };
    UNITS.contains(&unit.trim()) || PER.iter().any(is_rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_told_from_numbers_of_persons() {
        for (text, number) in [
            ("12.5 req/s", "12.5"),
            ("12.5/s", "12.5"),
            ("12,5 richieste/s", "12,5"),
            ("3 req/min", "3"),
            ("12.5 rps", "12.5"),
            ("4 Anfragen/s", "4"),
            ("0,4 requêtes/s", "0,4"),
            ("3 richieste al minuto", "3"),
            ("7 requests per second", "7"),
            ("7 per second", "7"),
        ] {
            assert_eq!(without_unit(text), Some(number), "{text}");
        }
        for text in ["12.5", "4312 Mario", "4312/Rossi", "Mario/s", "4312 interno", "335 12 34 567 req/s", "/s", ""] {
            assert_eq!(without_unit(text), None, "{text}");
        }
    }
}
