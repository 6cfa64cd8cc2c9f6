//! How things are broken and mended.

use super::ask::{denied, is_denied};
use super::cloud::Conduct;
use super::names::Says;
use super::stage::Stage;
use crate::audit::files;
use crate::fault::Layer;
use rcgen::KeyPair;
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt as _;
use tokio::signal::unix::{SignalKind, signal};

/// The room that a full disk still has, in bytes: less than a record.
const LITTLE: u64 = 100;
/// Records that wait for room; the first of them finds none.
const WAITING: usize = 3;
/// 1 while the audit can be written.
const HEALTHY: &str = "ucx_egress_audit_healthy";

/// How it is broken.
#[derive(Debug, Clone, Copy)]
pub enum How {
    /// The name server says this.
    Names(Says),
    /// The cloud does this.
    Cloud(Conduct),
    /// The inspector panics.
    Inspector,
    /// The interception CA's key is unfit.
    Key(Key),
    /// The policy file breaks off.
    Policy,
    /// The configuration names a password file that is not there.
    Passwords,
    /// The audit's folder is elsewhere.
    Folder,
    /// Files cannot grow.
    Disk,
}

/// What is wrong with the key of the interception CA.
#[derive(Debug, Clone, Copy)]
pub enum Key {
    /// It is not there.
    Missing,
    /// It is something else.
    Unreadable,
    /// It is another CA's.
    Another,
    /// Others may read it.
    Exposed,
}

impl How {
    /// Whether nothing is audited while it is broken.
    pub fn stops_the_audit(self) -> bool {
        matches!(self, Self::Folder | Self::Disk)
    }

    /// Breaks it.
    ///
    /// # Errors
    /// When it stays whole.
    pub async fn broken(self, stage: &Stage) -> Result<(), String> {
        match self {
            Self::Names(says) => stage.names.say(says),
            Self::Cloud(conduct) => stage.cloud.conduct(conduct),
            Self::Inspector => stage.faults.arm(Layer::Inspect),
            Self::Key(key) => key.broken(stage).map_err(text)?,
            Self::Policy => fs::write(stage.at("policy.toml"), "format = 1\n[[service").map_err(text)?,
            Self::Passwords => stage.configure(&format!("htpasswd = \"{}\"", stage.at("passwords").display()))?,
            Self::Folder => {
                fs::rename(stage.at("audit"), stage.at("away")).map_err(text)?;
                stage.until(HEALTHY, &[], 0).await?;
            }
            Self::Disk => fill(stage).await?,
        }
        Ok(())
    }

    /// Mends it.
    ///
    /// # Errors
    /// When it stays broken.
    pub async fn mended(self, stage: &Stage) -> Result<(), String> {
        match self {
            Self::Names(_) => stage.names.say(Says::Address(Ipv4Addr::LOCALHOST)),
            Self::Cloud(_) => stage.cloud.conduct(Conduct::Answers),
            // It was this message alone.
            Self::Inspector => {}
            Self::Key(_) => Key::mended(stage).map_err(text)?,
            Self::Policy => stage.mend_policy()?,
            Self::Passwords => stage.configure("")?,
            Self::Folder => fs::rename(stage.at("away"), stage.at("audit")).map_err(text)?,
            Self::Disk => limit_files(None)?,
        }
        match self {
            Self::Folder | Self::Disk => stage.until(HEALTHY, &[], 1).await,
            Self::Key(_) | Self::Policy | Self::Passwords => stage.reload().await?.map_or(Ok(()), Err),
            Self::Names(_) | Self::Cloud(_) | Self::Inspector => Ok(()),
        }
    }
}

impl Key {
    fn broken(self, stage: &Stage) -> io::Result<()> {
        let (key, kept) = (stage.at("ca.key"), stage.at("kept.key"));
        fs::copy(&key, kept)?;
        match self {
            Self::Missing => fs::remove_file(key),
            // Its mode stays.
            Self::Unreadable => fs::write(key, "no key\n"),
            Self::Another => fs::write(key, KeyPair::generate().map_err(io::Error::other)?.serialize_pem()),
            Self::Exposed => fs::set_permissions(key, fs::Permissions::from_mode(0o644)),
        }
    }

    fn mended(stage: &Stage) -> io::Result<()> {
        let (key, kept) = (stage.at("ca.key"), stage.at("kept.key"));
        fs::rename(kept, &key)?;
        fs::set_permissions(key, fs::Permissions::from_mode(0o600))
    }
}

/// A limit on the length of files acts as a full disk does: the write that does not fit is cut, the next one fails.
async fn fill(stage: &Stage) -> Result<(), String> {
    // Whoever writes beyond the limit is sent this signal, which ends a process that does not handle it.
    let _handled = signal(SignalKind::from_raw(Signal::XFSZ.as_raw())).map_err(text)?;
    let newest = files::list(&stage.at("audit")).map_err(text)?.pop().ok_or("there is no audit file")?;
    limit_files(Some(fs::metadata(newest.path).map_err(text)?.len() + LITTLE))?;
    for _ in 0..WAITING {
        if !is_denied(&denied(stage).await?) {
            break;
        }
    }
    stage.until(HEALTHY, &[], 0).await
}

/// No file of this process grows beyond so many bytes; `None`: beyond what was the limit before.
fn limit_files(bytes: Option<u64>) -> Result<(), String> {
    let maximum = getrlimit(Resource::Fsize).maximum;
    setrlimit(Resource::Fsize, Rlimit { current: bytes.or(maximum), maximum }).map_err(text)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
