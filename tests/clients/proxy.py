"""The proxy under test: its configuration, its admin address, its log."""

import http.client
import json
import re
from dataclasses import dataclass
from pathlib import Path

from procs import Process, Processes, free_port

SERIES = re.compile(r"^(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>.*)\})? (?P<value>\S+)")
RELAY = """\
[[relay]]
address = "127.0.0.1:{relay_port}"
destination = "tenant.imagicle.cloud:1636"
"""
# The one account of the proxy that asks for a password, and its entry (`htpasswd -nbB -C 6`).
USER, PASSWORD = "branch-7", "sesame"
ENTRY = "branch-7:$2y$06$ebcboagUZZL.wfH.KARD7eImqJCh16rWxjay/RacmFS1BPDPCJ81C"
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Refusal:
    """The proxy's answer to a CONNECT it refuses."""

    status: int
    phrase: str
    headers: dict[str, str]
    body: dict[str, object]


@dataclass(frozen=True)
class Proxy:
    process: Process
    port: int
    admin_port: int
    relay_port: int
    # `name:password`, for clients that are given them with the address.
    credentials: str = ""

    @property
    def url(self) -> str:
        userinfo = f"{self.credentials}@" if self.credentials else ""
        return f"http://{userinfo}127.0.0.1:{self.port}"

    def admin(self, path: str) -> tuple[int, str]:
        """Asks the admin address once, on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=10)
        try:
            connection.request("GET", path, headers={"Connection": "close"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def is_ready(self) -> bool:
        try:
            return self.admin("/readyz")[0] == 200
        except OSError:
            return False

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a family's series that bear these labels."""
        total = 0.0
        for line in self.admin("/metrics")[1].splitlines():
            series = SERIES.match(line)
            if not series or series["name"] != name:
                continue
            borne = dict(LABEL.findall(series["labels"] or ""))
            if labels.items() <= borne.items():
                total += float(series["value"])
        return total

    def refusal(self, target: str) -> Refusal:
        """Asks for a tunnel as a client would that shows everything it is answered."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("CONNECT", target, headers={"Host": target})
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            text = answer.read() if answer.status != 200 else b"{}"
            return Refusal(answer.status, answer.reason, headers, json.loads(text))
        finally:
            connection.close()


@dataclass(frozen=True)
class Configuration:
    """A configuration file, and the loopback ports it names."""

    file: Path
    port: int
    admin_port: int
    relay_port: int


def configure(file: Path, hosts: dict[str, int], *, listener: str = "", upstream: str = "",
              sections: str = RELAY) -> Configuration:
    """Writes a configuration with `hosts` mapped to loopback ports, more lines for `[listener]` and `[upstream]`, and more sections."""
    ports = {name: free_port() for name in ("port", "admin_port", "relay_port")}
    fixed = "\n".join(f'"{host}" = ["127.0.0.1:{at}"]' for host, at in hosts.items())
    file.write_text(f"""\
[listener]
address = "127.0.0.1:{ports["port"]}"
{listener}
[admin]
address = "127.0.0.1:{ports["admin_port"]}"
[upstream]
allow_addresses = ["127.0.0.0/8"]
{upstream}
[upstream.hosts]
{fixed}
[log]
format = "json"
{sections.format(**ports)}
""")
    return Configuration(file, **ports)


def launch(processes: Processes, binary: Path, configuration: Configuration) -> Proxy:
    """Starts the binary, and waits until it is ready."""
    at = configuration
    process = processes.start(at.file.stem, [binary, "--config", at.file, "run"])
    proxy = Proxy(process, at.port, at.admin_port, at.relay_port)
    process.await_event("200 from /readyz", proxy.is_ready)
    return proxy


def start(processes: Processes, binary: Path, folder: Path, hosts: dict[str, int]) -> Proxy:
    """A proxy that intercepts nothing, with a relay to the directory."""
    return launch(processes, binary, configure(folder / "proxy.toml", hosts))


def start_guarded(processes: Processes, binary: Path, folder: Path, hosts: dict[str, int]) -> Proxy:
    """One that asks for a name and a password."""
    file = folder / "htpasswd"
    file.write_text(f"{ENTRY}\n")
    file.chmod(0o600)
    return launch(processes, binary, configure(folder / "guarded.toml", hosts, sections=f'[clients]\nhtpasswd = "{file}"\n'))
