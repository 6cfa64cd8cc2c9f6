"""podman with runc and a store of its own, so that it works in a container too and leaves nothing behind."""

from pathlib import Path

from procs import clean_env

# What a container on this machine may be given: no more than this process has.
LIMITS = ["--ulimit", "nofile=10000:10000", "--ulimit", "nproc=4096:4096"]


def podman(scratch: Path, *argv: str | Path) -> list[str | Path]:
    store = ["--root", scratch / "store", "--runroot", scratch / "run", "--storage-driver", "vfs"]
    return ["podman", *store, "--cgroup-manager", "cgroupfs", *argv]


def environment() -> dict[str, str]:
    return clean_env(HOME="/root")
