//! IPv6 and IPv4 on both sides: listeners, clients, upstreams, and hosts of which one family does not answer (RFC 8305).

use crate::support::client::{RawClient, client_hello, connect_tunnel};
use crate::support::origin::{Behaviour, Deserted, Full, RawOrigin};
use crate::support::proxy::{Proxy, Setup};
use crate::support::scrape::wait_for_decisions;
use std::net::{Ipv6Addr, SocketAddr};

const HOST: &str = "api.imagicle.com";
const TARGET: &str = "api.imagicle.com:443";

/// Both loopbacks are allowed upstream.
fn setup(addresses: &[SocketAddr]) -> Setup {
    let written: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    let written: Vec<&str> = written.iter().map(String::as_str).collect();
    Setup::new().without_loopback().upstream_line("allow_addresses = [\"127.0.0.0/8\", \"::1/128\"]").addresses(HOST, &written)
}

async fn echoes(client: &mut RawClient) {
    let hello = client_hello(Some(HOST));
    client.send(&hello).await;
    assert_eq!(client.read_exact(hello.len()).await, hello);
}

#[tokio::test]
async fn every_listener_may_be_on_ipv6_and_so_may_the_cloud() {
    let origin = RawOrigin::on(Ipv6Addr::LOCALHOST.into(), Behaviour::Echo).await;
    let listeners = "[[relay]]\naddress = \"[::1]:0\"\ndestination = \"api.imagicle.com:443\"\n[[sni]]\naddress = \"[::1]:0\"";
    let mut config = setup(&[origin.addr()]).section(listeners).config();
    config.listener.address = "[::1]:0".parse().expect("an address");
    config.admin = "[::1]:0".parse().expect("an address");
    let proxy = Proxy::start(config);
    echoes(&mut connect_tunnel(proxy.proxy(), TARGET).await.expect("the tunnel opens")).await;
    echoes(&mut RawClient::connect(proxy.relay()).await).await;
    echoes(&mut RawClient::connect(proxy.addresses.snis[0]).await).await;
    wait_for_decisions(proxy.admin(), "allow", "", 3).await;
}

/// A family that refuses is left at once, one that is silent after its head start.
#[tokio::test]
async fn a_host_is_reached_by_the_family_that_answers() {
    let (v4, v6) = (RawOrigin::scripted(Behaviour::Echo).await, RawOrigin::on(Ipv6Addr::LOCALHOST.into(), Behaviour::Echo).await);
    let (silent4, silent6) = (Full::start().await, Full::on(Ipv6Addr::LOCALHOST.into()).await);
    let (gone4, gone6) = (Deserted::new(), Deserted::on(Ipv6Addr::LOCALHOST.into()));
    for dead in [silent6.addr(), gone6.addr()] {
        let proxy = setup(&[dead, v4.addr()]).start();
        echoes(&mut connect_tunnel(proxy.proxy(), TARGET).await.expect("IPv4 answers")).await;
    }
    for dead in [silent4.addr(), gone4.addr()] {
        let proxy = setup(&[dead, v6.addr()]).start();
        echoes(&mut connect_tunnel(proxy.proxy(), TARGET).await.expect("IPv6 answers")).await;
    }
    let proxy = setup(&[gone6.addr(), gone4.addr()]).start();
    let (_, problem) = connect_tunnel(proxy.proxy(), TARGET).await.map(drop).expect_err("neither answers");
    assert_eq!(problem.reason, "connect_failed");
}
