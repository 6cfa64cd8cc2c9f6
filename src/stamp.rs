//! What files looked like when they were read: whether they have changed is asked without reading them again.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// The state of some files at one time. Two that are equal mean that nobody wrote or replaced any of them in between.
///
/// Links are followed: where a directory of links is swapped as a whole, as Kubernetes does with mounted secrets, another file is
/// seen behind the same path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stamp(Vec<Option<Seen>>);

impl Stamp {
    /// This one and another, in this order.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }
}

/// Device and inode, length, time of the last change to the file or to its description, in seconds and nanoseconds.
type Seen = (u64, u64, u64, i64, i64);

impl Stamp {
    /// Looks at the files; one that cannot be looked at differs from one that can.
    pub fn of<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Self {
        Self(paths.into_iter().map(look).collect())
    }
}

fn look(path: &Path) -> Option<Seen> {
    let seen = path.metadata().ok()?;
    Some((seen.dev(), seen.ino(), seen.len(), seen.ctime(), seen.ctime_nsec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_replacing_and_removing_are_seen() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, other) = (folder.path().join("file"), folder.path().join("other"));
        let now = || Stamp::of([path.as_path()]);
        let none = now();
        std::fs::write(&path, "one").expect("it is writable");
        let first = now();
        assert!(none != first && first == now());
        std::fs::write(&other, "two").expect("it is writable");
        std::fs::rename(&other, &path).expect("it is replaceable");
        let second = now();
        assert_ne!(first, second);
        std::fs::write(&path, "three").expect("it is writable");
        assert_ne!(second, now());
        std::fs::remove_file(&path).expect("it is removable");
        assert_eq!(none, now());
    }
}
