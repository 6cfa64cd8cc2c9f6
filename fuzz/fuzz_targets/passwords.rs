//! Password files and what clients offer: an error names its line and nothing of it; what is taken is found under its name.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ucx_egress::access::basic::Basic;
use ucx_egress::access::htpasswd::Accounts;
use ucx_egress::source::Source;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(offered) = Basic::read(bytes) {
        assert!(!offered.user().contains(&b':'));
    }
    let Ok(text) = str::from_utf8(bytes) else { return };
    match Accounts::read(&Source::embedded("htpasswd", text)) {
        Ok(accounts) => assert!(accounts.count() > 0 && accounts.count() <= text.lines().count()),
        Err(error) => {
            let (place, shown) = (error.place.clone(), error.to_string());
            assert!(place.starts_with("htpasswd:"), "{place}");
            let name = text.split([':', '\n', '\r']).find(|name| name.len() > 8 && name.bytes().all(|byte| byte.is_ascii_alphanumeric()));
            assert!(name.is_none_or(|name| !shown.contains(name) || "htpasswd".contains(name)), "{shown}");
        }
    }
});
