"""Running it: fifty reloads and another binary in its place, under load that must not notice."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import interception
import proxy
import upstreams
from lab import Case, Lab, expect
from paths import HERE
from procs import Processes, clean_env, wait_for
from proxy import Configuration, Proxy

RATE, TUNNELS, STREAMS = 200, 500, 20
RELOADS, UNFIT = 50, 5
QUICK = 'format = 1\nname = "load"\n'


def service(name: str, protocol: str, treatment: str, *hosts: str) -> str:
    endpoints = (f'[[service.endpoint]]\nhost = "{host}"\nport = 443\nprotocol = "{protocol}"\n' for host in hosts)
    promise = "none" if treatment == "intercept" else "unstated"
    return f'[[service]]\nid = "{name}"\npersonal_data = "{promise}"\ntreatment = "{treatment}"\nidle_timeout = "1h"\n' + "".join(endpoints)


def policy(is_gate_open: bool) -> str:
    gate = service("gate", "https", "tunnel", "gate.imagicle.com") if is_gate_open else ""
    return QUICK + "".join((
        service("licensing", "https", "intercept", "api.imagicle.com"),
        service("presence", "grpc", "tunnel", "grpc.imagicle.com"),
        service("others", "https", "tunnel", "quiet.imagicle.com", "fresh.imagicle.com"),
        gate,
    ))


class Service:
    """The proxy as systemd runs it: the socket is held for it, and its files are replaced in one step."""

    def __init__(self, lab: Lab, processes: Processes, folder: Path) -> None:
        self.processes, self.folder = processes, folder
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(4096)
        self.socket.set_inheritable(True)
        self.port = self.socket.getsockname()[1]
        nginx, port = upstreams.start_nginx(processes, folder / "cloud", lab.pki, connections=4096)
        nginx.await_port(port)
        self.hosts = {f"{name}.imagicle.com": port for name in ("api", "quiet", "fresh", "gate")}
        self.hosts["grpc.imagicle.com"] = lab.ports["grpc.imagicle.com"]
        self.root = lab.pki.root
        self.write(is_gate_open=True)
        self.authority = interception.make_authority(lab.binary, self.configure("first"))

    def write(self, *, is_gate_open: bool, broken: str = "") -> None:
        new = self.folder / "policy.toml.new"
        new.write_text(broken or policy(is_gate_open))
        new.rename(self.folder / "policy.toml")

    def configure(self, name: str) -> Configuration:
        sections = (f'[interception]\nca_certificate = "{self.folder}/ca.pem"\nca_key = "{self.folder}/ca.key"\n'
                    '[policy]\nfile = "policy.toml"\n[reload]\non_change = false\n')
        made = proxy.configure(self.folder / f"{name}.toml", self.hosts, upstream=f'ca_files = ["{self.root}"]', sections=sections)
        text = made.file.read_text().replace(f"127.0.0.1:{made.port}", f"127.0.0.1:{self.port}", 1)
        made.file.write_text(text)
        return Configuration(made.file, self.port, made.admin_port, made.relay_port)

    def start(self, binary: Path, name: str) -> Proxy:
        at = self.configure(name)
        # The protocol of sd_listen_fds(3): descriptors from 3 on, for this very process.
        shell = f'exec 3<&{self.socket.fileno()}; LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" --config "$1" run'
        process = self.processes.start(name, ["sh", "-c", shell, binary, at.file], pass_fds=(self.socket.fileno(),))
        started = Proxy(process, at.port, at.admin_port, at.relay_port)
        process.await_event("200 from /readyz", started.is_ready)
        return started


def reloads(at: Proxy) -> tuple[int, int]:
    said = json.loads(at.admin("/api/status")[1])["configuration"]
    return said["applied"], said["rejected"]


def reload(at: Proxy) -> None:
    before = sum(reloads(at))
    os.kill(at.process.pid, signal.SIGHUP)
    wait_for("the reload is carried out", lambda: sum(reloads(at)) > before)


@contextlib.contextmanager
def clients(commands: Sequence[Sequence[object]]) -> Iterator[list[subprocess.Popen[str]]]:
    """Programs for Python, each kind of client in a process of its own so that none waits for another."""
    children = [subprocess.Popen([sys.executable, *map(str, command)], env=clean_env(), text=True, stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE) for command in commands]
    try:
        yield children
    finally:
        for child in children:
            child.kill()
            child.wait()


def loads(served: Service, roots: Path, rate: int, tunnels: int, streams: int) -> list[list[object]]:
    """Requests, tunnels and conversations: a command for each."""
    argv = [HERE / "python" / "load.py", served.port, roots, served.authority.certificate]
    return [[*argv, *kind] for kind in ((rate, 0, 0), (0, tunnels, 0), (0, 0, streams))]


def nobody_notices(lab: Lab) -> str:
    folder = lab.scratch / "operations"
    folder.mkdir()
    with Processes(folder) as processes:
        served = Service(lab, processes, folder)
        first = served.start(lab.binary, "first")
        with clients(loads(served, served.root, RATE, TUNNELS, STREAMS)) as started:
            for client in started:
                expect(client.stdout and client.stdout.readline() == "standing\n", "the load never stood")
            for number in range(RELOADS):
                is_unfit = number % (RELOADS // UNFIT) == 5
                served.write(is_gate_open=number % 2 == 1, broken="no policy" if is_unfit else "")
                reload(first)
            served.write(is_gate_open=True)
            expect(reloads(first) == (RELOADS - UNFIT, UNFIT), f"{reloads(first)}")
            another = folder / "ucx-egress.new"
            shutil.copy2(lab.binary, another)
            second = served.start(another, "second")
            first.process.stop(seconds=60)
            ends = [json.loads(client.communicate(input="", timeout=90)[0]) for client in started]
        served.socket.close()
    failures = [failure for end in ends for failure in end["failures"]]
    counts = {kind: count for end in ends for kind, count in end["counts"].items()}
    end = ends[0]
    expect(not failures, f"{len(failures)} failures, the first: {failures[:3]}; {counts}; {first.process.last_words()}")
    for kind in ("kept", "fresh", "gate", "gate refused", "quiet", "words", "conversations"):
        expect(counts.get(kind, 0) > 0, f"{kind}: none; {counts}")
    expect(end["rate"] > 0.9 * RATE, f"{end['rate']} requests a second of {RATE}")
    expect(second.process.pid != first.process.pid, "the same process")
    return f"{end['rate']} requests/s for {end['seconds']} s, {counts}"


CASES = [Case("operations-reload-and-swap", "fifty reloads and another binary under load fail no request", nobody_notices)]
