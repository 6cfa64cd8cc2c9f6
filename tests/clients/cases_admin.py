"""The figures: readable by Prometheus, and a measurement of what an idle tunnel costs."""

import sys

from lab import Case, Lab, expect
from paths import HERE
from procs import run

IDLE_TUNNELS = 2000
RANDOM_HOSTS = 20_000


def metrics_are_clean(lab: Lab) -> None:
    """promtool's complaints of style count as failures: names are for ever."""
    status, text = lab.proxy.admin("/metrics")
    expect(status == 200, f"status {status}")
    done = run(["promtool", "check", "metrics"], stdin=text)
    complaint = (done.err + done.out).strip()
    expect(done.code == 0 and not complaint, f"promtool ended with {done.code}: {complaint}")


def measured(lab: Lab, script: str, count: int, option: str = "--count") -> str:
    done = run([sys.executable, HERE / script, "--binary", lab.binary, option, str(count)], timeout=180)
    expect(done.code == 0, (done.err or done.out).strip())
    return done.out.strip().splitlines()[-1]


def idle_tunnels(lab: Lab) -> str:
    return measured(lab, "idle_tunnels.py", IDLE_TUNNELS)


def random_hosts(lab: Lab) -> str:
    return measured(lab, "random_hosts.py", RANDOM_HOSTS)


CASES = [
    Case("promtool", "GET /metrics passes `promtool check metrics`", metrics_are_clean),
    Case("idle-tunnels", "opened, measured, and every descriptor given back", idle_tunnels),
    Case("random-hosts", "no host that is asked for adds a time series", random_hosts),
]
