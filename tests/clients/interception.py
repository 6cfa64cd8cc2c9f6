"""The proxies that intercept, their CA, and the policy that has them intercept more than the documented hosts."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import proxy
from pki import java_store
from procs import Done, Processes, run
from proxy import Configuration, Proxy


def service(name: str, protocol: str, *hosts: str) -> str:
    """A service of a policy that is intercepted at these hosts."""
    head = f'[[service]]\nid = "{name}"\npersonal_data = "none"\ntreatment = "intercept"\nidle_timeout = "1h"\n'
    endpoints = (f'[[service.endpoint]]\nhost = "{host}"\nport = 443\nprotocol = "{protocol}"\n' for host in hosts)
    return head + "".join(endpoints)


# gRPC is a tunnel by the built-in policy; here it is intercepted as well, with two hosts for the origin that tells.
POLICY = 'format = 1\nname = "site"\n' + "".join((
    service("licensing", "https", "api.imagicle.com"),
    service("presence", "grpc", "grpc.imagicle.com", "stream.imagicle.com"),
    service("echo", "https", "echo.imagicle.com"),
))
SITE_POLICY = '[policy]\nfile = "policy.toml"\n'


@dataclass(frozen=True)
class Authority:
    """The interception CA as its clients are given it."""

    certificate: Path
    key: Path
    java_store: Path


def configure(folder: Path, name: str, root: Path, hosts: dict[str, int], *sections: str) -> Configuration:
    """A configuration that intercepts with the CA of this folder, and trusts the lab's cloud."""
    folder.mkdir(exist_ok=True)
    (folder / "policy.toml").write_text(POLICY)
    interception = f'[interception]\nca_certificate = "{folder}/ca.pem"\nca_key = "{folder}/ca.key"\n'
    return proxy.configure(folder / f"{name}.toml", hosts, upstream=f'ca_files = ["{root}"]',
                           sections="".join((interception, *sections)))


def ca(binary: Path, configuration: Configuration, verb: str) -> Done:
    return run([binary, "--config", configuration.file, "ca", verb])


def make_authority(binary: Path, configuration: Configuration) -> Authority:
    done = ca(binary, configuration, "init")
    if done.code != 0:
        raise RuntimeError(f"`ca init` ended with {done.code}: {done.err.strip() or done.out.strip()}")
    certificate = configuration.file.with_name("ca.pem")
    return Authority(certificate, certificate.with_suffix(".key"), java_store(certificate))


class Interception:
    """Each proxy is started by the first case that uses it."""

    def __init__(self, processes: Processes, binary: Path, folder: Path, root: Path, hosts: dict[str, int]) -> None:
        self._processes, self._binary, self._folder = processes, binary, folder
        self._root, self._hosts = root, hosts
        self._started: list[Proxy] = []

    @property
    def started(self) -> Sequence[Proxy]:
        return self._started

    @cached_property
    def authority(self) -> Authority:
        # Made for the site's policy, whose hosts include those that the built-in one intercepts.
        return make_authority(self._binary, self._configuration("intercepting", SITE_POLICY))

    @cached_property
    def failing(self) -> Proxy:
        """Intercepts all that the site's policy says; whoever does not trust the CA fails."""
        return self._launch("intercepting", 'on_client_rejection = "fail"\n', SITE_POLICY)

    def yielding(self) -> Proxy:
        """Intercepts what the built-in policy says; whoever does not trust the CA gets a tunnel the next time.

        A new one each time, as all clients come from one address and it remembers them.
        """
        return self._launch(f"yielding-{len(self._started)}", 'on_client_rejection = "tunnel"\n')

    def _configuration(self, name: str, *sections: str) -> Configuration:
        return configure(self._folder, name, self._root, self._hosts, *sections)

    def _launch(self, name: str, *sections: str) -> Proxy:
        assert self.authority  # the proxy does not start without
        started = proxy.launch(self._processes, self._binary, self._configuration(name, *sections))
        self._started.append(started)
        return started
