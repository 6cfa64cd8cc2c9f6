"""Makes the requests of a file with the library named, one after the other in one session.

Usage: http_ask.py requests|httpx-h1|httpx-h2|aiohttp ASKS ROOT PROXY|- [HOST=PORT ...]

Without a proxy, the hosts named are found at their loopback ports. `exchanges.py` says what a
line of ASKS holds and what is printed for each.
"""

import asyncio
import hashlib
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

SECONDS = 60
PART = 64 * 1024


@dataclass(frozen=True)
class Ask:
    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None
    announced: bool

    def parts(self) -> Iterator[bytes]:
        for start in range(0, len(self.body or b""), PART):
            yield (self.body or b"")[start : start + PART]

    async def parts_later(self) -> AsyncIterator[bytes]:
        for part in self.parts():
            yield part

    def content(self, later: bool = False) -> Any:
        """The body in the form that makes a library announce its length, or not."""
        if self.body is None or self.announced:
            return self.body
        return self.parts_later() if later else self.parts()


def read(file: str) -> Iterator[Ask]:
    for line in Path(file).read_text().splitlines():
        method, url, body, length, *headers = line.split("\t")
        fields = dict(header.split(": ", 1) for header in headers)
        yield Ask(method, url, fields, None if body == "-" else Path(body).read_bytes(), length == "announced")


def tell(version: str, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> None:
    print(f"< {status} {version}")
    for name, value in headers:
        print(f"{name}: {value}")
    print(f"= {len(body)} {hashlib.sha256(body).hexdigest()}")


def with_requests(asks: list[Ask], root: str, proxy: str | None) -> None:
    import requests

    session = requests.Session()
    session.verify = root
    session.proxies = {"https": proxy} if proxy else {}
    for ask in asks:
        answer = session.request(ask.method, ask.url, headers=ask.headers, data=ask.content(), timeout=SECONDS)
        version = {10: "1.0", 11: "1.1"}[answer.raw.version]
        tell(version, answer.status_code, answer.raw.headers.iteritems(), answer.content)


def with_httpx(asks: list[Ask], root: str, proxy: str | None, http2: bool) -> None:
    import httpx

    trust = ssl.create_default_context(cafile=root)
    with httpx.Client(proxy=proxy, verify=trust, http2=http2, timeout=SECONDS) as client:
        for ask in asks:
            answer = client.request(ask.method, ask.url, headers=ask.headers, content=ask.content())
            version = answer.http_version.removeprefix("HTTP/")
            tell(version, answer.status_code, answer.headers.multi_items(), answer.content)


async def with_aiohttp(asks: list[Ask], root: str, proxy: str | None) -> None:
    import aiohttp

    trust = ssl.create_default_context(cafile=root)
    async with aiohttp.ClientSession() as session:
        for ask in asks:
            to = partial(session.request, ask.method, ask.url, headers=ask.headers, proxy=proxy, ssl=trust)
            async with to(data=ask.content(later=True)) as answer:
                assert answer.version is not None
                headers = [(name.decode(), value.decode("latin-1")) for name, value in answer.raw_headers]
                version = f"{answer.version.major}.{answer.version.minor}"
                tell(version, answer.status, headers, await answer.read())


LIBRARIES: dict[str, Callable[[list[Ask], str, str | None], None]] = {
    "requests": with_requests,
    "httpx-h1": partial(with_httpx, http2=False),
    "httpx-h2": partial(with_httpx, http2=True),
    "aiohttp": lambda *how: asyncio.run(with_aiohttp(*how)),
}


def resolve_to(ports: dict[str, int]) -> None:
    """Puts a resolver of our own in place of the system's, which all these libraries ask."""
    systems = socket.getaddrinfo

    def resolve(host: Any, port: Any, *more: Any, **named: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        at = ("127.0.0.1", ports[name]) if name in ports else (host, port)
        return systems(*at, *more, **named)

    socket.getaddrinfo = resolve


def main() -> None:
    library, asks, root, proxy, *hosts = sys.argv[1:]
    if proxy == "-":
        resolve_to({host: int(port) for host, port in (pair.split("=") for pair in hosts)})
    try:
        LIBRARIES[library](list(read(asks)), root, None if proxy == "-" else proxy)
    except Exception as error:  # whatever a library says to its user is the answer here
        sys.exit(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
