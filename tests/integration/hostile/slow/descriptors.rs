//! More connections than the process has descriptors for.

use crate::support::client::{RawClient, connect_tunnel, within_deadline};
use crate::support::daemon::Daemon;
use crate::support::origin::{Behaviour, RawOrigin};
use crate::support::proxy::Setup;
use crate::support::scrape::Scrape;
use crate::support::world::API;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use std::time::{Duration, Instant, SystemTime};
use tokio::net::TcpStream;
use ucx_egress::moment;

/// What accepting says when there is none left.
const NONE_LEFT: &str = "cannot accept connections; if descriptors ran out, raise LimitNOFILE or lower limits.max_connections";
/// More than the limit, fewer than a test may have itself.
const CROWD: usize = 400;

/// Ticks of the processor that a process has had: `utime` and `stime` of proc(5), after its name in parentheses.
fn ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process runs");
    let fields: Vec<&str> = stat.rsplit(')').next().expect("a name").split_whitespace().collect();
    fields[11].parse::<u64>().expect("utime") + fields[12].parse::<u64>().expect("stime")
}

#[tokio::test]
async fn a_process_without_descriptors_waits_and_recovers() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let config = Setup::new().host(API, origin.addr()).section("[limits]\nmax_connections = 300\nhead = \"1m\"").text();
    let mut daemon = Daemon::start_after(&config, "ulimit -n 1024").await;
    let hello = crate::support::client::client_hello(Some(API));
    let mut before = connect_tunnel(daemon.proxy, "api.imagicle.com:443").await.expect("a tunnel");
    before.send(&hello).await;
    assert_eq!(before.read_exact(hello.len()).await, hello);
    // What was permitted at the start is taken away: by then nobody counts again.
    let pid = Pid::from_raw(i32::try_from(daemon.pid()).expect("a process id"));
    prlimit(pid, Resource::Nofile, Rlimit { current: Some(256), maximum: Some(1024) }).expect("a limit may be lowered");
    let mut crowd = Vec::with_capacity(CROWD);
    for _ in 0..CROWD {
        crowd.push(within_deadline("the kernel takes it", TcpStream::connect(daemon.proxy)).await.expect("a connection"));
    }
    daemon.wait_for_said(NONE_LEFT, 1).await;
    // It does not spin: in ten such pauses it uses but a little of the time that passes.
    let (since, used) = (Instant::now(), ticks(daemon.pid()));
    daemon.wait_for_said(NONE_LEFT, 11).await;
    let (passed, used) = (since.elapsed(), Duration::from_millis(10 * (ticks(daemon.pid()) - used)));
    assert!(used < passed / 2, "{used:?} of processor time in {passed:?}");
    let said = daemon.said(NONE_LEFT);
    let moments: Vec<SystemTime> =
        said.iter().map(|line| moment::read(line["timestamp"].as_str().expect("a time")).expect("RFC 3339")).collect();
    let pauses = moments[10].duration_since(moments[0]).expect("the log goes on");
    assert!(pauses >= Duration::from_millis(400), "ten pauses of fifty milliseconds took {pauses:?}");
    // What was there goes on.
    before.send(&[7; 1_000]).await;
    assert_eq!(before.read_exact(1_000).await, [7; 1_000]);
    drop(crowd);
    // And whoever comes later is served, without help.
    let mut after = connect_tunnel(daemon.proxy, "api.imagicle.com:443").await.expect("a tunnel");
    after.send(&hello).await;
    assert_eq!(after.read_exact(hello.len()).await, hello);
    let scrape = Scrape::get(daemon.admin).await;
    assert!(scrape.clients() >= 2);
    drop::<(RawClient, RawClient)>((before, after));
    assert_eq!(daemon.terminate().await, Some(0));
    println!("hostile: 1 cases of descriptors that run out");
}
