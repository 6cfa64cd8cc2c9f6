//! Security identifiers that Windows itself has.

/// Longest of them.
const LONGEST: usize = 96;

/// A security identifier of the system, of a group of it or of a service (Microsoft, "Security identifiers"): `S-1-5-18`. Those of domains
/// and of Entra ID are persons'.
#[must_use]
pub fn is_system_sid(text: &str) -> bool {
    let Some(rest) = text.get(..4).filter(|head| head.eq_ignore_ascii_case("S-1-")).and_then(|_| text.get(4..)) else { return false };
    let numbers: Option<Vec<u32>> = rest.split('-').map(number).collect();
    text.len() <= LONGEST && numbers.is_some_and(|numbers| is_of_the_system(&numbers))
}

fn number(digits: &str) -> Option<u32> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

/// The authority and what is below it. Services, pools of IIS and machines have the digest of their name.
fn is_of_the_system(numbers: &[u32]) -> bool {
    let is_short = |numbers: &[u32]| numbers.iter().all(|number| *number < 1_000);
    match numbers {
        [0..=3, rest] => *rest < 1_000,
        [5, first] => *first < 1_000,
        [16, level] => *level <= 0x7000,
        [5, 32 | 64 | 90 | 96, rest @ ..] => rest.len() <= 2 && is_short(rest),
        [5, 80, rest @ ..] => matches!(rest.len(), 1 | 5),
        [5, 82, rest @ ..] => rest.len() == 5,
        [5, 83, rest @ ..] => matches!(rest.len(), 1 | 5),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_of_the_system_are_told_from_those_of_accounts() {
        for text in [
            "S-1-5-18",
            "s-1-5-20",
            "S-1-5-32-544",
            "S-1-1-0",
            "S-1-16-12288",
            "S-1-5-80-3880718306-3832830129-1677859214-2598158968-1052248003",
        ] {
            assert!(is_system_sid(text), "{text}");
        }
        for text in [
            "S-1-5-21-1-2-3-500",
            "S-1-5-21-1004336348-1177238915-682003330-1104",
            "S-1-12-1-1-2-3-4",
            "S-1-5-3351234567",
            "S-1-5-32-3351234567",
            "S-1-5-18-mrossi",
            "S-1-",
            "S-1-5-",
        ] {
            assert!(!is_system_sid(text), "{text}");
        }
    }
}
