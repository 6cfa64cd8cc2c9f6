"""Everything a case may use, started once for all cases."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pki
import proxy
import upstreams
from pki import Pki
from procs import Processes
from proxy import Proxy


@dataclass(frozen=True)
class Lab:
    scratch: Path
    binary: Path
    pki: Pki
    proxy: Proxy


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
        servers = {
            "api.imagicle.com": upstreams.start_nginx(processes, scratch / "nginx", keys),
            "grpc.imagicle.com": upstreams.start_grpc(processes, keys),
            "tenant.imagicle.cloud": upstreams.start_slapd(processes, scratch / "ldap", keys),
        }
        for process, port in servers.values():
            process.await_port(port)
        ports = {host: port for host, (_, port) in servers.items()}
        yield Lab(scratch, binary, keys, proxy.start(processes, binary, scratch, ports))
