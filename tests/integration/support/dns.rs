//! A name server a test can tell what to say: addresses, aliases, a different answer each time,
//! or nothing at all. UDP only, the wire format of RFC 1035 written by hand.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::client::within_deadline;

pub mod scripted;

pub const A: u16 = 1;
pub const CNAME: u16 = 5;
pub const AAAA: u16 = 28;

const NO_ERROR: u8 = 0;
const NAME_ERROR: u8 = 3;

/// Longer chains are cut, so an alias loop ends here and not in the test.
const MAX_ALIASES: usize = 8;

/// Ends when dropped.
pub struct DnsServer {
    addr: SocketAddr,
    zone: Arc<Mutex<Zone>>,
    queries: watch::Receiver<Vec<(String, u16)>>,
    task: JoinHandle<()>,
}

impl DnsServer {
    /// Knows no names yet, so it answers NXDOMAIN to everything.
    pub async fn start() -> Self {
        let bound = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let socket = bound.expect("loopback has a free UDP port");
        let addr = socket.local_addr().expect("a bound socket has an address");
        let zone = Arc::new(Mutex::new(Zone::default()));
        let (seen, queries) = watch::channel(Vec::new());
        let task = tokio::spawn(serve(socket, Arc::clone(&zone), seen));
        Self { addr, zone, queries, task }
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Answers `name` with `addresses`, each family to its own query; none left is NOERROR without
    /// records. `ttl` is in seconds.
    pub fn set(&self, name: &str, addresses: Vec<IpAddr>, ttl: u32) {
        self.insert(name, Entry::Addresses { turns: vec![addresses], ttl });
    }

    /// Answers `name` differently each time, as DNS rebinding does. A and AAAA queries count on
    /// their own, the last turn repeats, and the TTL is 0 so that nobody has a reason to cache.
    pub fn set_sequence(&self, name: &str, turns: Vec<Vec<IpAddr>>) {
        self.insert(name, Entry::Addresses { turns, ttl: 0 });
    }

    /// Answers `name` with a CNAME to `target`, followed by what is known of `target`.
    pub fn set_alias(&self, name: &str, target: &str, ttl: u32) {
        self.insert(name, Entry::Alias { target: normal(target), ttl });
    }

    /// Answers no question for IPv6 addresses from now on, as networks do that lose them.
    pub fn lose_aaaa(&self) {
        lock(&self.zone).loses_aaaa = true;
    }

    /// Hears every query from now on, and answers none.
    pub fn go_silent(&self) {
        lock(&self.zone).silent = true;
    }

    /// The names (lower case, no final dot) and query types heard so far.
    pub fn queries(&self) -> Vec<(String, u16)> {
        self.queries.borrow().clone()
    }

    pub async fn wait_for_queries(&self, count: usize) {
        let mut queries = self.queries.clone();
        let heard = queries.wait_for(|queries| queries.len() >= count);
        within_deadline("dns queries", heard).await.expect("the server task runs");
    }

    fn insert(&self, name: &str, entry: Entry) {
        lock(&self.zone).insert(normal(name), entry);
    }
}

impl Drop for DnsServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(socket: UdpSocket, zone: Arc<Mutex<Zone>>, seen: watch::Sender<Vec<(String, u16)>>) {
    let mut packet = [0; 1500];
    loop {
        // An ICMP error for an earlier answer surfaces here; it says nothing about the next query.
        let Ok((length, peer)) = socket.recv_from(&mut packet).await else {
            continue;
        };
        let Some(query) = Query::parse(&packet[..length]) else {
            continue;
        };
        let answer = lock(&zone).answer(&query);
        seen.send_modify(|seen| seen.push((query.name, query.qtype)));
        if let Some(answer) = answer {
            socket.send_to(&answer, peer).await.ok(); // the asker may be gone
        }
    }
}

#[derive(Default)]
struct Zone {
    entries: HashMap<String, Entry>,
    /// How many times a name was asked for, by query type.
    turns_taken: HashMap<(String, u16), usize>,
    silent: bool,
    loses_aaaa: bool,
}

enum Entry {
    Addresses { turns: Vec<Vec<IpAddr>>, ttl: u32 },
    Alias { target: String, ttl: u32 },
}

impl Zone {
    fn insert(&mut self, name: String, entry: Entry) {
        self.turns_taken.retain(|(taken, _), _| *taken != name);
        self.entries.insert(name, entry);
    }

    fn answer(&mut self, query: &Query) -> Option<Vec<u8>> {
        if self.silent || (self.loses_aaaa && query.qtype == AAAA) {
            return None;
        }
        let mut records = Records::default();
        let known = self.resolve(&query.name, query.qtype, &mut records);
        // A name that is an alias exists, even when its target does not.
        let rcode = if known || records.count > 0 { NO_ERROR } else { NAME_ERROR };
        Some(query.reply(rcode, &records))
    }

    /// Follows aliases from `name` and collects the records; false if the trail ends at no name.
    fn resolve(&mut self, name: &str, qtype: u16, records: &mut Records) -> bool {
        let mut name = name.to_owned();
        for _ in 0..MAX_ALIASES {
            match self.entries.get(&name) {
                None => return false,
                Some(Entry::Alias { target, ttl }) => {
                    records.push(&name, CNAME, *ttl, &wire_name(target));
                    name = target.clone();
                }
                Some(Entry::Addresses { turns, ttl }) => {
                    let taken = self.turns_taken.entry((name.clone(), qtype)).or_default();
                    let turn = turns.get(*taken).or(turns.last());
                    *taken += 1;
                    for address in turn.into_iter().flatten() {
                        records.push_address(&name, qtype, *ttl, *address);
                    }
                    return true;
                }
            }
        }
        true
    }
}

struct Query {
    id: [u8; 2],
    /// As sent: resolvers that scramble the case want theirs back.
    question: Vec<u8>,
    name: String,
    qtype: u16,
}

impl Query {
    /// Reads the one question of a query; anything else is dropped like noise.
    fn parse(packet: &[u8]) -> Option<Self> {
        let id = *packet.first_chunk()?;
        let question = packet.get(12..)?;
        let mut labels = Vec::new();
        let mut at = 0;
        loop {
            let length = usize::from(*question.get(at)?);
            let label = question.get(at + 1..at + 1 + length)?;
            at += 1 + length;
            if length == 0 {
                break;
            }
            labels.push(String::from_utf8_lossy(label).to_ascii_lowercase());
        }
        let qtype = u16::from_be_bytes(*question.get(at..)?.first_chunk()?);
        let question = question.get(..at + 4)?.to_vec();
        Some(Self { id, question, name: labels.join("."), qtype })
    }

    fn reply(&self, rcode: u8, records: &Records) -> Vec<u8> {
        let mut packet = self.id.to_vec();
        packet.extend([0x85, 0x80 | rcode]); // response, authoritative, recursion asked and given
        for count in [1, records.count, 0, 0] {
            packet.extend(u16::to_be_bytes(count));
        }
        packet.extend(&self.question);
        packet.extend(&records.bytes);
        packet
    }
}

/// Resource records in wire format.
#[derive(Default)]
struct Records {
    bytes: Vec<u8>,
    count: u16,
}

impl Records {
    fn push_address(&mut self, name: &str, qtype: u16, ttl: u32, address: IpAddr) {
        match (qtype, address) {
            (A, IpAddr::V4(address)) => self.push(name, A, ttl, &address.octets()),
            (AAAA, IpAddr::V6(address)) => self.push(name, AAAA, ttl, &address.octets()),
            _ => {}
        }
    }

    fn push(&mut self, name: &str, rtype: u16, ttl: u32, data: &[u8]) {
        let length = u16::try_from(data.len()).expect("record data fits its length field");
        self.bytes.extend(wire_name(name));
        self.bytes.extend(rtype.to_be_bytes());
        self.bytes.extend(1_u16.to_be_bytes()); // class IN
        self.bytes.extend(ttl.to_be_bytes());
        self.bytes.extend(length.to_be_bytes());
        self.bytes.extend(data);
        self.count += 1;
    }
}

fn wire_name(name: &str) -> Vec<u8> {
    let mut wire = Vec::new();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        wire.push(u8::try_from(label.len()).expect("a label is at most 63 bytes"));
        wire.extend(label.bytes());
    }
    wire.push(0);
    wire
}

fn normal(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

fn lock(zone: &Mutex<Zone>) -> MutexGuard<'_, Zone> {
    zone.lock().expect("no test panics while it holds the zone")
}
