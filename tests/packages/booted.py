"""The installed Debian, booted with systemd: the service as it really runs."""

import re
from pathlib import Path

from lab_tools import expect
from podman import LIMITS, environment, podman
from procs import Done, run, wait_for

NAME = "ucx-egress-booted"
CONFIGURATION = "/etc/ucx-egress/ucx-egress.toml"
# A watchdog that is waited for in seconds.
IMPATIENT = "[Service]\nWatchdogSec=2\nTimeoutAbortSec=1\n"


def systemd(scratch: Path, *argv: str) -> Done:
    return run(podman(scratch, "exec", NAME, *argv), env=environment())


def shell(scratch: Path, script: str) -> str:
    done = systemd(scratch, "bash", "-c", script)
    expect(done.code == 0, f"{script}: {done.err or done.out}")
    return done.out.strip()


def shown(scratch: Path, name: str) -> str:
    return shell(scratch, f"systemctl show --property {name} --value ucx-egress")


def get(scratch: Path, path: str) -> str:
    """What the admin listener answers, asked by bash: a small Debian has no other client."""
    return shell(scratch, f'exec 3<>/dev/tcp/127.0.0.1/9180 && printf "GET {path} HTTP/1.1\\r\\nHost: 127.0.0.1:9180\\r\\nConnection: close\\r\\n\\r\\n" >&3 && cat <&3')


def reloads(scratch: Path, outcome: str) -> int:
    found = re.search(rf'config_reloads_total{{outcome="{outcome}"}} (\d+)', get(scratch, "/metrics"))
    return int(found[1])


def boots(_binary: Path, scratch: Path) -> None:
    run(["umount", scratch / "tree" / "proc"])
    argv = podman(scratch, "run", "--detach", "--name", NAME, "--runtime", "runc", "--privileged", "--systemd=always", "--network", "none",
                  *LIMITS, "--rootfs", scratch / "tree", "/sbin/init")
    done = run(argv, env=environment())
    expect(done.code == 0, done.err)
    wait_for("a booted system", lambda: systemd(scratch, "systemctl", "is-system-running").out.strip() in ("running", "degraded"), 60)
    failed = shell(scratch, "systemctl --failed --plain --no-legend")
    expect("ucx-egress" not in failed, failed)
    expect(shown(scratch, "ActiveState") == "active", shell(scratch, "journalctl -u ucx-egress -n 20 --no-pager"))
    expect(" 200 OK" in get(scratch, "/readyz"), "it is active and not ready")
    socket = shell(scratch, "systemctl is-enabled ucx-egress.socket || true")
    expect(socket == "disabled", f"the optional socket is {socket}")


def confined(_binary: Path, scratch: Path) -> None:
    """As the kernel has it, not as the unit says it."""
    status = shell(scratch, "cat /proc/$(systemctl show --property MainPID --value ucx-egress)/status")
    facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    for name, wanted in {"CapEff": "0" * 16, "CapBnd": "0" * 16, "CapAmb": "0" * 16, "NoNewPrivs": "1", "Seccomp": "2"}.items():
        expect(facts[name] == wanted, f"{name} is {facts[name]}")
    expect("0" not in facts["Uid"].split(), f"it runs as {facts['Uid']}")
    said = shell(scratch, "journalctl -u ucx-egress --no-pager -o cat")
    expect("WARN" not in said and "ERROR" not in said, said)


def reloads_in_order(_binary: Path, scratch: Path) -> None:
    before = reloads(scratch, "ok")
    shell(scratch, f"sed -i 's/^profile = .*/profile = \"strict\"/' {CONFIGURATION} && systemctl reload ucx-egress")
    wait_for("a reload", lambda: reloads(scratch, "ok") > before)
    expect('"profile": "strict"' in get(scratch, "/api/status"), "the reload did not act")
    shell(scratch, f"echo nonsense >> {CONFIGURATION} && systemctl reload ucx-egress")
    wait_for("a failed reload", lambda: reloads(scratch, "failed") > 0)
    expect(shown(scratch, "ActiveState") == "active", "a configuration that does not load ended it")


def gives_up_in_order(_binary: Path, scratch: Path) -> None:
    """Restarted with a configuration that does not load, it fails once, with the place in the log; mended, it starts."""
    systemd(scratch, "systemctl", "restart", "ucx-egress")
    wait_for("a failed service", lambda: shown(scratch, "ActiveState") == "failed")
    expect(shown(scratch, "ExecMainStatus") == "2" and shown(scratch, "NRestarts") == "0", "it is started over and over")
    expect(f"{CONFIGURATION}:" in shell(scratch, "journalctl -u ucx-egress -n 5 --no-pager -o cat"), "the log does not say where")
    shell(scratch, f"sed -i '/^nonsense$/d' {CONFIGURATION} && systemctl start ucx-egress")


def active_for(scratch: Path) -> float:
    """Seconds since the service became active."""
    uptime = float(shell(scratch, "cut -d' ' -f1 /proc/uptime"))
    return uptime - int(shown(scratch, "ActiveEnterTimestampMonotonic")) / 1_000_000


def is_watched(_binary: Path, scratch: Path) -> str:
    shell(scratch, f"mkdir -p /run/systemd/system/ucx-egress.service.d && printf '{IMPATIENT}' > /run/systemd/system/ucx-egress.service.d/w.conf"
                   " && systemctl daemon-reload && systemctl restart ucx-egress")
    # Longer than the watchdog would wait: it is told that the proxy lives.
    wait_for("some seconds of service", lambda: active_for(scratch) > 4)
    expect(shown(scratch, "NRestarts") == "0", "it was ended although it lives")
    shell(scratch, "kill -STOP $(systemctl show --property MainPID --value ucx-egress)")
    wait_for("a restart by the watchdog", lambda: shown(scratch, "NRestarts") == "1" and shown(scratch, "ActiveState") == "active", 30)
    return "a proxy that hangs is started anew"


def forget_starts(scratch: Path) -> None:
    """systemd starts a service five times in ten seconds and no more; a fast machine is through with these checks before that."""
    systemd(scratch, "systemctl", "reset-failed", "ucx-egress")


def writes_its_audit(_binary: Path, scratch: Path) -> None:
    """Where the unit lets it write, and only there."""
    forget_starts(scratch)
    shell(scratch, f"printf '[audit]\\npath = \"/var/log/ucx-egress/audit\"\\n' >> {CONFIGURATION} && systemctl restart ucx-egress")
    get(scratch, "/readyz")
    listed = shell(scratch, "stat -c '%U %a %n' /var/log/ucx-egress/audit /var/log/ucx-egress/audit/*")
    expect("ucx-egress 700 /var/log/ucx-egress/audit\n" in listed and "ucx-egress 600" in listed, listed)
    shell(scratch, f"sed -i 's,/var/log/ucx-egress/audit,/usr/share/audit,' {CONFIGURATION}")
    systemd(scratch, "systemctl", "restart", "ucx-egress")
    wait_for("a failed service", lambda: shown(scratch, "ActiveState") == "failed")
    shell(scratch, f"sed -i '/^.audit.$/,$d' {CONFIGURATION} && systemctl start ucx-egress")


def is_handed_sockets(_binary: Path, scratch: Path) -> None:
    shell(scratch, "systemctl stop ucx-egress")
    forget_starts(scratch)
    shell(scratch, "systemctl start ucx-egress.socket")
    expect(shown(scratch, "ActiveState") == "inactive", "it runs before anybody came")
    expect(" 200 OK" in get(scratch, "/readyz"), "whoever comes does not start it")
    expect(shown(scratch, "ActiveState") == "active", "it is not active")
    said = shell(scratch, "journalctl -u ucx-egress -n 5 --no-pager -o cat")
    expect("no listener of the configuration uses" not in said, said)
    shell(scratch, "systemctl stop ucx-egress.socket ucx-egress")
    stopped = run(podman(scratch, "stop", "--time", "20", NAME), env=environment())
    expect(stopped.code == 0, stopped.err)


def unmount(scratch: Path) -> None:
    run(podman(scratch, "rm", "--force", "--time", "5", NAME), env=environment())


CASES = [
    ("it is started by systemd at boot", boots),
    ("the kernel confines it as the unit says", confined),
    ("`systemctl reload` takes a configuration, and none that does not load", reloads_in_order),
    ("it does not start over and over with a bad configuration", gives_up_in_order),
    ("systemd's watchdog is told that it lives", is_watched),
    ("audit files are written where the unit lets it write", writes_its_audit),
    ("systemd may hold its sockets", is_handed_sockets),
]
