"""Every web client, each reduced to one question: what does it show its user for this URL?"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from lab import Lab
from paths import HERE, NODE
from pki import STORE_PASSWORD
from procs import Done, clean_env, run


# What the cases call it, the HTTP version it speaks, the runtime of our program, the library's name there.
LIBRARIES = (
    ("requests", "1.1", "python", "requests"),
    ("httpx-h1", "1.1", "python", "httpx-h1"),
    ("httpx-h2", "2", "python", "httpx-h2"),
    ("aiohttp", "1.1", "python", "aiohttp"),
    ("undici", "1.1", "node", "undici"),
    ("https-proxy-agent", "1.1", "node", "https-proxy-agent"),
    ("java-httpclient", "2", "java", "httpclient"),
    ("java-urlconnection", "1.1", "java", "urlconnection"),
)


@dataclass(frozen=True)
class Reply:
    """What the client showed: an answer with status, HTTP version and body, or an error."""

    status: int
    version: str
    body: str
    error: str


@dataclass(frozen=True)
class WebClient:
    name: str
    version: str
    get: Callable[[Lab, str], Reply]


def by_last_line(done: Done) -> Reply:
    """Reads the format our programs share with curl: the body, then a line `STATUS VERSION`."""
    if done.code != 0:
        return Reply(0, "", "", done.err.strip())
    body, _, last = done.out.rstrip("\n").rpartition("\n")
    status, version = last.split()
    return Reply(int(status), version, body, "")


def curl_argv(lab: Lab, *options: str | Path) -> list[str | Path]:
    return ["curl", "--silent", "--show-error", "--max-time", "20", "--proxy", lab.proxy.url,
            "--cacert", lab.pki.root, *options]


def curl(*options: str) -> Callable[[Lab, str], Reply]:
    status_line = "\n%{http_code} %{http_version}"
    return lambda lab, url: by_last_line(run(curl_argv(lab, *options, "--write-out", status_line, url)))


def program(*command: str | Path) -> Callable[[Lab, str], Reply]:
    """One of our programs for Python and Node, which take the same arguments."""
    env = clean_env(NODE_PATH=str(NODE / "node_modules"))
    return lambda lab, url: by_last_line(run([*command, url, lab.proxy.url, lab.pki.root], env=env))


def python(library: str) -> Callable[[Lab, str], Reply]:
    return program(sys.executable, HERE / "python" / "http_get.py", library)


def node(library: str) -> Callable[[Lab, str], Reply]:
    return program("node", HERE / "node" / "http_get.cjs", library)


def java_trust(lab: Lab) -> list[str]:
    return [f"-Djavax.net.ssl.trustStore={lab.pki.java_store}",
            f"-Djavax.net.ssl.trustStorePassword={STORE_PASSWORD}"]


def java(library: str, *properties: str) -> Callable[[Lab, str], Reply]:
    source = {"httpclient": "HttpClientGet.java", "urlconnection": "UrlConnectionGet.java"}[library]

    def get(lab: Lab, url: str) -> Reply:
        done = run(["java", "-XX:TieredStopAtLevel=1", *java_trust(lab), *properties, HERE / "java" / source,
                    url, "127.0.0.1", str(lab.proxy.port)])
        return by_last_line(done)

    return get


def wget(lab: Lab, url: str) -> Reply:
    env = clean_env(https_proxy=lab.proxy.url)
    done = run(["wget", "--no-config", "--quiet", "--server-response", "--tries=1", "--timeout=20",
                "--ca-certificate", lab.pki.root, "--output-document=-", url], env=env)
    if done.code != 0:
        # Without --quiet it would say why, and a lot besides.
        loud = run(["wget", "--no-config", "--no-verbose", "--tries=1", "--timeout=20", "--output-document=-", url],
                   env=env)
        return Reply(0, "", "", loud.err.strip())
    protocol, status, *_ = done.err.split()
    return Reply(int(status), protocol.removeprefix("HTTP/"), done.out, "")


def openssl(lab: Lab, url: str) -> Reply:
    """Speaks HTTP by hand through `openssl s_client`, which asks for tunnels in HTTP/1.0."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    through = ["-proxy", f"127.0.0.1:{lab.proxy.port}", "-connect", f"{host}:{parts.port or 443}"]
    verified = ["-servername", host, "-verify_hostname", host, "-verify_return_error", "-CAfile", str(lab.pki.root)]
    request = f"GET {parts.path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    done = run(["openssl", "s_client", "-quiet", *through, *verified], stdin=request)
    head, separator, body = done.out.partition("\n\n")
    if not separator:
        return Reply(0, "", "", done.err.strip())
    protocol, status, *_ = head.split()
    return Reply(int(status), protocol.removeprefix("HTTP/"), body, "")


RUNTIMES = {"python": python, "node": node, "java": java}
CLIENTS = [
    WebClient("curl-h1", "1.1", curl("--http1.1")),
    WebClient("curl-h2", "2", curl("--http2")),
    WebClient("wget", "1.1", wget),
    WebClient("openssl", "1.1", openssl),
]
CLIENTS += [WebClient(name, version, RUNTIMES[runtime](library)) for name, version, runtime, library in LIBRARIES]
