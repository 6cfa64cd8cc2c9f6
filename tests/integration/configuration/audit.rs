//! What `[audit]` takes, and what it refuses.

use super::{Wrong, assert_wrong, error_of_configuration, read};
use std::path::Path;
use std::time::Duration;
use ucx_egress::audit::queue::OnFailure;

const WRONG: &[Wrong] = &[
    ("[audit]\non_failure = \"continue\"", "c.toml:1:1", &["missing field `path`"]),
    ("[audit]\npath = \"\"", "c.toml:2:8", &["audit.path is empty", "\"audit/\""]),
    ("[audit]\npath = \"a\"\nkey = \"\"", "c.toml:3:7", &["audit.key is empty"]),
    ("[audit]\npath = \"a\"\non_failure = \"ignore\"", "c.toml:3:14", &["`ignore`", "`fail_closed`", "`continue`"]),
    ("[audit]\npath = \"a\"\nflush = \"0s\"", "c.toml:3:9", &["audit.flush", "\"10ms\"", "\"1m\"", "\"1s\""]),
    ("[audit]\npath = \"a\"\nflush = \"2m\"", "c.toml:3:9", &["audit.flush", "at most \"1m\""]),
    ("[audit]\npath = \"a\"\ncheckpoint = \"1d\"", "c.toml:3:14", &["audit.checkpoint", "at most \"1h\""]),
    ("[audit]\npath = \"a\"\nrotate_size = \"1KiB\"", "c.toml:3:15", &["audit.rotate_size", "4KiB", "\"64MiB\""]),
    ("[audit]\npath = \"a\"\nrotate_age = \"0d\"", "c.toml:3:14", &["audit.rotate_age", "\"1s\"", "\"1d\""]),
    ("[audit]\npath = \"a\"\nkeep = \"10 years\"", "c.toml:3:8", &["no length of time", "\"2d\""]),
    ("[audit]\npath = \"a\"\nkeep_size = \"64MiB\"", "c.toml:3:13", &["audit.keep_size", "two files"]),
    ("[audit]\npath = \"a\"\nretention = \"1d\"", "c.toml:3:1", &["retention", "keep"]),
];

#[test]
fn audit_sections_that_cannot_be_meant_are_refused() {
    assert_wrong(WRONG, error_of_configuration);
}

#[test]
fn without_the_section_there_are_no_files_and_with_it_all_has_a_default() {
    assert!(read("").expect("a configuration").audit.is_none());
    let audit = read("[audit]\npath = \"audit/\"").expect("a configuration").audit.expect("a section");
    assert_eq!((audit.folder.as_path(), audit.key.as_path()), (Path::new("audit/"), Path::new("audit/audit.key")));
    assert_eq!((audit.on_failure, audit.rotate_size, audit.compress), (OnFailure::FailClosed, 64 << 20, true));
    assert_eq!((audit.flush, audit.checkpoint), (Duration::from_secs(1), Duration::from_secs(10)));
    assert_eq!((audit.rotate_age, audit.keep.age), (Duration::from_hours(24), Duration::from_hours(24 * 365)));
    assert_eq!(audit.keep.size, None);
}
