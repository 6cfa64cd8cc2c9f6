//! What is asked of the proxy in each scenario, and what is seen of the answer.

use super::super::demo::client::{self, Answer};
use super::cloud::{ANSWER, HOST};
use super::stage::Stage;
use crate::error::Reason;

/// A message that says nothing of anybody, and what is found of it again.
const MESSAGE: &str = r#"{"processes":[{"pid":90807,"name":"svchost.exe","workingSet":12345678}]}"#;
/// See [`MESSAGE`].
pub const TRACE: &str = "90807";

/// What was seen of an answer.
#[derive(Debug)]
pub struct Seen {
    /// Its status, 0 without one.
    pub status: u16,
    /// The reason in its body; none in one that is the cloud's.
    pub reason: Option<String>,
    /// Whether `Proxy-Status` says the same.
    pub is_in_header: bool,
    /// The decision behind it.
    pub decision: String,
    /// How the connection broke, if it did.
    pub broke: Option<String>,
    is_whole: bool,
}

impl Seen {
    fn of(answer: &Answer, broke: Option<String>) -> Self {
        let reason = answer.member("reason");
        let wanted = reason.as_ref().map(|reason| format!("details=\"{reason}\""));
        let status_field = answer.0.lines().find(|line| line.to_ascii_lowercase().starts_with("proxy-status:"));
        let is_in_header = wanted.zip(status_field).is_some_and(|(wanted, field)| field.contains(&wanted));
        let is_whole = broke.is_none() && answer.0.ends_with(ANSWER);
        Self { status: answer.status(), reason, is_in_header, decision: answer.decision(), broke, is_whole }
    }

    /// In a word.
    pub fn word(&self) -> String {
        match (&self.reason, &self.broke) {
            (Some(reason), _) => reason.clone(),
            (None, Some(_)) => "broken off".to_owned(),
            (None, None) if self.is_whole => "allow".to_owned(),
            (None, None) => format!("status {}", self.status),
        }
    }

    /// Whether it is the cloud's answer, all of it.
    ///
    /// # Errors
    /// What it was instead.
    pub fn passed(&self) -> Result<(), String> {
        if self.is_whole { Ok(()) } else { Err(format!("{} instead of the answer", self.word())) }
    }
}

/// Sends the message through a tunnel that is decrypted and inspected.
///
/// # Errors
/// When the proxy cannot be talked to at all.
pub async fn message(stage: &Stage) -> Result<Seen, String> {
    let at = stage.addresses.proxy;
    let (stream, _) = match client::tunnel(at, &stage.authority()).await? {
        Ok(opened) => opened,
        Err(refusal) => return Ok(Seen::of(&refusal, None)),
    };
    let (heard, broke) = client::hear(stream, stage.trust.clone(), HOST, &post(&stage.authority())).await?;
    Ok(Seen::of(&Answer(String::from_utf8_lossy(&heard).into_owned()), broke))
}

/// Asks for what no rule allows.
///
/// # Errors
/// When it gets through, or the proxy cannot be talked to.
pub async fn denied(stage: &Stage) -> Result<Seen, String> {
    match client::tunnel(stage.addresses.proxy, "elsewhere.drill.test:443").await? {
        Ok(_) => Err("what no rule allows gets through".to_owned()),
        Err(refusal) => Ok(Seen::of(&refusal, None)),
    }
}

/// Whether it was refused as it always is.
pub fn is_denied(seen: &Seen) -> bool {
    seen.reason.as_deref() == Some(Reason::HostNotAllowed.label())
}

fn post(authority: &str) -> Vec<u8> {
    let length = MESSAGE.len();
    format!(
        "POST /telemetry HTTP/1.1\r\nhost: {authority}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{MESSAGE}"
    )
    .into_bytes()
}
