//! What a site declares, and how strict it wants to be.

use super::{HTTP1, Told, World, assert_refused, configured, post, post_json};

const ADAPTER: &str = r#"{"networkAdapters":[{"ipAddresses":["10.20.0.11","fd00::11"]}]}"#;
const SERVICE: &str = r#"{"windowsServices":[{"startupIdentity":"ACME\\Rossi"},{"startupIdentity":"NT AUTHORITY\\SYSTEM"}]}"#;
/// Harmless by its form, under a key that nobody documents.
const INERT: &str = r#"{"version":"2026.1","cadence":"1.2.3"}"#;
const WORDS: &str = r#"{"version":"2026.1","remark":"as agreed last week"}"#;
const MAIL: &str = r#"{"version":"2026.1","remark":"written by mario.rossi@example.com"}"#;

#[tokio::test]
async fn addresses_pass_where_they_are_declared() {
    let place = "ip_address in /networkAdapters/0/ipAddresses/0; ip_address in /networkAdapters/0/ipAddresses/1";
    for elsewhere in ["", "declared_addresses = [\"10.20.1.0/24\", \"10.20.0.1\", \"fd01::/16\"]"] {
        let world = configured(HTTP1, elsewhere).await;
        assert_refused(&post_json(&world, ADAPTER).await, "personal_data", place, elsewhere);
        assert!(world.what_arrived().await.concat().is_empty(), "{elsewhere}");
    }
    for declared in ["\"10.20.0.0/24\", \"fd00::/64\"", "\"10.20.0.11\", \"fd00::11\""] {
        let world = configured(HTTP1, &format!("declared_addresses = [{declared}]")).await;
        assert_eq!(post_json(&world, ADAPTER).await, Told::Passed, "{declared}");
    }
}

#[tokio::test]
async fn a_service_may_run_under_the_accounts_of_the_site() {
    let world = World::echoing(HTTP1).await;
    assert_refused(&post_json(&world, SERVICE).await, "personal_data", "identity in /windowsServices/0/startupIdentity", "by default");
    let world = configured(HTTP1, "service_accounts = [\"acme\\\\rossi\"]").await;
    assert_eq!(post_json(&world, SERVICE).await, Told::Passed);
    let another = SERVICE.replace("Rossi", "Rossini");
    assert_refused(&post_json(&world, &another).await, "personal_data", "identity", "an account that only begins like it");
}

#[tokio::test]
async fn strict_refuses_what_its_form_alone_would_clear() {
    let world = World::echoing(HTTP1).await;
    assert_eq!(post_json(&world, INERT).await, Told::Passed, "by default");
    let world = configured(HTTP1, "unknown_fields = \"strict\"").await;
    assert_refused(&post_json(&world, INERT).await, "undocumented_field", ": /(1)", "strict");
    assert_refused(&post(&world, "Content-Type: text/plain\r\n", b"1.2.3").await, "undocumented_field", ": /", "a text");
    assert_refused(&post_json(&world, MAIL).await, "personal_data", "email in /(1)", "evidence counts more");
    assert_eq!(post_json(&world, r#"{"version":"2026.1"}"#).await, Told::Passed, "documented");
}

#[tokio::test]
async fn observe_lets_pass_what_nobody_documents_and_still_finds_personal_data() {
    let world = World::echoing(HTTP1).await;
    assert_refused(&post_json(&world, WORDS).await, "undocumented_field", ": /(1)", "by default");
    let world = configured(HTTP1, "unknown_fields = \"observe\"").await;
    assert_eq!(post_json(&world, WORDS).await, Told::Passed);
    assert_refused(&post_json(&world, MAIL).await, "personal_data", "email in /(1)", "an address");
    assert_refused(&post_json(&world, r#"{"extension":4312}"#).await, "personal_data", "phone in /", "by its key");
    let broken = post_json(&world, "{\"version\":").await;
    assert_refused(&broken, "uninspectable", "", "what cannot be read is not cleared");
}
