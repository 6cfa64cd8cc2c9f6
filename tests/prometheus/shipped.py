"""The files of config/prometheus and config/grafana, read for checking.

The few keys of the rules that are needed are found line by line, without a YAML library; promtool sees to the rest.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from paths import ROOT
from procs import run

RULES = ROOT / "config" / "prometheus"
RECORDING, ALERTS = RULES / "recording.rules.yml", RULES / "alerts.rules.yml"
DASHBOARD = ROOT / "config" / "grafana" / "dashboard.json"
TESTS = Path(__file__).resolve().parent / "alerts.test.yml"

PROMTOOL = (
    ("rules", ["check", "rules", str(RECORDING)]),
    ("rules", ["check", "rules", str(ALERTS)]),
    ("config", ["check", "config", str(RULES / "prometheus.yml")]),
    ("tests", ["test", "rules", str(TESTS)]),
)
VARIABLES = {"$__rate_interval": "1m", "$job": "ucx-egress", "$instance": ".*"}
COMPARISON = re.compile(r" (==|!=|<=|>=|<|>) (?=[\d(])")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Rule:
    name: str
    text: str

    @property
    def expression(self) -> str:
        """The expression, on its line or in the block below."""
        block = re.search(r"^ +expr: \|\n((?: {10,}.*\n?)+)", self.text, re.MULTILINE)
        line = re.search(r"^ +expr: (?!\|)(.+)$", self.text, re.MULTILINE)
        return " ".join(block[1].split()) if block else line[1]

    def unconditional(self) -> str:
        """The expression with 0 or 1 where it would say nothing: whether there is anything to compare at all."""
        inner = COMPARISON.sub(lambda found: f" {found[1]} bool ", self.expression)
        # A CA that is not there is filtered out on purpose.
        return inner.replace("_timestamp_seconds > bool 0", "_timestamp_seconds > 0")

    @property
    def runbook(self) -> str:
        found = re.search(r'runbook: "(.+)"', self.text)
        return found[1] if found else ""


def promtool(argv: list[str]) -> str:
    done = run(["promtool", *argv])
    return "" if done.code == 0 else f"promtool ended with {done.code}: {(done.out + done.err).strip()}"


def rules(file: Path, kind: str) -> Iterator[Rule]:
    for part in re.split(rf"^ +- (?={kind}: )", file.read_text(), flags=re.MULTILINE)[1:]:
        name, _, text = part.partition("\n")
        yield Rule(name.removeprefix(f"{kind}: ").strip(), text)


def recordings() -> list[Rule]:
    return list(rules(RECORDING, "record"))


def alerts() -> list[Rule]:
    return list(rules(ALERTS, "alert"))


def untested(alert: str) -> str:
    """promtool runs the tests; here it is held that each alert has both."""
    text = TESTS.read_text()
    quiet = re.search(rf"alertname: {alert}, exp_alerts: \[\]", text)
    firing = re.search(rf"alertname: {alert}\n +exp_alerts:\n +- exp_labels", text)
    return "" if quiet and firing else f"no test in {TESTS.name} that it {'fires' if quiet else 'is quiet'}"


def runbook_problem(alert: Rule) -> str:
    path, _, anchor = alert.runbook.partition("#")
    file = ROOT / path
    if not path or not file.is_file():
        return f"no file {alert.runbook!r}"
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(file.read_text())}
    return "" if anchor in anchors else f"no section {anchor!r} in {path}"


def dashboard_text() -> str:
    queries = " ".join(query for _, query in dashboard_queries())
    # What a panel asks for by its recorded name, it uses.
    return " ".join([queries, *(rule.expression for rule in recordings() if rule.name in queries)])


def dashboard_queries() -> list[tuple[str, str]]:
    """Titles and expressions of every panel and annotation, with variables as Grafana would fill them in."""
    dashboard = json.loads(DASHBOARD.read_text())
    found = [(panel["title"], target["expr"]) for panel in dashboard["panels"] for target in panel.get("targets", [])]
    found += [(each["name"], each["expr"]) for each in dashboard["annotations"]["list"] if "expr" in each]
    return [(title, filled(expression)) for title, expression in found]


def filled(expression: str) -> str:
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    return expression
