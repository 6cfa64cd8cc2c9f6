//! This machine's clock beside the cloud's: certificates are valid by it.

use super::line::{Area, Line};

const SUBJECT: &str = "this machine";
/// Seconds apart from which somebody should know.
const WARN: u64 = 60;
/// And from which it does harm: Kerberos' and many tokens' limit, and certificates seem not valid yet.
const FAIL: u64 = 5 * 60;

/// The line for a skew in seconds, if there is one; positive: we are behind.
pub(super) fn line(skew: Option<i64>) -> Line {
    let Some(skew) = skew else {
        return Line::skip(Area::Clock, SUBJECT, "not compared: no answer of the cloud had a date")
            .remedy("compare `date -u` with another clock");
    };
    let (apart, way) = (skew.unsigned_abs(), if skew > 0 { "behind" } else { "ahead of" });
    let seen = format!("{apart} s {way} the cloud's answer");
    let remedy = "set it, and let NTP keep it: `timedatectl set-ntp true`";
    if apart <= WARN {
        return Line::ok(Area::Clock, SUBJECT, format!("within {} s of the cloud's answer", apart.max(1)));
    }
    let line = if apart <= FAIL { Line::warn } else { Line::fail };
    line(Area::Clock, SUBJECT.to_owned(), seen).remedy(remedy)
}
