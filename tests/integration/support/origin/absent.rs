//! Addresses where nobody answers.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::super::client::within_deadline;

/// A free address on which nobody listens, so that the kernel refuses connections. The socket keeps it from being taken.
pub struct Deserted(TcpSocket);

impl Deserted {
    pub fn new() -> Self {
        Self::on(Ipv4Addr::LOCALHOST.into())
    }

    /// On this address of the machine.
    pub fn on(ip: IpAddr) -> Self {
        let socket = if ip.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.expect("a socket");
        socket.bind((ip, 0).into()).expect("the address has a free port");
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
        Self::on(Ipv4Addr::LOCALHOST.into()).await
    }

    /// On this address of the machine.
    pub async fn on(ip: IpAddr) -> Self {
        let deserted = Deserted::on(ip);
        let addr = deserted.addr();
        let listener = deserted.0.listen(0).expect("a bound socket listens");
        let waiting = within_deadline("the queue takes one", TcpStream::connect(addr)).await.expect("one connection fits");
        Self { addr, _listener: listener, _waiting: waiting }
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}
