"""A real HAProxy in front of two proxies: who the clients are, what the death of one proxy costs, what its end in order costs."""

import contextlib
import http.client
import json
import os
import signal
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import proxy
from lab import Case, Lab, expect
from procs import Process, Processes, free_port, wait_for
from proxy import Proxy
from upstreams import BODY

HOST = "api.imagicle.com"
TUNNELS = 20
HAPROXY = """\
global
    stats socket {socket} mode 600 level admin
defaults
    mode tcp
    timeout connect 2s
    timeout client 1h
    timeout server 1h
    option redispatch 1
    retries 3
frontend clients
    bind 127.0.0.1:{port}
    default_backend proxies
backend proxies
    balance roundrobin
    option httpchk GET /readyz
    default-server inter 100ms fall 1 rise 1 send-proxy-v2
{servers}
"""
SERVER = "    server {name} 127.0.0.1:{at.port} check port {at.admin_port}"


@dataclass(frozen=True)
class Balanced:
    port: int
    proxies: list[Proxy]
    balancer: Process


@contextlib.contextmanager
def balanced(lab: Lab, name: str) -> Iterator[Balanced]:
    folder = lab.scratch / name
    folder.mkdir()
    port = free_port()
    with Processes(folder) as processes:
        listener = 'proxy_protocol = "v2"\nbalancers = ["127.0.0.1"]\n'
        proxies = [proxy.launch(processes, lab.binary, proxy.configure(folder / f"{one}.toml", lab.ports, listener=listener))
                   for one in ("first", "second")]
        servers = "\n".join(SERVER.format(name=f"p{at.port}", at=at) for at in proxies)
        file = folder / "haproxy.cfg"
        file.write_text(HAPROXY.format(port=port, servers=servers, socket=folder / "haproxy.sock"))
        balancer = processes.start("haproxy", ["haproxy", "-db", "-f", file])
        balancer.await_port(port)
        yield Balanced(port, proxies, balancer)


class Tunnel:
    """One tunnel with a kept connection inside."""

    def __init__(self, lab: Lab, port: int, source: str = "127.0.0.1") -> None:
        trust = ssl.create_default_context(cafile=lab.pki.root)
        self.connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=20, context=trust, source_address=(source, 0))
        self.connection.set_tunnel(HOST, 443)

    def works(self) -> bool:
        """Asks once more, never over another connection than the one it has."""
        try:
            self.connection.request("GET", "/test")
            answer = self.connection.getresponse()
            body = answer.read().decode()
        except (OSError, http.client.HTTPException):
            self.close()
            return False
        self.connection.auto_open = 0
        return (answer.status, body) == (200, BODY)

    def close(self) -> None:
        self.connection.close()


def open_tunnels(lab: Lab, at: Balanced) -> list[Tunnel]:
    tunnels = [Tunnel(lab, at.port) for _ in range(TUNNELS)]
    expect(all(tunnel.works() for tunnel in tunnels), "a tunnel did not come to be")
    return tunnels


def carried(by: Proxy) -> int:
    return int(by.metric("ucx_egress_tunnels"))


def clients_are_themselves(lab: Lab) -> None:
    with balanced(lab, "balanced-clients") as at:
        sources = [f"127.0.0.{last}" for last in range(2, 12)]
        for source in sources:
            tunnel = Tunnel(lab, at.port, source)
            expect(tunnel.works(), f"the tunnel from {source} does not work")
            tunnel.close()

        def seen() -> list[str]:
            lines = [json.loads(line) for one in at.proxies for line in one.process.text().splitlines() if line.startswith("{")]
            return sorted({line["client"].rpartition(":")[0] for line in lines if line.get("protocol") == "connect"})

        wait_for(f"records of {sources}, not {seen()}", lambda: seen() == sorted(sources))


def death_costs_its_own(lab: Lab) -> str:
    with balanced(lab, "balanced-death") as at:
        tunnels = open_tunnels(lab, at)
        dying, living = at.proxies
        doomed, kept = carried(dying), carried(living)
        expect(doomed > 0 and kept > 0 and doomed + kept == TUNNELS, f"{doomed} and {kept} tunnels")
        os.kill(dying.process.pid, signal.SIGKILL)
        surviving = sum(tunnel.works() for tunnel in tunnels)
        expect(surviving == kept, f"{surviving} tunnels live, not {kept}")
        expect(all(Tunnel(lab, at.port).works() for _ in range(TUNNELS)), "a new tunnel was lost")
        return f"{doomed} of {TUNNELS} were its own and ended, {surviving} went on, {TUNNELS} new ones came to be"


def an_end_in_order_costs_none(lab: Lab) -> str:
    with balanced(lab, "balanced-drain") as at:
        tunnels = open_tunnels(lab, at)
        ending = at.proxies[0]
        expect(carried(ending) > 0, "the ending one carries nothing")
        os.kill(ending.process.pid, signal.SIGTERM)
        wait_for("the news that it stops", lambda: "stopping: no new connections" in ending.process.text())
        fresh = sum(Tunnel(lab, at.port).works() for _ in range(TUNNELS))
        expect(fresh == TUNNELS, f"{fresh} of {TUNNELS} new tunnels came to be")
        living = sum(tunnel.works() for tunnel in tunnels)
        expect(living == TUNNELS, f"{living} of {TUNNELS} tunnels live")
        for tunnel in tunnels:
            tunnel.close()
        wait_for("its end", lambda: "stopped" in ending.process.text().splitlines()[-1])
        return f"{living} of {TUNNELS} tunnels and {fresh} of {fresh} new ones"


CASES = [
    Case("haproxy-clients", "ten clients behind PROXY v2, each by its own address in the record", clients_are_themselves),
    Case("haproxy-death", "one of two proxies is killed: its own tunnels end, no other", death_costs_its_own),
    Case("haproxy-drain", "one of two proxies is ended in order: no tunnel is lost", an_end_in_order_costs_none),
]
