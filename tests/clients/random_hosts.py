#!/usr/bin/env python3
"""Asks for random hosts and checks that none of them adds a time series.

Every request names another host, port and method; half are CONNECTs, half absolute-form.
All must be refused, all must be counted, and the list of series must stay as it was.
"""

import argparse
import multiprocessing
import random
import shutil
import socket
import sys
import tempfile
from pathlib import Path

import proxy
from paths import BINARY
from procs import Processes, wait_for
from proxy import Proxy

WORKERS = 2
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-"
REFUSED = (b"HTTP/1.1 403", b"HTTP/1.1 400")


def request(choice: random.Random) -> bytes:
    host = "".join(choice.choices(LETTERS, k=choice.randint(1, 20))) + ".example"
    port = choice.randint(1, 65535)
    if choice.random() < 0.5:
        return f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    return f"GET http://{host}:{port}/ HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


def ask(port: int, count: int, seed: int) -> int:
    """Sends `count` requests, each on a connection of its own; answers with how many were refused."""
    choice = random.Random(seed)
    refused = 0
    for number in range(count):
        # Many source addresses: one address has too few ports for a million closed connections.
        source = (f"127.{1 + seed}.{number // 250 % 250}.{1 + number % 250}", 0)
        with socket.create_connection(("127.0.0.1", port), timeout=10, source_address=source) as connection:
            connection.sendall(request(choice))
            refused += connection.recv(65536).startswith(REFUSED)
    return refused


def series(at: Proxy) -> set[str]:
    """The names of all series, without their values."""
    lines = at.admin("/metrics")[1].splitlines()
    return {line.rsplit(" ", 1)[0] for line in lines if not line.startswith("#")}


def measure(binary: Path, count: int, scratch: Path) -> str:
    with Processes(scratch) as processes:
        at = proxy.start(processes, binary, scratch, {})
        # Each kind of refusal once: its series are there then.
        ask(at.port, 200, WORKERS)
        before, counted = series(at), at.metric("ucx_egress_decisions_total", verdict="deny")
        with multiprocessing.Pool(WORKERS) as pool:
            share = count // WORKERS
            refused = sum(pool.starmap(ask, [(at.port, share, seed) for seed in range(WORKERS)]))
        wait_for("every refusal counted",
                 lambda: at.metric("ucx_egress_decisions_total", verdict="deny") - counted == refused)
        after = series(at)
    if refused != share * WORKERS:
        raise RuntimeError(f"{refused} of {share * WORKERS} requests were refused")
    if after != before:
        raise RuntimeError(f"series were added: {sorted(after - before)[:5]}")
    return f"{refused} requests for random hosts, {len(before)} series before and after"


def main() -> None:
    parser = argparse.ArgumentParser(prog="random_hosts.py", description="Requests for random hosts add no time series.")
    parser.add_argument("--binary", type=Path, default=BINARY, help="the proxy (default: the release build)")
    parser.add_argument("--count", type=int, default=1_000_000, help="requests to make (default: %(default)s)")
    args = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="ucx-egress-random-"))
    try:
        print(measure(args.binary.resolve(), args.count, scratch))
    except (OSError, RuntimeError) as error:
        sys.exit(f"random hosts: {error}")
    finally:
        shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
