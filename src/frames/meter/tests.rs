use super::*;
use crate::frames::heads::{GOAWAY, Heads};

const PRIORITY: u8 = 2;
const UNKNOWN: u8 = 0xbb;

fn head(kind: u8, flags: u8, stream: u32) -> Head {
    // WINDOW_UPDATE and the like have payloads; for the meter only that of DATA matters.
    sized(kind, flags, stream, 0)
}

fn sized(kind: u8, flags: u8, stream: u32, length: u8) -> Head {
    let [s0, s1, s2, s3] = stream.to_be_bytes();
    let mut found = None;
    let passed = Heads::new(false).pass(&[0, 0, length, kind, flags, s0, s1, s2, s3], |head| {
        found = Some(head);
        Ok::<_, ()>(())
    });
    assert_eq!(passed, Ok(()));
    found.unwrap()
}

/// How many of the same frame pass.
fn passing(meter: &mut Meter, frame: Head, now: Instant) -> usize {
    (0..1_000_000).take_while(|_| meter.received(frame, now).is_ok()).count()
}

#[test]
fn each_kind_has_its_bound() {
    let now = Instant::now();
    for (name, frame, most) in [
        ("PING", head(PING, 0, 0), 100),
        ("answers to PINGs that nobody sent", head(PING, 1, 0), 100),
        ("SETTINGS", head(SETTINGS, 0, 0), 50),
        ("empty DATA", head(DATA, 0, 1), 100),
        ("PRIORITY", head(PRIORITY, 0, 1), 100),
        ("GOAWAY", head(GOAWAY, 0, 0), 100),
        ("an unknown type", head(UNKNOWN, 0, 0), 100),
        ("WINDOW_UPDATE", head(WINDOW_UPDATE, 0, 0), 1_000),
        ("resets of streams that never were", head(RST_STREAM, 0, 1), 100),
    ] {
        assert_eq!(passing(&mut Meter::new(now), frame, now), most, "{name}");
    }
}

#[test]
fn what_is_counted_over_a_time_begins_anew_after_it() {
    let now = Instant::now();
    for frame in [head(PING, 0, 0), head(SETTINGS, 0, 0), head(DATA, 0, 1)] {
        let mut meter = Meter::new(now);
        let most = passing(&mut meter, frame, now);
        assert!(meter.received(frame, now + WINDOW / 2).is_err());
        assert_eq!(passing(&mut meter, frame, now + WINDOW), most);
    }
}

/// Begins so many streams and resets `each` of them after `age`; how many resets passed, or what there was too much of.
fn resetting(streams: u32, each: u32, age: Duration, answered: bool) -> Result<(), (Flood, u32)> {
    let start = Instant::now();
    let mut meter = Meter::new(start);
    let mut resets = 0;
    for number in 0..streams {
        let stream = 2 * number + 1;
        meter.received(head(HEADERS, 5, stream), start).unwrap();
        if answered {
            meter.sent(head(HEADERS, 4, stream));
        }
        if number % each == each - 1 {
            resets += 1;
            meter.received(head(RST_STREAM, 0, stream), start + age).map_err(|flood| (flood, resets))?;
        }
    }
    Ok(())
}

#[test]
fn streams_reset_at_once_are_too_many_when_they_are_most_or_very_many() {
    let at_once = Duration::ZERO;
    for (name, streams, each, age, answered, expected) in [
        ("rapid reset", 100_000, 1, at_once, false, Err((Flood::Resets, 101))),
        ("a hundred cancelled calls", 100, 1, at_once, false, Ok(())),
        ("one of two, as hedged calls are", 1_000, 2, at_once, false, Ok(())),
        ("one of two, for long", 100_000, 2, at_once, false, Err((Flood::Resets, 501))),
        ("one of ten", 4_000, 10, at_once, false, Ok(())),
        ("each after its deadline", 1_000, 1, EARLY, false, Ok(())),
        ("each behind the head of its answer", 100_000, 1, at_once, true, Ok(())),
    ] {
        assert_eq!(resetting(streams, each, age, answered), expected, "{name}");
    }
}

#[test]
fn what_answers_our_own_frames_is_not_held_against_anybody() {
    let now = Instant::now();
    let mut meter = Meter::new(now);
    for _ in 0..10_000 {
        // Bandwidth is estimated with a PING for each piece of data; each piece makes room on its stream and on the connection.
        meter.sent(sized(DATA, 0, 1, 200));
        meter.received(head(PING, 0, 0), now).unwrap();
        for _ in 0..4 {
            meter.received(head(WINDOW_UPDATE, 0, 1), now).unwrap();
        }
        meter.sent(head(PING, 0, 0));
        meter.received(head(PING, 1, 0), now).unwrap();
    }
    for number in 0..10_000 {
        // A header section, a priority, room and trailers for each stream.
        let stream = 2 * number + 1;
        for frame in [head(HEADERS, 4, stream), head(PRIORITY, 0, stream), head(WINDOW_UPDATE, 0, stream), head(HEADERS, 5, stream)] {
            meter.received(frame, now).unwrap();
        }
    }
    // Small messages are messages.
    for _ in 0..100_000 {
        meter.received(sized(DATA, 0, 1, 1), now).unwrap();
    }
}

#[test]
fn a_server_may_answer_each_of_our_streams_and_no_more() {
    let now = Instant::now();
    let mut meter = Meter::new(now);
    for number in 0..10_000 {
        let stream = 2 * number + 1;
        meter.sent(head(HEADERS, 5, stream));
        // Early hints, the answer, trailers, a reset behind them.
        for frame in [head(HEADERS, 4, stream), head(HEADERS, 4, stream), head(HEADERS, 5, stream), head(RST_STREAM, 0, stream)] {
            meter.received(frame, now).unwrap();
        }
    }
    let mut meter = Meter::new(now);
    meter.sent(head(HEADERS, 5, 1));
    assert_eq!(passing(&mut meter, head(HEADERS, 4, 1), now), 108, "interim answers without end");
}

#[test]
fn the_streams_that_are_remembered_are_bounded() {
    let now = Instant::now();
    let mut meter = Meter::new(now);
    for number in 0..100_000 {
        meter.received(head(HEADERS, 5, 2 * number + 1), now).unwrap();
    }
    assert_eq!(meter.waiting.len(), MAX_WAITING);
}
