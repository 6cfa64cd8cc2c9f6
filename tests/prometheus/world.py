"""Proxies with traffic, and a Prometheus that scrapes them."""

import contextlib
import http.client
import json
import math
import re
import signal
import ssl
import threading
import time
import urllib.parse
from collections.abc import Iterator
from os import kill
from pathlib import Path

from procs import Processes, free_port
from shipped import ALERTS, RECORDING

CLEAN = b'{"cucmVersion":"14.0.1","users":250,"devices":300}'
# Turns of the traffic between two reloads.
RELOAD_EVERY = 20
PERSONAL = b'{"cucmVersion":"14.0.1","contact":"mario.rossi@example.com"}'


class Proxies:
    """The demonstration, which decrypts and inspects in front of a stand-in cloud, and a proxy with a quota that has it as its parent."""

    def __init__(self, processes: Processes, binary: Path, scratch: Path) -> None:
        demo = processes.start("demo", [binary, "demo"])
        demo.await_event("the demonstration's table", lambda: "/metrics" in demo.text())
        self.ca = Path(re.search(r"--cacert (\S+)", demo.text())[1])
        parent = re.search(r"-x (http://\S+)", demo.text())[1]
        inspecting = re.search(r"http://(\S+)/metrics", demo.text())[1]
        self.port, admin = free_port(), free_port()
        configuration = scratch / "outer.toml"
        configuration.write_text(f"""\
[listener]
address = "127.0.0.1:{self.port}"
[admin]
address = "127.0.0.1:{admin}"
[upstream]
parent = "{parent}"
[[quota]]
name = "all"
requests = "1000/s"
bytes = "100MiB/s"
""")
        self._outer = processes.start("outer", [binary, "--config", configuration, "run"])
        self._outer.await_port(admin)
        self.admins = [inspecting, f"127.0.0.1:{admin}"]

    def reload(self) -> None:
        kill(self._outer.pid, signal.SIGHUP)

    def metrics(self) -> str:
        """What the proxy with the quota and the parent shows."""
        return fetch(self.admins[1], "/metrics").decode()


def fetch(address: str, path: str) -> bytes:
    connection = http.client.HTTPConnection(address, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", path)
        return connection.getresponse().read()


class Traffic:
    """Requests of every sort through both proxies, over and over until the block is left."""

    def __init__(self, proxies: Proxies) -> None:
        self._proxies = proxies
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        turns = 0
        while not self._done.wait(0.2):
            turns += 1
            if turns % RELOAD_EVERY == 0:
                self._proxies.reload()
            for request in (self._test, self._telemetry, self._presence, self._refused):
                # What becomes of it is counted; that is all that is wanted here.
                with contextlib.suppress(OSError, http.client.HTTPException):
                    request()

    @contextlib.contextmanager
    def _tunnel(self, host: str, root: Path) -> Iterator[http.client.HTTPSConnection]:
        trusting = ssl.create_default_context(cafile=str(root))
        connection = http.client.HTTPSConnection("127.0.0.1", self._proxies.port, timeout=10, context=trusting)
        connection.set_tunnel(host, 443)
        with contextlib.closing(connection):
            yield connection

    def _test(self) -> None:
        with self._tunnel("api.imagicle.com", self._proxies.ca) as connection:
            connection.request("GET", "/test")
            connection.getresponse().read()

    def _telemetry(self) -> None:
        for body in (CLEAN, PERSONAL):
            with self._tunnel("api.imagicle.com", self._proxies.ca) as connection:
                connection.request("POST", "/telemetry", body, {"Content-Type": "application/json"})
                connection.getresponse().read()

    def _presence(self) -> None:
        """A tunnel: the cloud's own certificate is what is seen."""
        with self._tunnel("grpc.imagicle.com", self._proxies.ca.with_name("cloud-ca.pem")) as connection:
            connection.connect()

    def _refused(self) -> None:
        with self._tunnel("example.org", self._proxies.ca) as connection:
            connection.connect()


class Prometheus:
    """Debian's, with the shipped rules."""

    def __init__(self, processes: Processes, scratch: Path, targets: list[str]) -> None:
        self._address = f"127.0.0.1:{free_port()}"
        configuration = scratch / "prometheus.yml"
        configuration.write_text(f"""\
global: {{ scrape_interval: 1s, evaluation_interval: 1s }}
rule_files: ["{RECORDING}", "{ALERTS}"]
scrape_configs:
  - job_name: ucx-egress
    static_configs: [{{ targets: {json.dumps(targets)} }}]
""")
        process = processes.start("prometheus", [
            "prometheus", f"--config.file={configuration}", f"--storage.tsdb.path={scratch / 'tsdb'}",
            f"--web.listen-address={self._address}", "--log.level=warn"])
        process.await_event("Prometheus", self._is_ready)

    def _is_ready(self) -> bool:
        try:
            return b"Ready" in fetch(self._address, "/-/ready")
        except OSError:
            return False

    def _api(self, path: str) -> dict:
        return json.loads(fetch(self._address, f"/api/v1/{path}"))

    def problem_of(self, query: str) -> str:
        """Why a query gives nothing to look at; empty if it gives a number."""
        answer = self._api(f"query?query={urllib.parse.quote(query)}&time={time.time()}")
        if answer["status"] != "success":
            return answer["error"]
        values = [float(sample["value"][1]) for sample in answer["data"]["result"]]
        if not values:
            return "no data"
        return "" if any(not math.isnan(value) for value in values) else "nothing but NaN"

    def rule_problems(self) -> list[tuple[str, str]]:
        groups = self._api("rules")["data"]["groups"]
        return [(rule["name"], rule.get("lastError", "")) for group in groups for rule in group["rules"]]
