"""Starting, awaiting and ending processes; nothing outlives the run."""

import random
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from paths import SEARCH_PATH

Found = TypeVar("Found")

LOWEST_PORT = 15_000
_ports_given: set[int] = set()


def clean_env(**extra: str) -> dict[str, str]:
    """An environment that names no proxy, no trust store and no user's settings but those a case adds."""
    return {"PATH": SEARCH_PATH, "HOME": "/nonexistent", "LANG": "C.UTF-8", **extra}


@dataclass(frozen=True)
class Done:
    """What a finished command left."""

    code: int
    out: str
    err: str


def run(argv: Sequence[str | Path], *, env: dict[str, str] | None = None, stdin: str = "", timeout: float = 60) -> Done:
    """Runs a command to its end; a failing one is an answer, not an error."""
    done = subprocess.run([str(arg) for arg in argv], env=env or clean_env(), input=stdin, timeout=timeout,
                          capture_output=True, text=True, errors="replace", check=False)
    return Done(done.returncode, done.stdout, done.stderr)


def must_run(argv: Sequence[str | Path], stdin: str = "") -> None:
    """Runs a command the lab cannot do without."""
    done = run(argv, stdin=stdin)
    if done.code != 0:
        raise RuntimeError(f"{argv[0]} ended with {done.code}: {done.err.strip() or done.out.strip()}")


def wait_for(what: str, probe: Callable[[], Found], seconds: float = 15) -> Found:
    """Polls `probe` until it answers something true; says what never came."""
    deadline = time.monotonic() + seconds
    while not (found := probe()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.02)
    return found


def free_port() -> int:
    """A loopback port nobody listens on.

    Drawn from below the range the kernel gives to outgoing connections, so that no
    client of a busy machine takes it before the server does.
    """
    outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    ceiling = outgoing if outgoing > LOWEST_PORT + 1000 else 2 * LOWEST_PORT
    while True:
        port = random.randrange(LOWEST_PORT, ceiling)
        with socket.socket() as probe:
            if port in _ports_given or not _binds(probe, port):
                continue
        _ports_given.add(port)
        return port


def _binds(probe: socket.socket, port: int) -> bool:
    try:
        probe.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


class Process:
    """A server of ours, its output kept in a file."""

    def __init__(self, name: str, argv: Sequence[str | Path], log: Path, env: dict[str, str] | None,
                 pass_fds: Sequence[int] = ()) -> None:
        self.name = name
        self.log = log
        # Should the driver be killed outright, the kernel ends its servers.
        command = ["setpriv", "--pdeathsig", "TERM", *map(str, argv)]
        with log.open("wb") as output:
            self._child = subprocess.Popen(command, env=env or clean_env(), stdin=subprocess.DEVNULL,
                                           stdout=output, stderr=subprocess.STDOUT, start_new_session=True, pass_fds=pass_fds)

    @property
    def pid(self) -> int:
        return self._child.pid

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def last_words(self) -> str:
        """The end of its output, for whoever looks into a failure."""
        return "\n  ".join([f"{self.name}'s last words:", *self.text().splitlines()[-15:]])

    def must_live(self) -> None:
        if self._child.poll() is not None:
            raise RuntimeError(f"{self.name} ended with {self._child.returncode}; {self.last_words()}")

    def await_port(self, port: int) -> None:
        """Waits until something of this process accepts connections."""

        def accepts() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        self.await_event(f"{self.name} on port {port}", accepts)

    def await_event(self, what: str, probe: Callable[[], bool]) -> None:
        """Waits for a sign of this process; when none comes, its output goes with the news."""

        def living_probe() -> bool:
            self.must_live()
            return probe()

        try:
            wait_for(what, living_probe)
        except TimeoutError as error:
            raise RuntimeError(f"{error}; {self.last_words()}") from error

    def stop(self, seconds: float = 10) -> None:
        self._child.terminate()
        try:
            self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()


class Processes:
    """All servers of one run; leaving the block ends them, newest first."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._started: list[Process] = []

    def start(self, name: str, argv: Sequence[str | Path], env: dict[str, str] | None = None,
              pass_fds: Sequence[int] = ()) -> Process:
        process = Process(name, argv, self._logs / f"{name}.log", env, pass_fds)
        self._started.append(process)
        return process

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        while self._started:
            self._started.pop().stop()
