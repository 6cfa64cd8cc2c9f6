"""The Debian package in a clean Debian: installed, started without systemd, upgraded, removed, purged."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import booted
from lab_tools import examined, expect, is_ready
from paths import ROOT
from procs import Done, clean_env, run, wait_for

RELEASE = "bookworm"
CACHED = ROOT / "target" / "packages" / f"{RELEASE}-systemd.tar"
CONFIGURATION = "etc/ucx-egress/ucx-egress.toml"
ADMIN_PORT = 19180


def tree(scratch: Path) -> Path:
    return scratch / "tree"


def unmount(scratch: Path) -> None:
    booted.unmount(scratch)
    if (tree(scratch) / "proc" / "self").exists():
        run(["umount", tree(scratch) / "proc"])


def inside(scratch: Path, *argv: str, timeout: float = 120) -> Done:
    env = clean_env(DEBIAN_FRONTEND="noninteractive", PATH="/usr/sbin:/usr/bin:/sbin:/bin")
    return run(["chroot", tree(scratch), *argv], env=env, timeout=timeout)


def must(scratch: Path, *argv: str) -> str:
    done = inside(scratch, *argv)
    expect(done.code == 0, f"{' '.join(argv)} ended with {done.code}: {done.err or done.out}")
    return done.out


def package(scratch: Path) -> Path:
    return next((scratch / "package").glob("*.deb"))


def build(binary: Path, scratch: Path) -> str:
    done = run([ROOT / "config" / "debian" / "build", binary, scratch / "package"], timeout=300,
               env=clean_env(HOME=str(Path.home()), CARGO_HOME=str(cargo_home())))
    expect(done.code == 0, done.err)
    return f"{package(scratch).stat().st_size >> 10} KiB"


def cargo_home() -> Path:
    return Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))


def described(_binary: Path, scratch: Path) -> str:
    """What the package says of itself and has in it."""
    fields = run(["dpkg-deb", "--field", package(scratch), "Package", "Depends", "Version"]).out
    expect("adduser" in fields and "libc6" in fields, fields)
    files = run(["dpkg-deb", "--contents", package(scratch)]).out
    for wanted in ("./usr/bin/ucx-egress", "man1/ucx-egress.1.gz", "man1/ucx-egress-doctor.1.gz", "completions/ucx-egress",
                   "_ucx-egress", "ucx-egress.fish", "systemd/system/ucx-egress.service", "systemd/system/ucx-egress.socket",
                   "./etc/ucx-egress/ucx-egress.toml", "copyright", "changelog.Debian.gz", "alerts.rules.yml", "dashboard.json"):
        expect(wanted in files, f"{wanted} is not in the package")
    conffiles = run(["dpkg-deb", "--info", package(scratch), "conffiles"]).out.split()
    expect(conffiles == [f"/{CONFIGURATION}"], str(conffiles))
    return re.search(r"Depends: (.*)", fields)[1]


def clean_of_lint(_binary: Path, scratch: Path) -> str:
    done = run(["lintian", "--fail-on", "error,warning", "--tag-display-limit", "0", "--allow-root", package(scratch)], timeout=300)
    said = [line for line in (done.out + done.err).splitlines() if line.startswith(("E:", "W:"))]
    expect(done.code == 0 and not said, "; ".join(said) or done.err)
    return "no error, no warning"


def readable(binary: Path, scratch: Path) -> str:
    """The manual as mandoc reads it."""
    folder = scratch / "man"
    expect(run([binary, "man", "--directory", folder]).code == 0, "the manual is not written")
    pages = sorted(folder.iterdir())
    done = run(["mandoc", "-T", "lint", "-W", "error", *pages])
    expect(done.code == 0, done.out or done.err)
    return f"{len(pages)} pages"


def installed(_binary: Path, scratch: Path) -> str:
    CACHED.parent.mkdir(parents=True, exist_ok=True)
    if CACHED.exists():
        tree(scratch).mkdir()
        expect(run(["tar", "-xf", CACHED, "-C", tree(scratch)]).code == 0, "the kept tree cannot be unpacked")
    else:
        done = run(["debootstrap", "--variant=minbase", "--include=ca-certificates,adduser,dbus,systemd,systemd-sysv", RELEASE, tree(scratch)], timeout=900,
                   env=clean_env(HOME="/root"))
        expect(done.code == 0, done.out[-500:])
        run(["tar", "-cf", CACHED, "-C", tree(scratch), "."])
    run(["mount", "-t", "proc", "proc", tree(scratch) / "proc"])
    shutil.copy(package(scratch), tree(scratch) / "package.deb")
    must(scratch, "apt-get", "-qq", "install", "--yes", "--no-install-recommends", "./package.deb")
    expect("ii  ucx-egress" in must(scratch, "dpkg", "-l", "ucx-egress"), "it is not installed")
    said = must(scratch, "ucx-egress", "--version").strip()
    modes = must(scratch, "stat", "-c", "%U:%G %a", f"/{CONFIGURATION}", "/etc/ucx-egress/certs", "/var/lib/ucx-egress").splitlines()
    expect(modes == ["root:ucx-egress 640", "ucx-egress:ucx-egress 700", "ucx-egress:ucx-egress 750"], str(modes))
    return said


def demonstrates(_binary: Path, scratch: Path) -> str:
    return must(scratch, "ucx-egress", "demo", "--once").strip().splitlines()[-1]


def examines(_binary: Path, scratch: Path) -> str:
    return examined(as_user(scratch, "doctor", "--json"))


def started(_binary: Path, scratch: Path) -> str:
    """By hand, since a chroot has no systemd: as the package's user, with a configuration on ports of its own."""
    file = tree(scratch) / "etc/ucx-egress/test.toml"
    file.write_text(f'[listener]\naddress = "127.0.0.1:0"\n[admin]\naddress = "127.0.0.1:{ADMIN_PORT}"\n')
    argv = ["chroot", "--userspec=ucx-egress:ucx-egress", tree(scratch), "/usr/bin/ucx-egress", "--config", "/etc/ucx-egress/test.toml"]
    made = as_user(scratch, "ca", "init")
    expect(made.code == 0, f"the service's user cannot make a CA: {made.err}")
    with subprocess.Popen([*map(str, argv), "run"], stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_for("a proxy that is ready", lambda: is_ready(ADMIN_PORT))
        finally:
            process.terminate()
        code = process.wait(20)
    expect(code == 0, f"it ended with {code}")
    file.unlink()
    return "ready, and ended by SIGTERM with 0"


def as_user(scratch: Path, *argv: str) -> Done:
    return run(["chroot", "--userspec=ucx-egress:ucx-egress", tree(scratch), "/usr/bin/ucx-egress", "--config", f"/{CONFIGURATION}", *argv])


def upgraded(_binary: Path, scratch: Path) -> None:
    """A newer package leaves what the administrator changed, and says so to nobody."""
    configuration = tree(scratch) / CONFIGURATION
    configuration.write_text(configuration.read_text().replace('profile = "documented"', 'profile = "strict"'))
    newer = scratch / "newer"
    run(["dpkg-deb", "-R", package(scratch), newer])
    control = newer / "DEBIAN" / "control"
    control.write_text(re.sub(r"Version: .*", "Version: 0.1.1-1", control.read_text()))
    shipped = newer / CONFIGURATION
    shipped.write_text(shipped.read_text() + "# another version's\n")
    run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "-b", newer, tree(scratch) / "newer.deb"], timeout=300)
    must(scratch, "dpkg", "--force-confold", "-i", "/newer.deb")
    expect("0.1.1-1" in must(scratch, "dpkg-query", "-W", "ucx-egress"), "it was not upgraded")
    text = configuration.read_text()
    expect('profile = "strict"' in text and "another version's" not in text, "the changed configuration was lost")
    expect((tree(scratch) / f"{CONFIGURATION}.dpkg-dist").exists(), "the new default was not laid beside it")
    modes = must(scratch, "stat", "-c", "%U:%G %a", f"/{CONFIGURATION}").strip()
    expect(modes == "root:ucx-egress 640", modes)


def removed(_binary: Path, scratch: Path) -> None:
    must(scratch, "dpkg", "-r", "ucx-egress")
    expect((tree(scratch) / CONFIGURATION).exists(), "removing took the configuration")
    expect(not (tree(scratch) / "usr/bin/ucx-egress").exists(), "the program is still there")
    must(scratch, "dpkg", "-P", "ucx-egress")
    left = [folder for folder in ("etc/ucx-egress", "var/lib/ucx-egress", "var/log/ucx-egress") if (tree(scratch) / folder).exists()]
    expect(not left, f"purging left {left}")
    dropped = run(["find", tree(scratch) / "etc", tree(scratch) / "usr", tree(scratch) / "lib", "-name", "*ucx-egress*"]).out.split()
    expect(not dropped, f"purging left {dropped}")


CASES = [
    ("the package is built", build),
    ("it describes itself, its files are there", described),
    ("lintian finds nothing", clean_of_lint),
    ("mandoc reads every page of the manual", readable),
    ("apt installs it on a clean Debian", installed),
    ("`demo --once` is right there", demonstrates),
    ("its user starts the proxy", started),
    ("`doctor` finds what it needs there", examines),
    *booted.CASES,
    ("an upgrade keeps a changed configuration", upgraded),
    ("removing keeps the configuration, purging takes everything", removed),
]
