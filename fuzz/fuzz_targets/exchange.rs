//! A whole exchange over sockets: a proxy, a client that sends the input, an origin that reads what the proxy makes of it.
//!
//! The origin gets nothing that the strict reader refuses, and no request that the client did not make.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio::task::{LocalSet, spawn_local};
use tokio::time::timeout;
use ucx_egress::app::{App, Orders};
use ucx_egress::config::Config;
use ucx_egress::listener::framing::{Framing, Next};
use ucx_egress::listener::head::Form;
use ucx_egress::source::Source;
use ucx_egress::supervisor::Supervisor;
use ucx_egress_fuzz::choice;

/// How long a client waits for an answer before it ends its side. What is incomplete is not waited for by anybody then.
const PATIENCE: Duration = Duration::from_millis(30);
/// What ends a connection in order.
const END: &[u8] = b"GET http://plain.test/end HTTP/1.1\r\nHost: plain.test\r\nConnection: close\r\n\r\n";

const POLICY: &str = r#"
format = 1
name = "fuzz"
[[service]]
id = "plain"
personal_data = "unstated"
[[service.endpoint]]
host = "plain.test"
port = 80
protocol = "http"
[[service.endpoint]]
host = "tls.test"
port = 443
protocol = "https"
"#;

/// Request lines that reached the origin.
type Arrived = Rc<RefCell<Vec<Vec<u8>>>>;

struct World {
    runtime: Runtime,
    tasks: LocalSet,
    proxy: SocketAddr,
    arrived: Arrived,
    /// What the last client sent.
    before: RefCell<Vec<u8>>,
}

thread_local! {
    /// Made once; the fuzzer calls from one thread.
    static WORLD: World = World::start();
}

impl World {
    fn start() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (tasks, arrived) = (LocalSet::new(), Arrived::default());
        let proxy = tasks.block_on(&runtime, start(arrived.clone()));
        Self { runtime, tasks, proxy, arrived, before: RefCell::default() }
    }

    fn exchange(&self, bytes: &[u8]) -> Vec<Vec<u8>> {
        self.tasks.block_on(&self.runtime, send(self.proxy, bytes));
        self.arrived.take()
    }
}

async fn start(arrived: Arrived) -> SocketAddr {
    let origin = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = origin.local_addr().expect("it is bound");
    spawn_local(async move {
        while let Ok((stream, _)) = origin.accept().await {
            spawn_local(serve(stream, arrived.clone()));
        }
    });
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    let policy = folder.path().join("policy.toml");
    std::fs::write(&policy, POLICY).expect("the policy is written");
    let text = format!(
        "[listener]\naddress = \"127.0.0.1:0\"\n[admin]\naddress = \"127.0.0.1:0\"\n[policy]\nfile = \"{}\"\n\
         [upstream]\nallow_addresses = [\"127.0.0.0/8\"]\nnameservers = [\"127.0.0.1:9\"]\n\
         [upstream.hosts]\n\"plain.test\" = [\"{address}\"]\n\"tls.test\" = [\"{address}\"]\n",
        policy.display()
    );
    let config = Config::read(&Source::embedded("fuzz.toml", &text)).expect("a configuration");
    let app = App::bind(config, Supervisor::default()).expect("free ports");
    let proxy = app.addresses().proxy;
    // Nobody orders anything; the sender lives as long as the process.
    let (orders, reloads) = mpsc::channel(1);
    std::mem::forget(orders);
    spawn_local(app.run(Orders { shutdown: std::future::pending(), hurry: std::future::pending(), reloads }));
    proxy
}

/// Follows requests with the strict reader, and answers each.
async fn serve(mut stream: TcpStream, arrived: Arrived) {
    let (mut framing, mut held) = (Framing::new(Form::Origin), Vec::new());
    let mut unanswered = false;
    while stream.read_buf(&mut held).await.is_ok_and(|read| read > 0) {
        if held.first() == Some(&0x16) {
            return; // a tunnel: not for this origin
        }
        while !held.is_empty() {
            let in_head = framing.is_in_head();
            match framing.next(&held).unwrap_or_else(|malformed| panic!("the origin got {:?}: {malformed}", String::from_utf8_lossy(&held)))
            {
                Next::NeedMore => break,
                Next::Pass(length) => {
                    let part: Vec<u8> = held.drain(..length).collect();
                    if in_head {
                        let line = part.split(|byte| *byte == b'\r').next().unwrap_or_default().to_vec();
                        arrived.borrow_mut().push(line);
                        unanswered = true;
                    }
                }
            }
        }
        if unanswered && framing.is_in_head() {
            unanswered = false;
            if stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.is_err() {
                return;
            }
        }
    }
}

async fn send(proxy: SocketAddr, bytes: &[u8]) {
    let stream = TcpStream::connect(proxy).await.expect("the proxy accepts");
    stream.set_nodelay(true).expect("a connected socket");
    let (mut from, mut to) = stream.into_split();
    // A refusal in the middle ends the sending.
    let sending = spawn_local({
        let bytes = [bytes, END].concat();
        async move {
            let _ = to.write_all(&bytes).await;
            to
        }
    });
    let mut said = Vec::new();
    let whole = timeout(PATIENCE, from.read_to_end(&mut said)).await.is_ok();
    let to = sending.await.expect("it does not panic");
    drop(to);
    if !whole {
        let rest = timeout(Duration::from_secs(20), from.read_to_end(&mut said)).await;
        assert!(rest.is_ok(), "a connection whose client is gone stays open");
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((opening, rest)) = choice(input, 3) else { return };
    let opening: &[u8] = match opening {
        0 => b"",
        1 => b"CONNECT plain.test:80 HTTP/1.1\r\nHost: plain.test:80\r\n\r\n",
        _ => b"CONNECT tls.test:443 HTTP/1.1\r\nHost: tls.test:443\r\n\r\n",
    };
    let bytes = [opening, rest].concat();
    let arrived = WORLD.with(|world| world.exchange(&bytes));
    // What a client left behind may reach the origin while the next one is served.
    let before = WORLD.with(|world| world.before.replace(bytes.clone()));
    let sent = [&before[..], &bytes, END].concat();
    let mut made = 0;
    for line in &arrived {
        let mut words = line.split(|byte| *byte == b' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        // Both stand in what was sent; a path may have got its slash here.
        let has = |wanted: &[u8]| wanted.is_empty() || sent.windows(wanted.len()).any(|part| part == wanted);
        let is_made = has(&[method, b" "].concat()) && path.strip_prefix(b"/").is_some_and(has);
        assert!(is_made, "a request that the client did not make: {:?}", String::from_utf8_lossy(line));
        made += 1;
    }
    let possible = 1 + sent.windows(9).filter(|window| window.starts_with(b" HTTP/1.")).count();
    assert!(made <= possible, "{made} requests of {possible} lines");
});
