#!/usr/bin/env python3
"""Runs the proxy under everything at once for a long time, and shows what it keeps: tunnels, intercepted HTTP/1.1, intercepted gRPC,
refusals, attacks, upstreams that fail, reloads that are fit and unfit.

Nothing may fail that was not made to fail, nothing may panic, and memory and descriptors must stay flat.
"""

import argparse
import json
import shutil
import signal
import socket
import struct
import sys
import tempfile
import threading
import time
from pathlib import Path

import lab
from cases_operations import QUICK, Service, clients, loads, reload, reloads, service
from idle_tunnels import anonymous, descriptors
from lab import Lab
from paths import BINARY, HERE
from procs import Processes, free_port
from proxy import Proxy

RATE, TUNNELS, STREAMS, ATTACKS = 60, 200, 8, 12
SAMPLE_EVERY, RELOAD_EVERY, UNFIT_OF = 5, 20, 5
# Memory that a proxy takes once: pools, caches, the allocator's own. What grows behind it is a leak.
WARM_UP = 0.25
ROWS, WIDTH = 20, 50


def policy(is_gate_open: bool) -> str:
    gate = service("gate", "https", "tunnel", "gate.imagicle.com") if is_gate_open else ""
    return QUICK + "".join((
        service("licensing", "https", "intercept", "api.imagicle.com", "bulk.imagicle.com"),
        service("presence", "grpc", "intercept", "grpc.imagicle.com"),
        service("others", "https", "tunnel", "quiet.imagicle.com", "fresh.imagicle.com", "down.imagicle.com", "reset.imagicle.com"),
        gate,
    ))


class Soaked(Service):
    """As systemd runs it, with two upstreams more: one that is not there, one that hangs up."""

    def write(self, *, is_gate_open: bool, broken: str = "") -> None:
        new = self.folder / "policy.toml.new"
        new.write_text(broken or policy(is_gate_open))
        new.rename(self.folder / "policy.toml")


class Resetting:
    """An upstream that resets whoever says a word to it."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.recv(1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()


def kinds(served: Soaked) -> list[list[object]]:
    """Clients of every kind: a command for each, the attackers' last."""
    both = served.folder / "roots.pem"
    both.write_text(Path(served.root).read_text() + served.authority.certificate.read_text())
    attackers = [HERE / "python" / "hostile.py", served.port, served.authority.certificate, ATTACKS]
    return [*loads(served, both, RATE, TUNNELS, STREAMS), attackers]


Sample = tuple[float, int, int]


def sampled(at: Proxy, served: Soaked, seconds: float) -> list[Sample]:
    """Samples of (seconds, KiB, descriptors), with a reload now and then."""
    samples: list[Sample] = []
    began = time.monotonic()
    number = 0
    while (now := time.monotonic() - began) < seconds:
        samples.append((now, anonymous(at.process.pid), descriptors(at.process.pid)))
        at.process.must_live()
        if now >= (number + 1) * RELOAD_EVERY:
            number += 1
            served.write(is_gate_open=number % 2 == 1, broken="no policy" if number % UNFIT_OF == 0 else "")
            reload(at)
        time.sleep(max(0.0, len(samples) * SAMPLE_EVERY - (time.monotonic() - began)))
    return samples


def slope(points: list[tuple[float, float]]) -> float:
    """Least squares, in units an hour."""
    count = len(points)
    mean_x, mean_y = (sum(point[axis] for point in points) / count for axis in (0, 1))
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return 3600 * sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0


def plot(samples: list[Sample]) -> str:
    """A line each so often: minutes, MiB, descriptors."""
    most = max(kib for _, kib, _ in samples)
    step = max(1, len(samples) // ROWS)
    rows = [f"{at / 60:5.1f} min {kib / 1024:6.1f} MiB {'#' * (WIDTH * kib // most):<{WIDTH}} {count:5} descriptors"
            for at, kib, count in samples[::step]]
    return "\n".join(rows)


def soak(lab: Lab, seconds: float, out: Path | None) -> list[str]:
    """Runs; gives what is wrong."""
    folder = lab.scratch / "soak"
    folder.mkdir()
    with Processes(folder) as processes:
        served = Soaked(lab, processes, folder)
        resetting = Resetting()
        served.hosts |= {"down.imagicle.com": free_port(), "reset.imagicle.com": resetting.port}
        at = served.start(lab.binary, "soaked")
        with clients(kinds(served)) as started:
            for client in started[:3]:
                lab_said = client.stdout and client.stdout.readline()
                if lab_said != "standing\n":
                    return [f"the load never stood: {lab_said}"]
            samples = sampled(at, served, seconds)
            served.write(is_gate_open=True)
            reload(at)
            done = reloads(at)
            ends = [json.loads(client.communicate(input="", timeout=120)[0]) for client in started]
        panics = at.metric("ucx_egress_panics_total")
        series = sum(not line.startswith("#") for line in at.admin("/metrics")[1].splitlines())
        served.socket.close()
        resetting.listener.close()
    if out:
        out.write_text("seconds,anonymous_kib,descriptors\n" + "".join(f"{at:.1f},{kib},{count}\n" for at, kib, count in samples))
    behind = [sample for sample in samples if sample[0] >= WARM_UP * seconds]
    memory = slope([(at, kib / 1024) for at, kib, _ in behind])
    open_files = slope([(at, count) for at, _, count in behind])
    least, most = (pick(count for _, _, count in behind) for pick in (min, max))
    print(plot(samples))
    for end in ends:
        print(json.dumps(end["counts"]))
    print(f"{seconds / 60:.0f} min, {done[0]} reloads and {done[1]} that were not taken, {panics:.0f} panics, {series} series; behind "
          f"the first quarter: memory {memory:+.2f} MiB an hour, descriptors {least} to {most}, {open_files:+.1f} an hour")
    wrong = [failure for end in ends for failure in end["failures"]]
    if panics:
        wrong.append(f"{panics:.0f} panics")
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(prog="soak.py", description="Runs the proxy under mixed load, and draws memory and descriptors.")
    parser.add_argument("--binary", type=Path, default=BINARY, help="the proxy (default: the release build)")
    parser.add_argument("--minutes", type=float, default=30, help="how long (default: %(default)s)")
    parser.add_argument("--csv", type=Path, help="where to write the samples")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    scratch = Path(tempfile.mkdtemp(prefix="ucx-egress-soak-"))
    try:
        with lab.started(scratch, args.binary.resolve()) as laboratory:
            wrong = soak(laboratory, args.minutes * 60, args.csv)
    except (OSError, RuntimeError) as error:
        sys.exit(f"soak: {error}")
    finally:
        shutil.rmtree(scratch)
    for line in wrong[:20]:
        print(f"WRONG {line}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
