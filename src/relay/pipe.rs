//! Pipes through which the kernel moves a large transfer from one socket to the other without copying it (`splice(2)`).

use rustix::fd::AsFd;
use rustix::io::{Errno, retry_on_intr};
use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Pipes at once, each two descriptors: tunnels beyond them copy.
const MOST: usize = 64;
/// Bytes that a pipe is asked to hold, where the kernel permits it.
const SIZE: usize = 256 * 1024;

/// Pipes that are kept for the next transfer.
#[derive(Debug, Default)]
pub struct Pipes {
    free: Mutex<Vec<Pipe>>,
    open: AtomicUsize,
}

#[derive(Debug)]
struct Pipe {
    out: OwnedFd,
    into: OwnedFd,
}

impl Pipe {
    fn open() -> io::Result<Self> {
        let (out, into) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        // A smaller one does as well, with more calls.
        let _ = fcntl_setpipe_size(&into, SIZE);
        Ok(Self { out, into })
    }
}

impl Pipes {
    /// An empty pipe, unless too many are in use or the system gives none.
    pub(super) fn lend(self: &Arc<Self>) -> Option<Lent> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let lent = |pipe| Lent { pipe: Some(pipe), held: 0, home: self.clone() };
        if let Some(pipe) = free {
            return Some(lent(pipe));
        }
        let has_room = self.open.fetch_add(1, Ordering::Relaxed) < MOST;
        let made = if has_room { Pipe::open().ok() } else { None };
        if made.is_none() {
            self.open.fetch_sub(1, Ordering::Relaxed);
        }
        made.map(lent)
    }

    /// Takes a pipe back; one that still holds something is closed.
    fn take_back(&self, pipe: Pipe, held: usize) {
        if held == 0 {
            return self.free.lock().unwrap_or_else(PoisonError::into_inner).push(pipe);
        }
        drop(pipe);
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A pipe in use by one direction.
#[derive(Debug)]
pub(super) struct Lent {
    pipe: Option<Pipe>,
    /// Bytes in it.
    held: usize,
    home: Arc<Pipes>,
}

impl Lent {
    /// Moves what a socket has into the empty pipe; 0 at its end.
    pub(super) fn fill(&mut self, source: impl AsFd) -> io::Result<usize> {
        let Some(pipe) = &self.pipe else { return Err(Errno::BADF.into()) };
        self.held = moved(source, &pipe.into, SIZE)?;
        Ok(self.held)
    }

    /// Moves what is in the pipe on into a socket.
    pub(super) fn drain(&mut self, sink: impl AsFd) -> io::Result<usize> {
        let Some(pipe) = &self.pipe else { return Err(Errno::BADF.into()) };
        let written = moved(&pipe.out, sink, self.held)?;
        self.held -= written;
        Ok(written)
    }

    /// Whether nothing is in it.
    pub(super) const fn is_empty(&self) -> bool {
        self.held == 0
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(pipe) = self.pipe.take() {
            self.home.take_back(pipe, self.held);
        }
    }
}

fn moved(from: impl AsFd, to: impl AsFd, most: usize) -> io::Result<usize> {
    let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
    Ok(retry_on_intr(|| splice(&from, None, &to, None, most, flags))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixStream;

    #[test]
    fn bytes_pass_and_an_empty_pipe_is_used_again() {
        let pipes = Arc::new(Pipes::default());
        let ((mut client, near), (far, mut server)) = (UnixStream::pair().expect("sockets"), UnixStream::pair().expect("sockets"));
        for _ in 0..3 {
            let mut pipe = pipes.lend().expect("a pipe");
            client.write_all(b"as it came").expect("it takes them");
            assert_eq!(pipe.fill(&near).expect("they are there"), 10);
            assert!(!pipe.is_empty());
            assert_eq!(pipe.drain(&far).expect("it takes them"), 10);
            assert!(pipe.is_empty());
            let mut read = [0; 10];
            server.read_exact(&mut read).expect("they arrived");
            assert_eq!(&read, b"as it came");
        }
        assert_eq!(pipes.open.load(Ordering::Relaxed), 1);
        drop(client);
        assert_eq!(pipes.lend().expect("a pipe").fill(&near).expect("the end"), 0);
    }

    #[test]
    fn a_pipe_that_holds_something_is_not_lent_again() {
        let pipes = Arc::new(Pipes::default());
        let (mut client, near) = UnixStream::pair().expect("sockets");
        let mut pipe = pipes.lend().expect("a pipe");
        client.write_all(b"somebody else's").expect("it takes them");
        pipe.fill(&near).expect("they are there");
        drop(pipe);
        assert_eq!(pipes.open.load(Ordering::Relaxed), 0);
        let mut pipe = pipes.lend().expect("a pipe");
        let nothing = pipe.drain(&near).expect("nothing is in it");
        assert_eq!(nothing, 0);
    }

    #[test]
    fn no_more_than_the_most_are_open() {
        let pipes = Arc::new(Pipes::default());
        let lent: Vec<Lent> = std::iter::from_fn(|| pipes.lend()).take(2 * MOST).collect();
        assert_eq!(lent.len(), MOST);
        drop(lent);
        assert!(pipes.lend().is_some());
        assert_eq!(pipes.open.load(Ordering::Relaxed), MOST);
    }
}
