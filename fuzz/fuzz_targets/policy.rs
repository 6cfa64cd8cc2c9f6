//! The policy: every text is a policy or an error that names its place, and a policy allows only what one of its patterns covers.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;
use ucx_egress::policy::compile::Unfit;
use ucx_egress::policy::{Mode, Options, Policy, Profile};
use ucx_egress::source::Source;

/// What a site that sets nothing has.
fn options() -> Options {
    Options {
        profile: Profile::Documented,
        mode: Mode::Enforce,
        groups: Vec::new(),
        exact_hosts: Vec::new(),
        clients: Vec::new(),
        service_clients: BTreeMap::new(),
    }
}

fuzz_target!(|text: &str| {
    match Policy::compile(&Source::embedded("policy.toml", text), options()) {
        Err(Unfit::File(error)) => assert!(error.place.starts_with("policy.toml:") && !error.message.is_empty(), "{error}"),
        Err(other) => panic!("options that nobody gave: {other:?}"),
        Ok(_) => {}
    }
});
