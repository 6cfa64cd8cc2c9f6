#!/usr/bin/env python3
"""Measures what an idle tunnel costs the proxy, and that a closed one costs nothing.

Opens tunnels that have shown a TLS ClientHello and then fall silent, as presence
streams are for hours; compares the proxy's proportional set size before and after;
closes all, and waits until every descriptor and every counted tunnel is gone.
"""

import argparse
import contextlib
import shutil
import signal
import sys
import tempfile
from functools import partial
from pathlib import Path

import proxy
from idle_peers import HOST, client_hello, open_silent, origin, raise_descriptor_limit, tunnels
from paths import BINARY
from procs import Processes, wait_for
from proxy import Proxy

# Tunnels opened and closed before measuring, so that the pages of code
# they bring in are not counted as the cost of those that follow.
WARM_UP = 16
SPARE_DESCRIPTORS = 440

# Columns of /proc/net/tcp, and its word for a listening socket.
STATE, INODE, LISTENING = 3, 9, "0A"


def memory_kib(pid: int, kind: str = "Pss") -> int:
    """Resident memory, by default the proportional set size: shared pages by share."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{kind}:"))


def anonymous(pid: int) -> int:
    """KiB of memory that are the process's own: pages of its file come and go with the page cache."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon:"))


def descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def connections(pid: int) -> int:
    """TCP sockets of the process that are not listening."""
    owned = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed while we looked
            owned.add(str(descriptor.readlink()).removeprefix("socket:[").removesuffix("]"))
    table = [line.split() for name in ("tcp", "tcp6") for line in Path("/proc/net", name).read_text().splitlines()[1:]]
    return sum(row[INODE] in owned and row[STATE] != LISTENING for row in table)


def counted(at: Proxy) -> float:
    return at.metric("ucx_egress_tunnels")


def await_all_closed(at: Proxy) -> int:
    """Waits until no tunnel and no connection is left; answers with the descriptors that are."""
    wait_for("ucx_egress_tunnels at 0", lambda: counted(at) == 0, seconds=30)
    wait_for("the end of every connection", lambda: connections(at.process.pid) == 0, seconds=30)
    return descriptors(at.process.pid)


def measure(binary: Path, count: int, scratch: Path) -> str:
    hello = client_hello()
    with origin(len(hello)) as far, Processes(scratch) as processes:
        at = proxy.start(processes, binary, scratch, {HOST: far.port})
        pid = at.process.pid
        start = await_all_closed(at)
        opener = partial(open_silent, at.port, hello)
        with tunnels(WARM_UP, opener):
            wait_for("the warm-up at the origin", lambda: far.reached() == WARM_UP)
        await_all_closed(at)

        before = memory_kib(pid)
        with tunnels(count, opener):
            wait_for("every ClientHello at the origin", lambda: far.reached() == WARM_UP + count, seconds=60)
            after, busy, counter = memory_kib(pid), descriptors(pid), counted(at)
        end = await_all_closed(at)
    if counter != count:
        raise RuntimeError(f"ucx_egress_tunnels was {counter:.0f} with {count} tunnels open")
    if end > start:
        raise RuntimeError(f"{start} descriptors became {end}")
    return (f"{count} tunnels, {(after - before) / count:.1f} KiB per tunnel (PSS {before} -> {after} KiB), "
            f"{start} -> {busy} -> {end} descriptors")


def main() -> None:
    parser = argparse.ArgumentParser(prog="idle_tunnels.py", description="Measures the memory an idle tunnel takes.")
    parser.add_argument("--binary", type=Path, default=BINARY, help="the proxy (default: the release build)")
    parser.add_argument("--count", type=int, default=10_000, help="tunnels to open (default: %(default)s)")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))

    possible = (raise_descriptor_limit() - SPARE_DESCRIPTORS) // 2
    count = min(args.count, possible)
    if count < args.count:
        print(f"{count} tunnels instead of {args.count}: a tunnel takes the proxy two descriptors, "
              "and the hard limit permits no more")
    scratch = Path(tempfile.mkdtemp(prefix="ucx-egress-idle-"))
    try:
        print(measure(args.binary.resolve(), count, scratch))
    except (EOFError, OSError, RuntimeError) as error:
        sys.exit(f"idle tunnels: {error}")
    finally:
        shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
