//! Room for file descriptors.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Sees to so many descriptors for this process and those it starts, as far as that is permitted; says how many there are.
pub(crate) fn make_room(wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let enough = |limit: Option<u64>| limit.is_none_or(|limit| limit >= wanted as u64);
    if !enough(limit.current) {
        let raised = Some(wanted as u64);
        let maximum = if enough(limit.maximum) { limit.maximum } else { raised };
        // Only a privileged user may raise the maximum; everybody may go up to it.
        if setrlimit(Resource::Nofile, Rlimit { current: raised, maximum }).is_err() {
            let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
        }
    }
    getrlimit(Resource::Nofile).current.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}
