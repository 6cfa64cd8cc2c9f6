//! The policy: every text is a policy or an error that names its place, and a policy allows only what one of its patterns covers.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ucx_egress::policy::Policy;
use ucx_egress::policy::compile::Unfit;
use ucx_egress::policy::rules::Options;
use ucx_egress::source::Source;

fuzz_target!(|text: &str| {
    match Policy::compile(&Source::embedded("policy.toml", text), Options::default()) {
        Err(Unfit::File(error)) => assert!(error.place.starts_with("policy.toml:") && !error.message.is_empty(), "{error}"),
        Err(other) => panic!("options that nobody gave: {other:?}"),
        Ok(_) => {}
    }
});
