use super::*;

fn found(text: &str) -> usize {
    let mut count = 0;
    scan(text.as_bytes(), &Context::default(), &mut |hit| {
        assert!(hit.kind == Kind::SipCredentials && hit.bits >= Hit::ENOUGH && hit.start < hit.end && hit.end <= text.len());
        count += 1;
    });
    count
}

#[test]
fn two_parameters_are_credentials() {
    for text in [
        "Digest username=\"1001\", realm=\"asterisk\", nonce=\"4f2a\", uri=\"sip:pbx\", response=\"6629fae49393a05397450978507c4ef1\"",
        "Authorization: Digest username=\"mario\",realm=\"acme\"",
        "username=\"1001\", response=\"6629\"",
        "USERNAME=\"1001\", NONCE=\"6629\"",
        "username = \"1001\" , nonce = \"6629\"",
        "username=1001,response=abcdef",
        "username=1001;realm=acme",
        "username=1001&response=abcdef",
        "username='1001' realm='acme'",
        "{\\\"h\\\":\\\"username=\\\\\"1001\\\\\", nonce=\\\\\"a\\\\\"\\\"}",
        "Digest realm=\"acme\", nonce=\"1\"",
        "nonce=\"1\", cnonce=\"2\"",
        "cnonce=\"2\", response=\"3\"",
        "response=\"3\", opaque=\"x\", username=\"m\"",
        "Proxy-Authorization: Digest username=\"m\", algorithm=MD5, response=\"3\"",
        "\tusername=\"m\",\r\n response=\"3\"",
    ] {
        assert!(found(text) >= 1, "{text}");
    }
}

#[test]
fn one_parameter_or_another_word_is_none() {
    let far = format!("username=\"m\"{}nonce=\"1\"", " ".repeat(WINDOW));
    for text in [
        "",
        "=",
        "====",
        "Digest",
        "Digest ",
        "username=\"m\"",
        "username=\"m\", username=\"n\"",
        "nonce=\"1\"",
        "response=\"200 OK\"",
        "realm=\"acme\"",
        "user=\"m\", pass=\"x\"",
        "username=\"\", response=\"3\"",
        "realm=\"\", nonce=\"\"",
        "myusername=1, response=2",
        "response_type=code&nonce=1",
        "x-username=1, nonce=2",
        "announce=1, username=2",
        "username: m, realm: acme",
        "usernames=3, realm=x",
        "realms=1, nonces=2",
        "responses=3 username=m",
        "username==, realm",
        "the response and the nonce",
        "uri=\"sip:a\", qop=auth",
        "opaque=\"1\", algorithm=MD5",
        "Server realm = ",
        "username=,nonce=",
        far.as_str(),
    ] {
        assert_eq!(found(text), 0, "{text}");
    }
}

#[test]
fn hostile_text_costs_linear_time() {
    for text in ["=".repeat(1 << 20), "nonce=".repeat(1 << 17), "nonce=1,".repeat(1 << 17), "nonce=\"".repeat(1 << 17)] {
        let _ = found(&text);
    }
}
