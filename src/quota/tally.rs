//! How many of something each client has at once: connections, TLS handshakes.

use super::host_of;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What all clients have, each as long as it has any.
#[derive(Debug, Default)]
pub struct Tally(Mutex<HashMap<IpAddr, usize>>);

/// One of a client's, until it is dropped.
#[derive(Debug)]
pub struct Share {
    all: Arc<Tally>,
    host: IpAddr,
}

impl Tally {
    /// One more for a client, unless it has `most` already.
    pub fn take(self: &Arc<Self>, client: IpAddr, most: usize) -> Option<Share> {
        let host = host_of(client);
        let mut all = self.lock();
        let own = all.get(&host).copied().unwrap_or_default();
        if own >= most {
            return None;
        }
        all.insert(host, own + 1);
        Some(Share { all: self.clone(), host })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        // Counts are right between any two statements.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    /// Whose it is: an address, or the network of an IPv6 one.
    #[must_use]
    pub const fn host(&self) -> IpAddr {
        self.host
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut all = self.all.lock();
        let Some(own) = all.get_mut(&self.host) else { return };
        *own -= 1;
        if *own == 0 {
            all.remove(&self.host);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_client_has_its_own_bound_and_leaves_nothing_behind() {
        let all = Arc::<Tally>::default();
        let (one, other) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let mut own: Vec<_> = (0..3).map_while(|_| all.take(one, 3)).collect();
        assert_eq!(own.len(), 3);
        assert!(all.take(one, 3).is_none());
        assert!(all.take("::ffff:10.0.0.1".parse().unwrap(), 3).is_none(), "the same in another form");
        assert!(all.take(other, 3).is_some() && all.take(one, 4).is_some());
        assert_eq!(own.pop().map(|share| share.host()), Some(one));
        assert!(all.take(one, 3).is_some());
        drop(own);
        assert!(all.lock().is_empty());
    }
}
