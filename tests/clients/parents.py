"""Parent proxies as customers run them, each with a proxy of ours behind it that knows no other way out."""

import os
import pwd
import sys
from functools import cached_property
from pathlib import Path

import proxy
from paths import HERE
from procs import Process, Processes, free_port, run
from proxy import Proxy

USER, PASSWORD = "gateway7", "p@ss:word"
# Loopback addresses of their own, so that each host has its documented port.
ADDRESSES = {
    "api.imagicle.com": ("127.71.0.1", 443),
    "grpc.imagicle.com": ("127.71.0.2", 443),
    "tenant.imagicle.cloud": ("127.71.0.3", 1636),
}
# Beside the addresses that replace DNS and files: what Debian's squid.conf says.
SQUID = """\
http_port 127.0.0.1:{port}
pid_filename none
cache deny all
access_log none
cache_log {folder}/cache.log
coredump_dir {folder}
hosts_file {folder}/hosts
shutdown_lifetime 1 seconds
auth_param basic program /usr/lib/squid/basic_ncsa_auth {folder}/passwords
acl SSL_ports port 443
acl known proxy_auth REQUIRED
http_access deny CONNECT !SSL_ports
http_access allow known
http_access deny all
"""
TINYPROXY = """\
Port {port}
Listen 127.0.0.1
Timeout 600
MaxClients 100
Allow 127.0.0.1
BasicAuth {user} {password}
ConnectPort 443
ConnectPort 1636
"""


def hashed(password: str) -> str:
    done = run(["openssl", "passwd", "-apr1", "-stdin"], stdin=password)
    if done.code != 0:
        raise RuntimeError(done.err.strip())
    return done.out.strip()


class Parents:
    """Each parent is started by the first case that uses it."""

    def __init__(self, processes: Processes, binary: Path, folder: Path, ports: dict[str, int]) -> None:
        self._processes, self._binary, self._folder, self._ports = processes, binary, folder, ports
        self._started: list[Proxy] = []

    @property
    def started(self) -> list[Proxy]:
        return self._started

    @cached_property
    def hosts(self) -> Path:
        """The names as the parents know them; the proxy behind them knows none."""
        self._folder.mkdir(exist_ok=True)
        for host, (address, port) in ADDRESSES.items():
            argv = [sys.executable, HERE / "python" / "forward.py", address, str(port), str(self._ports[host])]
            self._processes.start(f"forward-{host}", argv)
        hosts = self._folder / "hosts"
        hosts.write_text("127.0.0.1 localhost\n" + "".join(f"{at} {host}\n" for host, (at, _) in ADDRESSES.items()))
        return hosts

    @cached_property
    def squid(self) -> Proxy:
        assert self.hosts
        port = free_port()
        (self._folder / "passwords").write_text(f"{USER}:{hashed(PASSWORD)}\n")
        config = self._folder / "squid.conf"
        config.write_text(SQUID.format(port=port, folder=self._folder))
        self._hand_over()
        return self._behind("squid", self._processes.start("squid", ["squid", "-N", "-f", config]), port, PASSWORD)

    @cached_property
    def tinyproxy(self) -> Proxy:
        # Debian's tinyproxy takes its password from the configuration, where blanks and signs would end it.
        port, password = free_port(), "plain"
        config = self._folder / "tinyproxy.conf"
        own_mounts = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
        with_hosts: list[str | Path] = ["sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', self.hosts]
        config.write_text(TINYPROXY.format(port=port, user=USER, password=password))
        process = self._processes.start("tinyproxy", [*own_mounts, *with_hosts, "tinyproxy", "-d", "-c", config])
        return self._behind("tinyproxy", process, port, password)

    def refused_by_squid(self) -> Proxy:
        """One whose password is wrong."""
        return self._configured("squid-refuses", int(self.squid_url.rpartition(":")[2]), "wr0ng")

    @property
    def squid_url(self) -> str:
        assert self.squid
        return self._urls["squid"]

    def _hand_over(self) -> None:
        """Squid started by root becomes another user, who must be able to read and write its folder."""
        if os.geteuid() != 0:
            return
        squid = pwd.getpwnam("proxy")
        self._folder.parent.chmod(0o711)
        for path in (self._folder, *self._folder.iterdir()):
            os.chown(path, squid.pw_uid, squid.pw_gid)

    @cached_property
    def _urls(self) -> dict[str, str]:
        return {}

    def _behind(self, name: str, process: Process, port: int, password: str) -> Proxy:
        process.await_port(port)
        self._urls[name] = f"http://127.0.0.1:{port}"
        return self._configured(name, port, password)

    def _configured(self, name: str, port: int, password: str) -> Proxy:
        secret = self._folder / f"{name}.password"
        secret.write_text(password + "\n")
        secret.chmod(0o600)
        # Nobody answers at the discard port: a name that the proxy asked for itself would fail.
        upstream = "\n".join((f'parent = "http://{USER}@127.0.0.1:{port}"', f'parent_password_file = "{secret.name}"',
                              'nameservers = ["127.0.0.1:9"]'))
        configuration = proxy.configure(self._folder / f"behind-{name}.toml", {}, upstream=upstream)
        started = proxy.launch(self._processes, self._binary, configuration)
        self._started.append(started)
        return started
