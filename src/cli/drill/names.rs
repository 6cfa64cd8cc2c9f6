//! A name server on loopback that can be broken (RFC 1035 section 4).

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::UdpSocket;

/// Question and answer types.
const A: u16 = 1;
/// Response, authoritative, recursion asked and given.
const FLAGS: [u8; 2] = [0x85, 0x80];
/// In the place of no error.
const SERVFAIL: u8 = 2;

/// What every name is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// This address, for no time at all.
    Address(Ipv4Addr),
    /// That it has failed.
    Failure,
    /// Nothing.
    Nothing,
}

/// The running server.
pub struct Names {
    /// Where it is asked.
    pub address: SocketAddr,
    says: Arc<Mutex<Says>>,
}

impl Names {
    /// Starts it.
    pub async fn start(says: Says) -> Result<Self, String> {
        let socket = UdpSocket::bind("127.0.0.1:0").await.map_err(|error| format!("a name server on loopback: {error}"))?;
        let address = socket.local_addr().map_err(|error| error.to_string())?;
        let says = Arc::new(Mutex::new(says));
        tokio::spawn(serve(socket, says.clone()));
        Ok(Self { address, says })
    }

    /// Says this from now on.
    pub fn say(&self, says: Says) {
        *self.says.lock().unwrap_or_else(PoisonError::into_inner) = says;
    }
}

async fn serve(socket: UdpSocket, says: Arc<Mutex<Says>>) {
    let mut packet = [0; 1500];
    loop {
        // An error is of an earlier answer; it says nothing of the next question.
        let Ok((length, asker)) = socket.recv_from(&mut packet).await else { continue };
        let says = *says.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = packet.get(..length).and_then(|query| answer(query, says)) {
            let _ = socket.send_to(&answer, asker).await; // who has gone asks again
        }
    }
}

/// The answer to a query with one question; none to anything else.
fn answer(query: &[u8], says: Says) -> Option<Vec<u8>> {
    let question = query.get(12..question_end(query)?)?;
    let kind = u16::from_be_bytes(*question.get(question.len().checked_sub(4)?..)?.first_chunk()?);
    let (code, address) = match says {
        Says::Nothing => return None,
        Says::Failure => (SERVFAIL, None),
        Says::Address(address) => (0, Some(address).filter(|_| kind == A)),
    };
    let mut answer = query.get(..2)?.to_vec();
    answer.extend([FLAGS[0], FLAGS[1] | code, 0, 1, 0, u8::from(address.is_some()), 0, 0, 0, 0]);
    answer.extend(question);
    if let Some(address) = address {
        // The name of the question, A, IN, no time to live, four bytes.
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
        answer.extend(address.octets());
    }
    Some(answer)
}

/// Where the first question ends: labels, an empty one, type and class.
fn question_end(query: &[u8]) -> Option<usize> {
    let mut at = 12;
    loop {
        match usize::from(*query.get(at)?) {
            0 => return Some(at + 5),
            length => at += 1 + length,
        }
    }
}
