"""Everything a case may use, started once for all cases."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import pki
import proxy
import upstreams
from interception import Authority, Interception
from parents import Parents
from pki import Pki
from procs import Process, Processes
from proxy import Proxy


@dataclass(frozen=True)
class Lab:
    scratch: Path
    binary: Path
    pki: Pki
    proxy: Proxy
    guarded: Proxy
    ports: dict[str, int]
    grpc: Process
    origin: Process
    interception: Interception
    parents: Parents

    def trusting(self, authority: Authority) -> Self:
        """The same lab for clients that trust this root and no other."""
        return replace(self, pki=replace(self.pki, root=authority.certificate, java_store=authority.java_store))

    def behind(self, other: Proxy) -> Self:
        """The same lab for clients that are given another proxy."""
        return replace(self, proxy=other)

    def intercepted(self) -> Self:
        """The same lab for clients that must not notice: the CA is all they trust, so a mere tunnel would fail."""
        return self.behind(self.interception.failing).trusting(self.interception.authority)


@dataclass(frozen=True)
class Case:
    """One line of the run: `check` raises when the case fails, and may return a note."""

    name: str
    title: str
    check: Callable[[Lab], str | None]


def expect(condition: object, why: str) -> None:
    """A failed expectation, told in the words of the one who expected."""
    if not condition:
        raise AssertionError(why)


@contextlib.contextmanager
def started(scratch: Path, binary: Path) -> Iterator[Lab]:
    """The stand-in cloud and the proxy in front of it."""
    keys = pki.make(scratch / "pki")
    with Processes(scratch) as processes:
        grpc = upstreams.start_python(processes, "grpc", "grpc_server.py", keys)
        origin = upstreams.start_python(processes, "origin", "origin.py", keys)
        servers = {
            "api.imagicle.com": upstreams.start_nginx(processes, scratch / "nginx", keys),
            "grpc.imagicle.com": grpc,
            "echo.imagicle.com": origin,
            "stream.imagicle.com": origin,
            "tenant.imagicle.cloud": upstreams.start_slapd(processes, scratch / "ldap", keys),
        }
        for process, port in servers.values():
            process.await_port(port)
        ports = {host: port for host, (_, port) in servers.items()}
        intercepting = Interception(processes, binary, scratch / "interception", keys.root, ports)
        parents = Parents(processes, binary, scratch / "parents", ports)
        plain = proxy.start(processes, binary, scratch, ports)
        guarded = proxy.start_guarded(processes, binary, scratch, ports)
        yield Lab(scratch, binary, keys, plain, guarded, ports, grpc[0], origin[0], intercepting, parents)
