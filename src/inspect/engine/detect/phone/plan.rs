//! Whether digits are a number of a numbering plan.

use super::metadata::PLANS;

/// Whether digits are an international number (ITU-T E.164): a calling code and a national number that its plan has.
pub(super) fn is_international(digits: &[u8]) -> bool {
    // Codes have one to three digits and none begins another.
    (1..=3).filter_map(|length| digits.split_at_checked(length)).any(|(code, national)| {
        let code = code.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
        // People also write the trunk zero that is dialled inside a country: `+49 0171 1234567`. Italy's belongs to the number.
        let bare = national.strip_prefix(b"0").filter(|_| code != 39);
        code != 0 && (is_national(code, national) || bare.is_some_and(|bare| is_national(code, bare)))
    })
}

/// Whether digits are a national number of the plan of a calling code, as it follows the code.
pub(super) fn is_national(code: u16, digits: &[u8]) -> bool {
    let Ok(at) = PLANS.binary_search_by_key(&code, |(code, _)| *code) else { return false };
    let plan = PLANS.get(at).map_or(&[][..], |(_, plan)| plan);
    let Some((first, rest)) = digits.split_first() else { return false };
    plan.iter().filter_map(|rules| rules.split_once(' ')).filter(|(firsts, _)| firsts.as_bytes().contains(first)).any(|(_, rules)| {
        rules.as_bytes().split(|byte| *byte == b' ').any(|rule| {
            let colon = rule.iter().position(|byte| *byte == b':').unwrap_or(rule.len());
            let (lengths, heads) = rule.split_at(colon);
            has_length(lengths, digits.len()) && begins(heads.get(1..).unwrap_or_default(), rest)
        })
    })
}

/// Whether `4,7-9` has a length.
fn has_length(lengths: &[u8], length: usize) -> bool {
    lengths.split(|byte| *byte == b',').any(|part| {
        let mut bounds = part.split(|byte| *byte == b'-').map(number);
        let low = bounds.next().unwrap_or_default();
        (low..=bounds.next().unwrap_or(low)).contains(&length)
    })
}

fn number(digits: &[u8]) -> usize {
    digits.iter().fold(0, |number, digit| number * 10 + usize::from(digit - b'0'))
}

/// Whether digits begin as one of `3[1-5],80,9.1` says.
pub(super) fn begins(heads: &[u8], digits: &[u8]) -> bool {
    heads.split(|byte| *byte == b',').any(|head| begins_with(head, digits))
}

fn begins_with(mut head: &[u8], digits: &[u8]) -> bool {
    for digit in digits {
        let (class, rest) = match head {
            [] => return true,
            [b'[', inside @ ..] => {
                let close = inside.iter().position(|byte| *byte == b']').unwrap_or(inside.len());
                inside.split_at(close)
            }
            [_, rest @ ..] => (head.get(..1).unwrap_or_default(), rest),
        };
        if !is_in(class, *digit) {
            return false;
        }
        head = rest.strip_prefix(b"]").unwrap_or(rest);
    }
    head.is_empty()
}

/// Whether a digit is in `1-59`, or in `.`.
fn is_in(mut class: &[u8], digit: u8) -> bool {
    loop {
        class = match class {
            [] => return false,
            [low, b'-', high, ..] if (*low..=*high).contains(&digit) => return true,
            [_, b'-', _, rest @ ..] => rest,
            [b'.', ..] => return true,
            [one, ..] if *one == digit => return true,
            [_, rest @ ..] => rest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_read_as_written() {
        for (heads, digits, expected) in [
            ("3[1-5],80", "351", true),
            ("3[1-5],80", "361", false),
            ("3[1-5],80", "809", true),
            ("3[1-5],80", "3", false),
            ("9.1", "991", true),
            ("9.1", "992", false),
            ("[13-57]", "4", true),
            ("[13-57]", "2", false),
            ("[13-57]", "7", true),
        ] {
            assert_eq!(begins(heads.as_bytes(), digits.as_bytes()), expected, "{heads} {digits}");
        }
        assert!(has_length(b"4,7-9", 4) && has_length(b"4,7-9", 8) && !has_length(b"4,7-9", 5));
    }

    #[test]
    fn plans_are_sorted_and_well_formed() {
        assert!(PLANS.len() > 200 && PLANS.is_sorted_by_key(|(code, _)| *code));
        for (code, plan) in PLANS {
            for rule in plan.iter().flat_map(|rules| rules.split(' ').skip(1)) {
                let (lengths, heads) = rule.split_once(':').unwrap();
                assert!((1..=17).any(|length| has_length(lengths.as_bytes(), length)), "{code}");
                assert!(!heads.is_empty() && heads.bytes().all(|byte| byte.is_ascii_digit() || b"[]-,.".contains(&byte)), "{code}");
            }
        }
    }

    #[test]
    fn numbers_of_the_plans() {
        for digits in [
            "390212345678",
            "393331234567",
            "442079460958",
            "12125550123",
            "971501234567",
            "33123456789",
            "4930123456",
            "41441234567",
            "4901711234567",
        ] {
            assert!(is_international(digits.as_bytes()), "{digits}");
        }
        for digits in ["", "39", "1234567890", "4420794609", "331234567890", "99912345678", "0212345678", "9715012345678"] {
            assert!(!is_international(digits.as_bytes()), "{digits}");
        }
    }
}
