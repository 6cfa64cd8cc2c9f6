"""The container image, in a container: podman with runc, nothing writable, user 65532, the host's network."""

import json
import re
import subprocess
from pathlib import Path

from lab_tools import examined, expect, is_ready
from podman import LIMITS, environment, podman
from paths import ROOT
from procs import Done, run, wait_for

ADMIN_PORT = 9180


def image(scratch: Path) -> Path:
    return scratch / "image"


def running(scratch: Path, *options: str) -> list[str | Path]:
    flags = ["--rm", "--runtime", "runc", "--read-only", "--read-only-tmpfs=false", "--network", "host", "--cap-drop", "all",
             "--security-opt", "no-new-privileges", *LIMITS, *options]
    return podman(scratch, "run", *flags, "localhost/ucx-egress:test")


def contained(scratch: Path, *argv: str, options: tuple[str, ...] = ()) -> Done:
    return run([*running(scratch, *options), *argv], timeout=120, env=environment())


def build(binary: Path, scratch: Path) -> str:
    done = run([ROOT / "config" / "container" / "build", "--binary", binary, "--output", image(scratch)])
    expect(done.code == 0, done.err)
    first = (image(scratch) / "index.json").read_bytes()
    run([ROOT / "config" / "container" / "build", "--binary", binary, "--output", image(scratch)])
    expect(first == (image(scratch) / "index.json").read_bytes(), "the same input gave another image")
    pulled = run(podman(scratch, "pull", "--quiet", f"oci:{image(scratch)}"), timeout=120, env=environment())
    expect(pulled.code == 0, pulled.err)
    tagged = run(podman(scratch, "tag", pulled.out.split()[-1], "localhost/ucx-egress:test"), env=environment())
    expect(tagged.code == 0, tagged.err)
    return done.out.split(": ", 1)[1].strip()


def small(_binary: Path, scratch: Path) -> str:
    """No shell, nothing that runs as root, nothing writable by its user."""
    inspected = json.loads(run(podman(scratch, "inspect", "localhost/ucx-egress:test"), env=environment()).out)[0]
    expect(inspected["Config"]["User"] == "65532:65532", inspected["Config"]["User"])
    shell = run([*running(scratch, "--entrypoint", "/bin/sh"), "-c", "true"], timeout=60, env=environment())
    expect(shell.code != 0 and "no such file" in shell.err, f"there is a shell in it: {shell.err}")
    layers = [blob for blob in (image(scratch) / "blobs" / "sha256").iterdir() if blob.read_bytes()[:2] == b"\x1f\x8b"]
    listing = run(["tar", "-tzvf", layers[0]]).out
    expect(not re.search(r"^-..s|^.{8}w", listing, re.MULTILINE), "something in it is setuid, or writable by everybody")
    return f"{len(listing.splitlines())} files and folders"


def says_its_version(_binary: Path, scratch: Path) -> str:
    done = contained(scratch, "--version")
    expect(done.code == 0, done.err)
    return done.out.strip()


def demonstrates(_binary: Path, scratch: Path) -> str:
    """Keys of the demonstration need a folder, in memory."""
    done = contained(scratch, "demo", "--once", options=("--tmpfs", "/tmp:mode=1777,size=1m"))
    expect(done.code == 0, done.err or done.out)
    return done.out.strip().splitlines()[-1]


def examines(_binary: Path, scratch: Path) -> str:
    return examined(contained(scratch, "--config", "/etc/ucx-egress/ucx-egress.toml", "doctor", "--json"))


def serves(_binary: Path, scratch: Path) -> str:
    argv = [*running(scratch, "--name", "ucx-egress-test")]
    with subprocess.Popen([*map(str, argv)], env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_for("a proxy that is ready", lambda: process.poll() is not None or is_ready(ADMIN_PORT))
            expect(process.poll() is None, "it ended at once")
            top = run(podman(scratch, "exec", "ucx-egress-test", "/usr/bin/ucx-egress", "--version"), env=environment())
        finally:
            run(podman(scratch, "stop", "--time", "20", "ucx-egress-test"), env=environment())
        code = process.wait(30)
        log = process.stderr.read()
    expect(code == 0, f"it ended with {code}: {log[-500:]}")
    expect('"message":"stopped"' in log, log[-500:])
    expect(top.code == 0, top.err)
    return "ready, and ended by SIGTERM with 0"


CASES = [
    ("the image is built, the same twice", build),
    ("it holds no shell and runs as nobody", small),
    ("it says its version", says_its_version),
    ("`demo --once` is right inside", demonstrates),
    ("`doctor` finds what it needs inside", examines),
    ("it serves with nothing writable, and stops in order", serves),
]
