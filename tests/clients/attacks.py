#!/usr/bin/env python3
"""Measures what a client that behaves notices of one that does not: its p99 while another client attacks, beside its p99 in quiet.

Attackers run at the lowest priority and the good client at a high one: on a machine that all of them share, what is measured is
the proxy's fairness and not the scheduler's.
"""

import argparse
import json
import math
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import lab
import upstreams
from idle_tunnels import anonymous
from lab import Lab
from paths import BINARY, HERE
from procs import Processes, clean_env, wait_for
from soak import Soaked
from proxy import Proxy

RATE = 40
LIMIT = 3.0


def python(program: str, *args: object) -> list[str]:
    return [sys.executable, str(HERE / "python" / program), *map(str, args)]


def processor_seconds(pid: int) -> float:
    """Time that a process has spent on processors, its own and the kernel's for it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def good(at: Proxy, roots: Path, seconds: float) -> dict[str, dict[str, list[float]]]:
    argv = ["nice", "-n", "-10", *python("good.py", at.port, roots, seconds, RATE)]
    done = subprocess.run(argv, env=clean_env(), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def attacked(at: Proxy, kind: str, authority: Path, roots: Path, seconds: float) -> tuple[dict, int, float]:
    """The good client's figures, how often the attack began, and the proxy's processor time for a second of it."""
    argv = ["nice", "-n", "19", *python("attack.py", kind, at.port, authority)]
    attacker = subprocess.Popen(argv, env=clean_env(), text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        time.sleep(2)
        before, began = processor_seconds(at.process.pid), time.monotonic()
        figures = good(at, roots, seconds)
        spent = (processor_seconds(at.process.pid) - before) / (time.monotonic() - began)
        times = int(attacker.communicate(input="", timeout=60)[0] or 0)
    finally:
        attacker.kill()
        attacker.wait()
    return figures, times, spent


def measure(lab: Lab, seconds: float, only: list[str]) -> bool:
    folder = lab.scratch / "attacks"
    folder.mkdir()
    listed = subprocess.run(python("attack.py", "list", 0, "-"), env=clean_env(), capture_output=True, text=True, check=True).stdout
    kinds = dict(line.split("\t") for line in listed.splitlines())
    with Processes(folder) as processes:
        served = Soaked(lab, processes, folder)
        # What an attack has a server do for it is done by one of its own: the good client is not to wait for that.
        bulk, port = upstreams.start_nginx(processes, folder / "bulk", lab.pki, connections=4096)
        bulk.await_port(port)
        served.hosts["bulk.imagicle.com"] = port
        at = served.start(lab.binary, "attacked")
        roots = folder / "roots.pem"
        roots.write_text(Path(served.root).read_text() + served.authority.certificate.read_text())
        good(at, roots, 2)
        quiet = [good(at, roots, seconds)["milliseconds"] for _ in range(3)]
        base = {kind: statistics.median(figures[kind][1] for figures in quiet) for kind in ("new", "kept")}
        print(f"{'attack':16} {'new p99':>9} {'x quiet':>8} {'kept p99':>9} {'x quiet':>8} {'begun':>8} {'CPU':>5}  failed")
        print(f"{'none':16} {base['new']:6.1f} ms {'':8} {base['kept']:6.1f} ms")
        fair = True
        for kind in only or kinds:
            figures, times, spent = attacked(at, kind, served.authority.certificate, roots, seconds)
            p99 = {name: figures["milliseconds"].get(name, [0, math.inf])[1] for name in base}
            ratios = {name: p99[name] / base[name] for name in base}
            fair &= max(ratios.values()) <= LIMIT and not figures["failures"]
            print(f"{kind:16} {p99['new']:6.1f} ms {ratios['new']:7.2f}x {p99['kept']:6.1f} ms {ratios['kept']:7.2f}x {times:8} "
                  f"{spent:5.2f}  {len(figures['failures'])} {figures['failures'][:1] or ''}", flush=True)
            wait_for("the attacker's connections end", lambda: at.metric("ucx_egress_connections", listener="proxy") < 5, seconds=60)
        print(f"panics {at.metric('ucx_egress_panics_total'):.0f}, memory {anonymous(at.process.pid) / 1024:.1f} MiB")
        served.socket.close()
    return fair


def main() -> None:
    parser = argparse.ArgumentParser(prog="attacks.py", description="Measures what one client's attack costs another client.")
    parser.add_argument("--binary", type=Path, default=BINARY, help="the proxy (default: the release build)")
    parser.add_argument("--seconds", type=float, default=10, help="how long each attack is measured (default: %(default)s)")
    parser.add_argument("--only", default="", help="attacks, with commas between them (default: all)")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    scratch = Path(tempfile.mkdtemp(prefix="ucx-egress-attacks-"))
    try:
        with lab.started(scratch, args.binary.resolve()) as laboratory:
            fair = measure(laboratory, args.seconds, [kind for kind in args.only.split(",") if kind])
    except (OSError, RuntimeError) as error:
        sys.exit(f"attacks: {error}")
    finally:
        shutil.rmtree(scratch)
    sys.exit(0 if fair else 1)


if __name__ == "__main__":
    main()
