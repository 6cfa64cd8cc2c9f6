//! The scenarios: what is broken, how, and what must be seen of it.

use super::check::Row;
use super::cloud::Conduct;
use super::how::{How, Key};
use super::look;
use super::names::Says;
use super::stage::Stage;
use crate::error::Reason;
use std::net::Ipv4Addr;

/// What stands for a reason where a configuration is not taken.
const NOT_TAKEN: &str = "reload refused";
/// An address that no stand-in listens on.
const NOBODY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// An address inside a company's network.
const PRIVATE: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);

/// One thing that is broken.
pub struct Scenario {
    /// Its name, for `--only`.
    pub name: &'static str,
    broken: &'static str,
    expected: Expected,
    how: How,
}

/// What must be seen.
#[derive(Debug, Clone, Copy)]
enum Expected {
    /// A refusal; nothing of the message has left.
    Refused(Reason),
    /// The same, of which there can be no record: that is counted, and said in the audit later.
    Unrecorded(Reason),
    /// A refusal of a message that was judged, sent, and not answered.
    Unanswered(Reason),
    /// An answer that is cut, so that nobody takes it for whole.
    Cut(Reason),
    /// A configuration that is not taken, with this in what is said of it. The one in force stays.
    NotTaken(&'static str),
}

const fn scenario(name: &'static str, broken: &'static str, expected: Expected, how: How) -> Scenario {
    Scenario { name, broken, expected, how }
}

/// All of them, in the order in which they run.
pub const SCENARIOS: &[Scenario] = {
    use Expected::{Cut, NotTaken, Refused, Unanswered, Unrecorded};
    &[
        scenario("dns-failure", "the name server answers SERVFAIL", Refused(Reason::ResolveFailed), How::Names(Says::Failure)),
        scenario("dns-silence", "the name server does not answer", Refused(Reason::ResolveFailed), How::Names(Says::Nothing)),
        scenario("dns-private", "the name resolves to 10.0.0.1", Refused(Reason::AddressNotAllowed), How::Names(Says::Address(PRIVATE))),
        scenario("upstream-refuses", "nobody listens there", Refused(Reason::ConnectFailed), How::Names(Says::Address(NOBODY))),
        scenario(
            "upstream-silence",
            "the cloud accepts and says nothing",
            Refused(Reason::ConnectTimeout),
            How::Cloud(Conduct::SaysNothing),
        ),
        scenario(
            "upstream-no-answer",
            "the cloud takes a request and does not answer",
            Unanswered(Reason::IdleTimeout),
            How::Cloud(Conduct::KeepsTheRequest),
        ),
        scenario("upstream-reset", "the cloud takes a request and resets", Unanswered(Reason::UpstreamFailed), How::Cloud(Conduct::Resets)),
        scenario(
            "upstream-reset-amid",
            "the cloud resets in the middle of its answer",
            Cut(Reason::UpstreamFailed),
            How::Cloud(Conduct::ResetsAmid),
        ),
        scenario(
            "tls-untrusted",
            "the cloud's certificate is of an unknown root",
            Refused(Reason::UpstreamTlsInvalid),
            How::Cloud(Conduct::Untrusted),
        ),
        scenario(
            "tls-another-name",
            "the cloud's certificate is for another name",
            Refused(Reason::UpstreamTlsInvalid),
            How::Cloud(Conduct::AnotherName),
        ),
        scenario("tls-expired", "the cloud's certificate has expired", Refused(Reason::UpstreamTlsInvalid), How::Cloud(Conduct::Expired)),
        scenario(
            "ca-key-missing",
            "reload: the interception CA's key is gone",
            NotTaken("`ucx-egress ca init` makes a CA"),
            How::Key(Key::Missing),
        ),
        scenario(
            "ca-key-unreadable",
            "reload: the interception CA's key is no key",
            NotTaken("is no private key in PEM form"),
            How::Key(Key::Unreadable),
        ),
        scenario("ca-key-another", "reload: the key is another CA's", NotTaken("is not the key of"), How::Key(Key::Another)),
        scenario(
            "ca-key-exposed",
            "reload: others may read the key",
            NotTaken("can be read by others (mode 644); run `chmod 600"),
            How::Key(Key::Exposed),
        ),
        scenario("policy-broken", "reload: the policy file breaks off", NotTaken("policy.toml:"), How::Policy),
        scenario("passwords-missing", "reload: the password file is not there", NotTaken("clients.htpasswd"), How::Passwords),
        scenario("audit-folder-gone", "the audit's folder is taken away", Unrecorded(Reason::Overloaded), How::Folder),
        scenario("audit-disk-full", "the audit's disk is full", Unrecorded(Reason::Overloaded), How::Disk),
        scenario("inspector-panic", "the inspector panics over a message", Refused(Reason::Uninspectable), How::Inspector),
    ]
};

impl Scenario {
    /// It passes, is broken, fails closed, is mended, passes.
    pub async fn run(&self, stage: &Stage) -> Row {
        let mut row = Row::new(self.name, self.broken, self.expected.word());
        row.open("before", &look::passes(stage).await);
        if let Err(error) = self.fail(stage, &mut row).await {
            row.closed(false, error);
        }
        row.open("afterwards", &look::passes(stage).await);
        row
    }

    /// Breaks it, looks, and mends it whatever was seen.
    async fn fail(&self, stage: &Stage, row: &mut Row) -> Result<(), String> {
        let gaps = stage.audited("gap", look::tells_of_refused);
        let looked = match self.how.broken(stage).await {
            Ok(()) => self.expected.looked_for(stage, row).await,
            Err(error) => Err(error),
        };
        row.open("mending", &self.how.mended(stage).await);
        looked?;
        if self.how.stops_the_audit() {
            stage.until_audited("gap", gaps + 1, look::tells_of_refused).await?;
        }
        Ok(())
    }
}

impl Expected {
    fn word(self) -> &'static str {
        match self {
            Self::Refused(reason) | Self::Unrecorded(reason) | Self::Unanswered(reason) | Self::Cut(reason) => reason.label(),
            Self::NotTaken(_) => NOT_TAKEN,
        }
    }

    async fn looked_for(self, stage: &Stage, row: &mut Row) -> Result<(), String> {
        match self {
            Self::Refused(reason) => look::refused(stage, row, reason, 0, true).await,
            Self::Unrecorded(reason) => look::refused(stage, row, reason, 0, false).await,
            Self::Unanswered(reason) => look::refused(stage, row, reason, 1, true).await,
            Self::Cut(reason) => look::cut(stage, row, reason).await,
            Self::NotTaken(said) => look::not_taken(stage, row, said).await,
        }
    }
}
