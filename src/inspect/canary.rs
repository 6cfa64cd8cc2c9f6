//! A new inspector is asked two questions whose answers are known before it is put in force: a documented message must pass, and personal
//! data must not. A shape that was opened to everything, or emptied, by mistake is found so.

use super::{Inspector, Verdict};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};

/// Documented: processes with their name and number of threads (Terms of Use, section 10).
const CLEAN: &str = r#"{"processes":[{"name":"sqlservr.exe","threadCount":3}]}"#;
/// Nobody's address (RFC 2606 section 3).
const PERSONAL: &str = r#"{"contact":"ada.canary@example.com"}"#;

/// Asks.
///
/// # Errors
/// A sentence that names the question whose answer is wrong.
pub fn check(inspector: &Inspector) -> Result<(), String> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if inspector.body(&headers, CLEAN.as_bytes()) != Verdict::Clean {
        return Err("it would refuse a documented message of telemetry; look through inspection.shapes".to_owned());
    }
    match inspector.body(&headers, PERSONAL.as_bytes()) {
        Verdict::Findings(_) => Ok(()),
        _ => Err("it would let an e-mail address pass; look through inspection.shapes".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::source::Source;

    #[test]
    fn the_built_in_shape_sings_in_every_mode() {
        for unknown in ["inert", "strict", "observe"] {
            let text = format!("[inspection]\nunknown_fields = \"{unknown}\"");
            let config = Config::read(&Source::embedded("test", &text)).expect("it is valid");
            assert_eq!(check(&config.inspection.inspector), Ok(()), "{unknown}");
        }
    }
}
