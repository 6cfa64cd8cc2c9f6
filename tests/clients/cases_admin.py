"""The figures: readable by Prometheus, and a measurement of what an idle tunnel costs."""

import sys

from lab import Case, Lab, expect
from paths import HERE
from procs import run

IDLE_TUNNELS = 2000


def metrics_are_clean(lab: Lab) -> None:
    """promtool's complaints of style count as failures: names are for ever."""
    status, text = lab.proxy.admin("/metrics")
    expect(status == 200, f"status {status}")
    done = run(["promtool", "check", "metrics"], stdin=text)
    complaint = (done.err + done.out).strip()
    expect(done.code == 0 and not complaint, f"promtool ended with {done.code}: {complaint}")


def idle_tunnels(lab: Lab) -> str:
    done = run([sys.executable, HERE / "idle_tunnels.py", "--binary", lab.binary, "--count", str(IDLE_TUNNELS)],
               timeout=180)
    expect(done.code == 0, (done.err or done.out).strip())
    return done.out.strip().splitlines()[-1]


CASES = [
    Case("promtool", "GET /metrics passes `promtool check metrics`", metrics_are_clean),
    Case("idle-tunnels", "opened, measured, and every descriptor given back", idle_tunnels),
]
