"""An HTTP origin that answers in every way a client must cope with, and tells what it was sent.

Each line on standard output is one JSON object: a request's head as soon as it is there, its
body once it is complete, or the request's end where the body never was. The driver reads them
there, so that no answer has to carry them: an answer stays the same whoever asks.

Usage: origin.py PORT CERTIFICATE KEY
"""

import asyncio
import gzip
import hashlib
import itertools
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

TAG = b'"v1"'
MIB = 1024 * 1024
JSON = [(b"content-type", b"application/json")]
# Fields a proxy could fold, drop or mistake for its own; alt-svc is the one it must drop.
ODD = [
    (b"set-cookie", b"AWSALB=1; Path=/; HttpOnly"),
    (b"set-cookie", b"AWSALBCORS=2; Secure"),
    (b"x-odd", b'semi;colon, comma "quoted"'),
    (b"x-empty", b""),
    (b"cache-control", b"no-store"),
    (b"alt-svc", b'h3=":443"; ma=60'),
]

_numbers = itertools.count(1)
_go_on = asyncio.Event()


class Gone(Exception):
    """The client ended its request before it was complete."""


def tell(**what: object) -> None:
    print(json.dumps(what), flush=True)


async def chunks(receive: Receive) -> AsyncIterator[bytes]:
    """The request's body as it comes."""
    while True:
        event = await receive()
        if event["type"] != "http.request":
            raise Gone
        yield event["body"]
        if not event["more_body"]:
            return


async def read_all(number: int, receive: Receive) -> None:
    digest, length = hashlib.sha256(), 0
    async for chunk in chunks(receive):
        digest.update(chunk)
        length += len(chunk)
    tell(event="body", number=number, length=length, sha256=digest.hexdigest())


async def answer(send: Send, status: int, headers: Headers, body: bytes = b"") -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def whole(send: Send, body: bytes, headers: Headers, status: int = 200) -> None:
    await answer(send, status, [*headers, (b"content-length", b"%d" % len(body))], body)


async def stream(send: Send, size: int) -> None:
    """A body whose length nobody is told beforehand."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    part = b"0123456789abcdef" * 4096
    for _ in range(size // len(part)):
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body"})


async def drip(send: Send) -> None:
    """Half of an answer, and the other half only once somebody asks for /drip-on."""
    _go_on.clear()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"first\n", "more_body": True})
    await _go_on.wait()
    await send({"type": "http.response.body", "body": b"second\n"})


async def converse(number: int, receive: Receive, send: Send) -> None:
    """Enough of gRPC to answer each message with itself, and to tell every byte that came."""
    headers = [(b"content-type", b"application/grpc")]
    await send({"type": "http.response.start", "status": 200, "headers": headers, "trailers": True})
    pending = b""
    async for chunk in chunks(receive):
        tell(event="bytes", number=number, hex=chunk.hex())
        pending += chunk
        while len(pending) >= 5 and len(pending) >= (size := 5 + int.from_bytes(pending[1:5])):
            await send({"type": "http.response.body", "body": pending[:size], "more_body": True})
            pending = pending[size:]
    await send({"type": "http.response.body"})
    await send({"type": "http.response.trailers", "headers": [(b"grpc-status", b"0")]})


async def respond(path: str, headers: dict[bytes, bytes], send: Send) -> None:
    match path.strip("/").split("/"):
        case ["nothing"]:
            await answer(send, 204, ODD)
        case ["document"] if headers.get(b"if-none-match") == TAG:
            await answer(send, 304, [(b"etag", TAG), (b"vary", b"accept-encoding")])
        case ["document"]:
            await whole(send, b"a document\n", [(b"content-type", b"text/plain"), (b"etag", TAG)])
        case ["packed"]:
            packed = gzip.compress(b'{"packed":true}' * 1000, mtime=0)
            await whole(send, packed, [*JSON, (b"content-encoding", b"gzip")])
        case ["download", size]:
            await stream(send, int(size) * MIB)
        case ["status", status]:
            await whole(send, b'{"title":"the origin says so"}', [*JSON, (b"retry-after", b"7")], int(status))
        case ["drip"]:
            await drip(send)
        case ["drip-on"]:
            _go_on.set()
            await whole(send, b"{}", JSON)
        case _:
            await whole(send, b'{"message":"seen"}', JSON + ODD)


async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])  # how a server says that it has no such events
    number = next(_numbers)
    target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
    headers = [(name.decode().lower(), value.decode("latin-1")) for name, value in scope["headers"]]
    tell(event="head", number=number, method=scope["method"], target=target.decode(),
         version=scope["http_version"], headers=headers)
    try:
        if scope["path"].startswith("/test.Echo/"):
            await converse(number, receive, send)
            return
        await read_all(number, receive)
        await respond(scope["path"], dict(scope["headers"]), send)
    except Gone:
        tell(event="gone", number=number)


def main() -> None:
    port, certificate, key = sys.argv[1:]
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.certfile, config.keyfile = certificate, key
    # Idle connections are for the other side to end: this one would end them in the middle of a run.
    config.keep_alive_timeout = 600
    asyncio.run(serve(app, config))  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
