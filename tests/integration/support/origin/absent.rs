//! Addresses where nobody answers.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::super::client::within_deadline;

/// A free address on which nobody listens, so that the kernel refuses connections. The socket keeps it from being taken.
pub struct Deserted(TcpSocket);

impl Deserted {
    pub fn new() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("loopback has a free port");
        Self(socket)
    }

    pub fn addr(&self) -> SocketAddr {
        self.0.local_addr().expect("a bound socket has an address")
    }
}

/// A listener that takes no more: its queue holds one connection, and that is there. The kernel drops what comes after it,
/// so that a connection is neither made nor refused.
pub struct Full {
    addr: SocketAddr,
    _listener: TcpListener,
    _waiting: TcpStream,
}

impl Full {
    pub async fn start() -> Self {
        let deserted = Deserted::new();
        let addr = deserted.addr();
        let listener = deserted.0.listen(0).expect("a bound socket listens");
        let waiting = within_deadline("the queue takes one", TcpStream::connect(addr)).await.expect("one connection fits");
        Self { addr, _listener: listener, _waiting: waiting }
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}
