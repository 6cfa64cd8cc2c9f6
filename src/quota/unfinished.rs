//! TLS handshakes that have begun and are not finished, for each client: those cost the proxy a signature, and their client nothing.
//!
//! Places and time are bounded for all together; without this one client could hold them all, and begin anew as each ends.

use super::host_of;
use crate::error::{Reason, Refusal, RuleName};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Handshakes of one client at once. One takes some milliseconds: a site whose thousand clients come at once behind one address stays
/// below, and whoever never finishes holds a part of the places only.
const MOST: usize = 2_048;

/// The handshakes under way.
#[derive(Debug, Default)]
pub struct Unfinished(Mutex<HashMap<IpAddr, usize>>);

/// One of them, until it is dropped.
#[derive(Debug)]
pub struct Handshake {
    all: Arc<Unfinished>,
    host: IpAddr,
}

impl Unfinished {
    /// Begins one.
    ///
    /// # Errors
    /// `overloaded`, when the client has too many under way.
    pub fn begin(self: &Arc<Self>, client: IpAddr) -> Result<Handshake, Refusal> {
        let host = host_of(client);
        let mut all = self.lock();
        let own = all.entry(host).or_default();
        if *own >= MOST {
            let detail = "the client has as many unfinished TLS handshakes as one may have; try again";
            return Err(Refusal::new(Reason::Overloaded, detail, RuleName::Builtin("unfinished-handshakes")));
        }
        *own += 1;
        Ok(Handshake { all: self.clone(), host })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Handshake {
    fn drop(&mut self) {
        let mut all = self.all.lock();
        if let Some(own) = all.get_mut(&self.host) {
            *own -= 1;
            if *own == 0 {
                all.remove(&self.host);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_client_has_its_own_bound_and_leaves_nothing_behind() {
        let all = Arc::<Unfinished>::default();
        let (one, other) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let mut own: Vec<_> = (0..MOST).map(|_| all.begin(one).unwrap()).collect();
        assert_eq!(all.begin(one).unwrap_err().reason, Reason::Overloaded);
        assert_eq!(all.begin("::ffff:10.0.0.1".parse().unwrap()).unwrap_err().reason, Reason::Overloaded);
        assert!(all.begin(other).is_ok());
        own.pop();
        assert!(all.begin(one).is_ok());
        drop(own);
        assert!(all.lock().is_empty());
    }
}
