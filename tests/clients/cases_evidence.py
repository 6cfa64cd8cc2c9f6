"""What a proxy that ran leaves behind and what is asked of it from a shell: audit files, the report, doctor, manual, completion."""

import json
import os
import re
import shutil
import signal
import time
from pathlib import Path

import proxy
from lab import Case, Lab, expect
from procs import Done, Processes, clean_env, run
from proxy import Proxy

AUDIT = '[audit]\npath = "audit/"\nflush = "200ms"\ncompress = false\n'
REFUSED = "not-documented.example"


def ucx(lab: Lab, *arguments: str | Path) -> Done:
    return run([lab.binary, *arguments])


def curl(lab: Lab, at: Proxy, host: str) -> Done:
    return run(["curl", "-sS", "--max-time", "10", "-x", at.url, "--cacert", lab.pki.root, f"https://{host}/test"])


def audited(lab: Lab, processes: Processes, folder: Path) -> Proxy:
    return proxy.launch(processes, lab.binary, proxy.configure(folder / "audited.toml", lab.ports, sections=AUDIT))


def files(folder: Path) -> list[Path]:
    return sorted((folder / "audit").glob("*.jsonl*"))


def recorded(lab: Lab, name: str, kill: bool = False) -> Path:
    """The folder of a proxy that allowed two requests and refused one, and then stopped or was killed and started again."""
    folder = lab.scratch / name
    folder.mkdir()
    with Processes(folder) as processes:
        at = audited(lab, processes, folder)
        for host in ("api.imagicle.com", "api.imagicle.com", REFUSED):
            curl(lab, at, host)
        if kill:
            time.sleep(0.5)  # two flushes: what came before is in the file
            os.kill(at.process.pid, signal.SIGKILL)
            again = proxy.launch(processes, lab.binary, proxy.configure(folder / "audited.toml", lab.ports, sections=AUDIT))
            curl(lab, again, "api.imagicle.com")
    return folder


def audit_is_whole_and_holds_nobody(lab: Lab) -> str:
    folder = recorded(lab, "audit-whole")
    done = ucx(lab, "audit", "verify", folder / "audit")
    expect(done.code == 0, done.out + done.err)
    text = "".join(file.read_text() for file in files(folder))
    kinds = [json.loads(line)["kind"] for line in text.splitlines()]
    expect(kinds[0] == "start" and kinds[-1] in ("stop", "checkpoint") and kinds.count("decision") >= 3, str(kinds))
    expect(REFUSED not in text, "the audit names a host that a client wrote")
    return f"{len(kinds)} lines"


def spoilt(lines: list[bytes], how: str) -> list[bytes]:
    middle = len(lines) // 2
    if how == "flip":
        line = bytearray(lines[middle])
        line[len(line) // 3] ^= 1
        return [*lines[:middle], bytes(line), *lines[middle + 1:]]
    if how == "drop":
        return lines[:middle] + lines[middle + 1:]
    if how == "swap":
        return [*lines[:middle], lines[middle + 1], lines[middle], *lines[middle + 2:]]
    return [*lines[:middle], lines[middle][: len(lines[middle]) // 2]]


def audit_finds_every_change(lab: Lab) -> str:
    folder = recorded(lab, "audit-changed")
    original = files(folder)[0].read_bytes()
    said = []
    for how in ("flip", "drop", "swap", "truncate"):
        copy = lab.scratch / f"audit-{how}"
        shutil.copytree(folder / "audit", copy)
        changed = copy / files(folder)[0].name
        changed.write_bytes(b"".join(spoilt(original.splitlines(keepends=True), how)))
        done = ucx(lab, "audit", "verify", copy)
        expect(done.code == 1, f"{how}: {done.code}, {done.out}{done.err}")
        line = re.search(r"broken at line (\d+)", done.out + done.err)
        expect(line, f"{how}: no line is named: {done.out}{done.err}")
        said.append(f"{how} at {line[1]}")
    return ", ".join(said)


def audit_outlives_a_kill(lab: Lab) -> None:
    folder = recorded(lab, "audit-killed", kill=True)
    done = ucx(lab, "audit", "verify", folder / "audit")
    expect(done.code == 0 and len(files(folder)) >= 2, f"{done.code}: {done.out}{done.err}")
    decisions = sum(file.read_text().count('"kind":"decision"') for file in files(folder))
    expect(decisions >= 4, f"{decisions} decisions of four are there")


def report_agrees_in_every_format(lab: Lab) -> str:
    folder = recorded(lab, "reported")
    made = {}
    for form in ("json", "csv", "html"):
        done = ucx(lab, "--config", folder / "audited.toml", "report", "--from", "2020-01-01", "--to", "2100-01-01", "--format", form, folder / "audit")
        expect(done.code == 0, f"{form}: {done.err}")
        made[form] = done.out
    said = json.loads(made["json"])
    expect(said["integrity"]["ok"] and said["decisions"]["deny"] >= 1, str(said["decisions"]))
    expect("default-src" in made["html"] or "<style" in made["html"], "the page has no style of its own")
    outside = re.findall(r'(?:src|href)="(?!#)[^"]*"|url\(', made["html"])
    expect(not outside, f"the page asks elsewhere: {outside[:3]}")
    expect(f'all,,deny,exchanges,{said["decisions"]["deny"]},' in made["csv"], "the table says otherwise")
    return f'{said["decisions"]}'


def doctor_sees_the_way(lab: Lab) -> str:
    file = lab.scratch / "doctor.toml"
    proxy.configure(file, lab.ports, upstream=f'ca_files = ["{lab.pki.root}"]')
    done = ucx(lab, "--config", file, "doctor", "--json")
    lines = json.loads(done.out)["checks"]
    areas = {line["area"] for line in lines}
    expect({"policy", "dns", "tcp", "tls", "http", "clock"} <= areas, f"{areas}; {done.err}")
    text = json.dumps(lines)
    expect("api.imagicle.com:443" in text and "h2" in text, text[:500])
    return f"{len(lines)} checks, exit {done.code}"


def shell_completes(lab: Lab) -> None:
    script = lab.scratch / "completion.bash"
    script.write_text(ucx(lab, "completion", "bash").out)
    asks = f'source {script}; COMP_WORDS=(ucx-egress do); COMP_CWORD=1; _ucx_egress ucx-egress do ucx-egress; echo "${{COMPREPLY[@]}}"'
    done = run(["bash", "-c", asks], env=clean_env())
    expect("doctor" in done.out.split(), done.out + done.err)


def manual_is_one(lab: Lab) -> None:
    page = ucx(lab, "man").out
    expect(page.startswith((".ie", ".TH", ".\\\"")) and ".SH" in page and "doctor" in page, page[:200])
    version = ucx(lab, "--version").out
    expect(re.search(r"ucx-egress \d+\.\d+\.\d+.*[0-9a-f]{7}", version, re.DOTALL), version)


CASES = [
    Case("evidence-audit", "audit files of a real run are whole and name nobody", audit_is_whole_and_holds_nobody),
    Case("evidence-audit-changed", "a flipped byte, a dropped line, two swapped, a cut: each is found", audit_finds_every_change),
    Case("evidence-audit-killed", "after a kill and a restart the chain verifies", audit_outlives_a_kill),
    Case("evidence-report", "the report is one page by itself, and says the same in every format", report_agrees_in_every_format),
    Case("evidence-doctor", "doctor looks at the whole way", doctor_sees_the_way),
    Case("evidence-completion", "bash completes the verbs", shell_completes),
    Case("evidence-manual", "manual and version", manual_is_one),
]
