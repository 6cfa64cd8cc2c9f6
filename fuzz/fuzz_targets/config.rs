//! The configuration: every text is a configuration or an error that names its place.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ucx_egress::config::Config;
use ucx_egress::source::Source;

fuzz_target!(|text: &str| {
    // Files that it names are not this target's: a path would be read from this machine.
    if ["file", "certificate", "key", "directory", "users", "token"].iter().any(|word| text.contains(word)) {
        return;
    }
    if let Err(error) = Config::read(&Source::embedded("config.toml", text)) {
        assert!(error.place.starts_with("config.toml:") && !error.message.is_empty(), "{error}");
    }
});
