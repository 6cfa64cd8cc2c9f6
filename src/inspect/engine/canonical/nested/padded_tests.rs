//! Texts that were filled up to the length of a digest, and codes whose hexadecimal digits are all decimal.

use super::*;

fn texts(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut visit = |derived: Derived<'_>, _: &mut Budget| {
        if let Derived::Text { text, .. } = derived {
            found.push(text.to_owned());
        }
        Ok(())
    };
    derived(text.as_bytes(), 0, &mut Budget::new(text.len()), &mut visit).unwrap();
    found
}

#[test]
fn a_text_in_padding_is_found() {
    for text in ["m@acme.it", "+39347123456", "sip:u@acme.it", "SEP001B21AABBCC", "zoë@acme.it"] {
        for (before, after) in [(0, 5), (0, 19), (3, 2), (12, 0)] {
            for padding in [0_u8, 1, 10, 127] {
                let bytes = [vec![padding; before], text.as_bytes().to_vec(), vec![padding; after]].concat();
                let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                for form in [pairs.concat(), pairs.join(":"), pairs.join(" ")] {
                    let found = texts(&form);
                    assert!(found.iter().any(|found| found.contains(text)), "{form}: {found:?}");
                }
            }
        }
    }
    // Too short, or with more than padding around it.
    for text in ["01414243444546010101010101010101", "01fe6d4061636d652e6974fefe010101"] {
        assert_eq!(texts(text), [""; 0], "{text}");
    }
}

#[test]
fn decimal_digits_may_be_a_code_of_letters() {
    assert_eq!(texts("44445243544734334531324635343251"), ["DDRCTG43E12F542Q"]);
    for text in ["44445243544734334531324635343221", "4444524354473433453132", "92233720368530130879223372036853"] {
        assert_eq!(texts(text), [""; 0], "{text}");
    }
}
