"""The web clients as `exchanges.py` wants them: a list of asks in, their answers and what the origin saw out.

Each goes two ways. Direct is to the servers' own ports under their real names, the client's resolver told where.
Java can be told addresses but no ports: its direct way is the proxy that intercepts nothing, where TLS and HTTP
are between client and server alone.
"""

import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import exchanges
import web_clients
from exchanges import Answer, Ask, Seen
from lab import Lab, expect
from paths import HERE, NODE
from procs import clean_env, run
from web_clients import java_trust

SECONDS = 120


@dataclass(frozen=True)
class Way:
    """Direct, or through the lab's proxy."""

    lab: Lab
    direct: bool

    @property
    def proxy(self) -> str:
        return "-" if self.direct else self.lab.proxy.url

    @property
    def folder(self) -> Path:
        folder = self.lab.scratch / "asks"
        folder.mkdir(exist_ok=True)
        return folder

    def hosts(self) -> list[str]:
        return [f"{host}={port}" for host, port in self.lab.ports.items()]

    def file(self, asks: list[Ask]) -> Path:
        file = self.folder / "asks"
        file.write_text("".join(ask.line(self.folder) + "\n" for ask in asks))
        return file


@dataclass(frozen=True)
class AskClient:
    name: str
    version: str
    make: Callable[[Way, list[Ask]], str]

    def ask(self, way: Way, asks: list[Ask]) -> tuple[list[Answer], list[Seen]]:
        told = len(way.lab.origin.text().splitlines())
        answers = exchanges.answers(self.make(way, asks))
        expect(len(answers) == len(asks), f"{self.name} tells {len(answers)} answers to {len(asks)} asks")
        return answers, exchanges.sights(way.lab.origin.text().splitlines()[told:])


def curl(*options: str) -> Callable[[Way, list[Ask]], str]:
    return lambda way, asks: "".join(curl_once(way, ask, options) for ask in asks)


def curl_once(way: Way, ask: Ask, options: tuple[str, ...]) -> str:
    body = way.folder / "received"
    body.write_bytes(b"")
    done = run(["curl", "--silent", "--show-error", "--globoff", "--path-as-is", "--max-time", str(SECONDS), *options,
                *curl_way(way), *curl_request(way, ask), "--suppress-connect-headers", "--dump-header", "-",
                "--output", body, ask.url],
               stdin="" if ask.announced else (ask.body or b"").decode(), timeout=SECONDS)
    expect(done.code == 0, f"{ask.name}: {done.err.strip()}")
    # Interim answers have heads of their own; the last one counts.
    head = done.out.replace("\r", "").strip().split("\n\n")[-1].splitlines()
    protocol, status, *_ = head[0].split()
    # Told to HEAD, it writes the head where a body would go.
    received = b"" if ask.method == "HEAD" else body.read_bytes()
    summary = f"= {len(received)} {hashlib.sha256(received).hexdigest()}"
    return "\n".join([f"< {status} {protocol.removeprefix('HTTP/')}", *head[1:], summary, ""])


def curl_way(way: Way) -> list[str | Path]:
    trust: list[str | Path] = ["--cacert", way.lab.pki.root]
    if not way.direct:
        return [*trust, "--proxy", way.lab.proxy.url]
    ports = way.lab.ports.items()
    return [*trust, *(word for host, port in ports for word in ("--connect-to", f"{host}:443:127.0.0.1:{port}"))]


def curl_request(way: Way, ask: Ask) -> list[str | Path]:
    # With --request HEAD it would wait for a body.
    method = ["--head"] if ask.method == "HEAD" else ["--request", ask.method]
    headers = [word for name, value in ask.headers for word in ("--header", f"{name}: {value}")]
    if not any(name.lower() == "expect" for name, _ in ask.headers):
        # Left alone, it announces large bodies so, over HTTP/1.1 only.
        headers += ["--header", "Expect:"]
    body = ask.body_file(way.folder)
    if body is None:
        return [*method, *headers]
    return [*method, *headers, *(["--data-binary", f"@{body}"] if ask.announced else ["--upload-file", "-"])]


def program(*command: str | Path) -> Callable[[Way, list[Ask]], str]:
    """One of our programs for Python and Node, which take the same arguments."""
    env = clean_env(NODE_PATH=str(NODE / "node_modules"))

    def make(way: Way, asks: list[Ask]) -> str:
        done = run([*command, way.file(asks), way.lab.pki.root, way.proxy, *way.hosts()], env=env, timeout=SECONDS)
        expect(done.code == 0, done.err.strip())
        return done.out

    return make


def java(library: str) -> Callable[[Way, list[Ask]], str]:
    def make(way: Way, asks: list[Ask]) -> str:
        done = run(["java", "-XX:TieredStopAtLevel=1", *java_trust(way.lab), HERE / "java" / "HttpAsk.java",
                    library, way.file(asks), "127.0.0.1", str(way.lab.proxy.port)], timeout=SECONDS)
        expect(done.code == 0, done.err.strip())
        return done.out

    return make


def python(library: str) -> Callable[[Way, list[Ask]], str]:
    return program(sys.executable, HERE / "python" / "http_ask.py", library)


def node(library: str) -> Callable[[Way, list[Ask]], str]:
    return program("node", HERE / "node" / "http_ask.cjs", library)


CURLS = [
    AskClient("curl-h1", "1.1", curl("--http1.1")),
    AskClient("curl-h2", "2", curl("--http2")),
]
RUNTIMES = {"python": python, "node": node, "java": java}
LIBRARIES = [AskClient(name, version, RUNTIMES[runtime](library))
             for name, version, runtime, library in web_clients.LIBRARIES]
