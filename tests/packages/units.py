"""The systemd units, as systemd itself reads them."""

import re
from pathlib import Path

from lab_tools import expect
from paths import ROOT
from procs import must_run, run

FOLDER = ROOT / "config" / "systemd"
# What systemd counts as exposure, from 0 (none) to 10.
MOST_EXPOSED = 1.1


def copied(scratch: Path) -> list[Path]:
    """The units, with a program and a manual that are there."""
    folder = scratch / "units"
    folder.mkdir(exist_ok=True)
    for unit in FOLDER.rglob("ucx-egress.*"):
        text = unit.read_text().replace("/usr/bin/ucx-egress ", "/bin/true ").replace("man:ucx-egress(1)", "man:true(1)")
        (folder / unit.name).write_text(text)
    return sorted(folder.iterdir())


def verified(_binary: Path, scratch: Path) -> None:
    done = run(["systemd-analyze", "verify", *copied(scratch)])
    complaints = [line for line in done.err.splitlines() if "ucx-egress" in line and "Command 'man" not in line]
    expect(done.code == 0 and not complaints, f"systemd-analyze verify ended with {done.code}: {complaints or done.err}")


def hardened(_binary: Path, scratch: Path) -> str:
    service = next(unit for unit in copied(scratch) if unit.suffix == ".service")
    done = run(["systemd-analyze", "security", "--offline=true", service])
    found = re.search(r"exposure level for \S+: ([\d.]+)", done.out)
    expect(found, done.err or done.out)
    expect(float(found[1]) <= MOST_EXPOSED, f"exposure {found[1]}, at most {MOST_EXPOSED}")
    return f"exposure {found[1]} of 10"


def fits_the_default(binary: Path, _scratch: Path) -> None:
    """The socket unit names addresses that the packaged configuration has."""
    must_run([binary, "--config", ROOT / "config" / "ucx-egress.toml", "check"])
    configured = set(re.findall(r'^address = "(.+)"', (ROOT / "config" / "ucx-egress.toml").read_text(), re.MULTILINE))
    held = set(re.findall(r"^ListenStream=(.+)", (FOLDER / "optional" / "ucx-egress.socket").read_text(), re.MULTILINE))
    expect(held == configured, f"the socket unit has {held}, the configuration {configured}")


CASES = [
    ("systemd-analyze verify finds nothing", verified),
    ("the service is hardened", hardened),
    ("the socket unit has the configuration's addresses", fits_the_default),
]
