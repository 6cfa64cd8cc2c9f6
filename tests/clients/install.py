"""Installs the clients and servers the cases need, and nothing that is there already.

Runs under the system's Python, before the virtual environment exists, so it uses the
standard library only. A warm run asks no registry and takes a few milliseconds.
"""

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from paths import HERE, NODE, SEARCH_PATH, VENV

COMMANDS = {
    "curl": "curl",
    "haproxy": "haproxy",
    "javac": "openjdk-17-jdk-headless",
    "keytool": "openjdk-17-jdk-headless",
    "ldapsearch": "ldap-utils",
    "nginx": "nginx-light",
    "node": "nodejs",
    "npm": "npm",
    "openssl": "openssl",
    "pactester": "libpacparser1",
    "promtool": "prometheus",
    "setpriv": "util-linux",
    "slapd": "slapd",
    "squid": "squid-openssl",
    "tinyproxy": "tinyproxy",
    "unshare": "util-linux",
    "wget": "wget",
}
FILES = {
    # nginx's echo module, which the package called plain `nginx` leaves out.
    Path("/usr/lib/nginx/modules/ngx_http_echo_module.so"): "nginx-light",
}
POLICY = Path("/usr/sbin/policy-rc.d")


def missing_packages() -> list[str]:
    """The Debian packages whose command or file this machine lacks."""
    wanted = {package for command, package in COMMANDS.items() if not shutil.which(command, path=SEARCH_PATH)}
    wanted |= {package for file, package in FILES.items() if not file.exists()}
    if importlib.util.find_spec("ensurepip") is None:
        wanted.add("python3-venv")
    return sorted(wanted)


@contextlib.contextmanager
def no_service_starts() -> Iterator[None]:
    """Forbids package scripts to start services: the cases start their own."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()


def install_packages(packages: list[str]) -> None:
    if not packages:
        return
    if os.geteuid() != 0:
        sys.exit(f"as root, run: apt-get install --no-install-recommends {' '.join(packages)}")
    print(f"installing {' '.join(packages)}", flush=True)
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with no_service_starts():
        step(["apt-get", "-qq", "update"], env=env)
        step(["apt-get", "-qq", "install", "--no-install-recommends", *packages], env=env)


def install_python() -> None:
    requirements = HERE / "python" / "requirements.txt"
    with unless_stamped(VENV, requirements) as stale:
        if stale:
            print(f"installing {VENV.name}", flush=True)
            step([sys.executable, "-m", "venv", "--clear", str(VENV)])
            step([str(VENV / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check",
                  "--requirement", str(requirements)])


def install_node() -> None:
    lock = HERE / "node" / "package-lock.json"
    with unless_stamped(NODE, lock) as stale:
        if stale:
            print(f"installing {NODE.name}", flush=True)
            NODE.mkdir(parents=True, exist_ok=True)
            for name in ("package.json", lock.name):
                shutil.copy(HERE / "node" / name, NODE / name)
            step(["npm", "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=NODE)


@contextlib.contextmanager
def unless_stamped(folder: Path, source: Path) -> Iterator[bool]:
    """Says whether `folder` was made from another `source` or by another Python, and stamps it once it is made anew.

    The stamp is written last, so that an interrupted install is done again.
    """
    stamp = folder / ".installed-from"
    wanted = f"{sys.version}\n{source.read_text()}"
    stale = not stamp.exists() or stamp.read_text() != wanted
    if stale:
        stamp.unlink(missing_ok=True)
    yield stale
    if stale:
        stamp.write_text(wanted)


def step(argv: list[str], cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
    """Runs one installer quietly; what it printed is shown only when it fails."""
    done = subprocess.run(argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{done.stdout}\nfailed with {done.returncode}: {' '.join(argv)}")


def main() -> None:
    install_packages(missing_packages())
    install_python()
    install_node()


if __name__ == "__main__":
    main()
