#!/usr/bin/env python3
"""Measures what intercepted tunnels cost the proxy: many one after the other, or many at once.

One after the other, each is a CONNECT, a TLS handshake, a GET and its end; memory, descriptors
and minted certificates are printed at intervals and must not grow. At once, each has made its
request and then stays open and silent.
"""

import argparse
import asyncio
import shutil
import signal
import socket
import ssl
import sys
import tempfile
from functools import cache, partial
from pathlib import Path

import interception
import pki
import proxy
import upstreams
from idle_peers import HOST, raise_descriptor_limit, tunnels
from idle_tunnels import WARM_UP, counted, descriptors, memory_kib
from paths import BINARY
from procs import Processes, wait_for
from proxy import Proxy

SECONDS = 30
INTERVALS = 10
REQUEST = f"GET /test HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
# A tunnel takes the proxy two descriptors, a connection to the cloud included, and the origin one.
SPARE_DESCRIPTORS = 440
# Connections to the cloud that stay open for the next request are no leak.
KEPT_DESCRIPTORS = 16


@cache
def trust(root: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=root)


def read_until(stream: socket.socket, end: bytes) -> bytes:
    read = b""
    while not read.endswith(end):
        part = stream.recv(4096)
        if not part:
            raise ConnectionError(f"the proxy ended after {read!r}")
        read += part
    return read


def used_tunnel(port: int, root: str) -> socket.socket:
    """An intercepted tunnel through which one request was made and answered."""
    plain = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
    plain.sendall(f"CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n\r\n".encode())
    answer = read_until(plain, b"\r\n\r\n")
    if b" 200 " not in answer.splitlines()[0]:
        raise ConnectionError(f"the proxy answered {answer.splitlines()[0].decode()}")
    tunnel = trust(root).wrap_socket(plain, server_hostname=HOST)
    tunnel.sendall(REQUEST)
    read_until(tunnel, upstreams.BODY.encode())
    return tunnel


async def used_tunnel_later(port: int, root: str) -> socket.socket:
    return await asyncio.to_thread(used_tunnel, port, root)


def figures(at: Proxy, label: str) -> dict[str, float]:
    """Prints a line of figures, and answers with them."""
    pid = at.process.pid
    found = {
        "PSS": memory_kib(pid), "RSS": memory_kib(pid, "Rss"), "descriptors": descriptors(pid),
        "minted": at.metric("ucx_egress_leaf_certificates_total", source="minted"),
    }
    print(f"{label:>14}: " + ", ".join(f"{name} {value:.0f}" for name, value in found.items()), flush=True)
    return found


def await_closed(at: Proxy) -> None:
    wait_for("the end of every connection", lambda: at.metric("ucx_egress_connections", listener="proxy") == 0, SECONDS)
    wait_for("ucx_egress_tunnels at 0", lambda: counted(at) == 0, SECONDS)


def one_after_the_other(at: Proxy, root: str, count: int) -> str:
    step = max(count // INTERVALS, 1)
    before = figures(at, "before")
    for number in range(1, count + 1):
        used_tunnel(at.port, root).close()
        if number % step == 0 and number < count:
            figures(at, f"{number} tunnels")
    await_closed(at)
    after = figures(at, "after")
    if after["minted"] != 1:
        raise RuntimeError(f"{after['minted']:.0f} certificates were minted for one host")
    if after["descriptors"] > before["descriptors"] + KEPT_DESCRIPTORS:
        raise RuntimeError(f"{before['descriptors']:.0f} descriptors became {after['descriptors']:.0f}")
    return (f"{count} intercepted tunnels, PSS {before['PSS']:.0f} -> {after['PSS']:.0f} KiB, "
            f"{before['descriptors']:.0f} -> {after['descriptors']:.0f} descriptors, 1 certificate minted")


def at_once(at: Proxy, root: str, count: int) -> str:
    before = figures(at, "before")
    with tunnels(count, partial(used_tunnel_later, at.port, root)):
        during = figures(at, f"{count} open")
    await_closed(at)
    after = figures(at, "after")
    return (f"{count} idle intercepted tunnels, {(during['PSS'] - before['PSS']) / count:.1f} KiB per tunnel, "
            f"{before['descriptors']:.0f} -> {during['descriptors']:.0f} -> {after['descriptors']:.0f} descriptors")


def measure(binary: Path, count: int, idle: int, scratch: Path) -> str:
    keys = pki.make(scratch / "pki")
    with Processes(scratch) as processes:
        nginx, port = upstreams.start_nginx(processes, scratch / "nginx", keys, connections=2 * idle + 512)
        nginx.await_port(port)
        settings = interception.configure(scratch / "interception", "intercepting", keys.root, {HOST: port})
        root = str(interception.make_authority(binary, settings).certificate)
        at = proxy.launch(processes, binary, settings)
        for _ in range(WARM_UP):
            used_tunnel(at.port, root).close()
        await_closed(at)
        return at_once(at, root, idle) if idle else one_after_the_other(at, root, count)


def main() -> None:
    parser = argparse.ArgumentParser(prog="intercepted_tunnels.py", description="What intercepted tunnels cost.")
    parser.add_argument("--binary", type=Path, default=BINARY, help="the proxy (default: the release build)")
    parser.add_argument("--count", type=int, default=10_000, help="tunnels one after the other (default: %(default)s)")
    parser.add_argument("--idle", type=int, default=0, metavar="N", help="instead, N tunnels held open at once")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))

    possible = (raise_descriptor_limit() - SPARE_DESCRIPTORS) // 2
    if args.idle > possible:
        sys.exit(f"{args.idle} tunnels are more than the hard limit of descriptors permits, which is {possible}")
    scratch = Path(tempfile.mkdtemp(prefix="ucx-egress-intercepted-"))
    try:
        print(measure(args.binary.resolve(), args.count, args.idle, scratch))
    except (EOFError, OSError, RuntimeError) as error:
        sys.exit(f"intercepted tunnels: {error}")
    finally:
        shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
