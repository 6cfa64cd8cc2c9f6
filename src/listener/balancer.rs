//! The PROXY protocol (version 1 or 2, <https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt>): a load balancer in front says who
//! its client is. It is believed from named balancers only, and asked of each of them.

use crate::destination::Malformed;
use ipnet::IpNet;
use proxy_header::{Error, ParseConfig, Protocol, ProxyHeader};
use std::net::{IpAddr, SocketAddr};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

/// Largest header that is taken: addresses of either version, and room for what balancers add behind them (section 2.2).
const MAX_HEADER: usize = 4 * 1024;
/// Looked at in one step; nearly every header fits.
const FIRST_LOOK: usize = 536;

/// Which version of the protocol is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// A line of text.
    V1,
    /// Binary.
    V2,
}

/// The balancers in front of a listener.
#[derive(Debug, Clone)]
pub struct Balancers {
    /// What they speak.
    pub version: Version,
    /// Where they are.
    pub networks: Vec<IpNet>,
}

impl Balancers {
    /// Whether a connection from there begins with a header.
    #[must_use]
    pub fn has(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.networks.iter().any(|network| network.contains(&peer))
    }

    /// Reads the header, and no byte behind it. `None`: the balancer asks for itself, to see whether the proxy lives.
    ///
    /// # Errors
    /// What is wrong with the header.
    pub async fn read(&self, stream: &mut TcpStream) -> Result<Option<SocketAddr>, Malformed> {
        let mut header: Vec<u8> = Vec::new();
        loop {
            let (before, read) = (header.len(), self.look(stream, &mut header).await?);
            match self.parse(&header)? {
                Some((client, length)) => {
                    take(stream, length.saturating_sub(before)).await?;
                    return Ok(client);
                }
                None if header.len() > MAX_HEADER => return Err(Malformed("the PROXY header is longer than 4 KiB")),
                None => take(stream, read).await?,
            }
        }
    }

    /// Adds to the header what has come, and leaves it in the socket: what is behind the header belongs to others.
    async fn look(&self, stream: &TcpStream, header: &mut Vec<u8>) -> Result<usize, Malformed> {
        let mut ahead = [0; FIRST_LOOK];
        match stream.peek(&mut ahead).await {
            Ok(read @ 1..) => {
                header.extend_from_slice(ahead.get(..read).unwrap_or_default());
                Ok(read)
            }
            _ => Err(Malformed("the connection ended within the PROXY header")),
        }
    }

    /// The client and the header's length, once it is complete.
    fn parse(&self, header: &[u8]) -> Result<Option<(Option<SocketAddr>, usize)>, Malformed> {
        let versions = ParseConfig { include_tlvs: false, allow_v1: self.version == Version::V1, allow_v2: self.version == Version::V2 };
        match ProxyHeader::parse(header, versions) {
            Ok((found, length)) => match found.proxied_address() {
                Some(addresses) if addresses.protocol != Protocol::Stream => Err(Malformed("the PROXY header is not about TCP")),
                addresses => Ok(Some((addresses.map(|addresses| addresses.source), length))),
            },
            Err(Error::BufferTooShort) => Ok(None),
            Err(_) => Err(self.wrong()),
        }
    }

    fn wrong(&self) -> Malformed {
        match self.version {
            Version::V1 => {
                Malformed("the balancer does not begin with a PROXY header of version 1; have it send one (HAProxy: send-proxy)")
            }
            Version::V2 => {
                Malformed("the balancer does not begin with a PROXY header of version 2; have it send one (HAProxy: send-proxy-v2)")
            }
        }
    }
}

/// Takes bytes out of the socket that were looked at.
async fn take(stream: &mut TcpStream, length: usize) -> Result<(), Malformed> {
    let mut taken = vec![0; length];
    let read = stream.read_exact(&mut taken).await;
    read.map(drop).map_err(|_| Malformed("the connection ended within the PROXY header"))
}
