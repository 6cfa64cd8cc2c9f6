"""Checks what is shipped for Prometheus and Grafana: statically, then against a Prometheus that scrapes real proxies."""

import argparse
import re
import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "clients"))

import shipped  # noqa: E402
import world  # noqa: E402
from paths import BINARY  # noqa: E402
from procs import Processes, wait_for  # noqa: E402

# A rate needs two scrapes with traffic in between; a machine may be busy.
PATIENCE = 60.0
FAMILY = re.compile(r"^# TYPE (\S+) ", re.MULTILINE)
PARTS = ("_bucket", "_sum", "_count")
LINE = "{:4} {:9} {}"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests/prometheus/run", description=__doc__)
    parser.add_argument("--binary", type=Path, default=BINARY, help="the proxy (default: the release build)")
    return parser.parse_args()


class Checks:
    """Prints a line for each check, and counts those that failed."""

    def __init__(self) -> None:
        self.failed = 0
        self.passed = 0

    def check(self, kind: str, what: str, problem: str) -> None:
        self.passed += not problem
        self.failed += bool(problem)
        if problem:
            print(LINE.format("FAIL", kind, f"{what}: {problem}"), flush=True)

    def summary(self, what: str) -> None:
        print(LINE.format("ok" if not self.failed else "FAIL", "so far", f"{what}: {self.passed} passed, {self.failed} failed"), flush=True)


def static(checks: Checks) -> None:
    """What needs no Prometheus to run."""
    for kind, argv in shipped.PROMTOOL:
        checks.check(kind, argv[-1], shipped.promtool(argv))
    for alert in shipped.alerts():
        checks.check("tested", alert.name, shipped.untested(alert.name))
        checks.check("runbook", alert.name, shipped.runbook_problem(alert))
    checks.summary("rules, their tests and runbooks")


def answered(prometheus: world.Prometheus, query: str) -> str:
    """Waits for data; gives what is wrong."""
    problem = ""

    def has_data() -> bool:
        nonlocal problem
        problem = prometheus.problem_of(query)
        return not problem

    try:
        wait_for(query, has_data, PATIENCE)
    except TimeoutError:
        return f"{problem}\n     {query}"
    return ""


def live(checks: Checks, binary: Path, scratch: Path) -> None:
    """Every expression against proxies with traffic."""
    with Processes(scratch) as processes:
        proxies = world.Proxies(processes, binary, scratch)
        prometheus = world.Prometheus(processes, scratch, proxies.admins)
        with world.Traffic(proxies):
            for panel, query in shipped.dashboard_queries():
                checks.check("panel", panel, answered(prometheus, query))
            for rule in shipped.recordings():
                checks.check("recording", rule.name, answered(prometheus, rule.name))
            for alert in shipped.alerts():
                checks.check("alert", alert.name, answered(prometheus, alert.unconditional()))
        for name, problem in prometheus.rule_problems():
            checks.check("rule", name, problem)
        used = shipped.dashboard_text()
        for family in sorted(set(FAMILY.findall(proxies.metrics()))):
            is_used = any(re.search(rf"\b{family}{part}\b", used) for part in ("", *PARTS))
            checks.check("family", family, "" if is_used else "is in no panel of the dashboard")
    checks.summary("expressions against real proxies")


def main() -> None:
    binary = arguments().binary
    if not binary.is_file():
        sys.exit(f"no proxy at {binary}; build it with `cargo build --release`, or name it with --binary")
    checks = Checks()
    static(checks)
    scratch = Path(tempfile.mkdtemp(prefix="ucx-egress-prometheus-"))
    try:
        live(checks, binary.resolve(), scratch)
    finally:
        shutil.rmtree(scratch)
    print(f"{checks.passed} passed, {checks.failed} failed")
    sys.exit(1 if checks.failed else 0)


if __name__ == "__main__":
    main()
