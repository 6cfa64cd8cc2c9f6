//! The requests of a connection, followed to their ends: the same heads and bodies however the bytes arrive, and no head that the
//! strict reader refuses.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ucx_egress::listener::framing::{Framing, Next};
use ucx_egress::listener::head::{self, Form};
use ucx_egress_fuzz::{choice, cuts};

/// What passes: heads one by one, bodies in one piece; and how it ends.
#[derive(Debug, PartialEq, Eq, Default)]
struct Passed {
    heads: Vec<Vec<u8>>,
    bodies: Vec<Vec<u8>>,
    problem: Option<&'static str>,
    waits: bool,
}

fn follow(form: Form, pieces: &[&[u8]]) -> Passed {
    let (mut framing, mut held, mut passed) = (Framing::new(form), Vec::new(), Passed::default());
    for piece in pieces {
        held.extend_from_slice(piece);
        while !held.is_empty() {
            let in_head = framing.is_in_head();
            match framing.next(&held) {
                Ok(Next::Pass(length)) => {
                    assert!(length > 0 && length <= held.len());
                    let part: Vec<u8> = held.drain(..length).collect();
                    if in_head {
                        passed.bodies.push(Vec::new());
                        passed.heads.push(part);
                    } else {
                        passed.bodies.last_mut().expect("a body has a head").extend(part);
                    }
                }
                Ok(Next::NeedMore) => break,
                Err(malformed) => return Passed { problem: Some(malformed.0), ..passed },
            }
        }
    }
    passed.waits = !held.is_empty();
    passed
}

fuzz_target!(|input: &[u8]| {
    let Some((form, bytes)) = choice(input, 2) else { return };
    let form = [Form::Absolute, Form::Origin][form];
    let whole = follow(form, &[bytes]);
    for head in &whole.heads {
        assert!(head::read(head, form).is_ok(), "a head that is refused when it comes alone");
        assert_eq!(head::end(head, 0), Some(head.len()), "a head with another one in it");
        // No line of it ends in anything but CR LF.
        assert!(head.iter().enumerate().all(|(at, byte)| *byte != b'\n' || at > 0 && head[at - 1] == b'\r'));
    }
    for pieces in cuts(bytes) {
        let cut = follow(form, &pieces);
        assert_eq!(cut.heads, whole.heads);
        assert_eq!(cut.problem.is_some(), whole.problem.is_some(), "{:?} {:?}", cut.problem, whole.problem);
        // What of a broken body goes on before the break depends on where it is cut; a complete one does not.
        let complete = whole.bodies.len().saturating_sub(1);
        assert_eq!(cut.bodies.get(..complete), whole.bodies.get(..complete));
    }
});
