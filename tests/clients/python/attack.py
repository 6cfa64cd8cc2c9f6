"""One client's attack on the proxy, from an address of its own, for as long as standard input is open. Prints how often it began.

Usage: attack.py KIND PROXY_PORT INTERCEPTION_ROOT
"""

import asyncio
import functools
import gzip
import itertools
import logging
import random
import socket
import ssl
import struct
import sys
from collections.abc import Awaitable, Callable

KIND, PORT, AUTHORITY = sys.argv[1], int(sys.argv[2]), sys.argv[3]
ADDRESS = "127.0.0.66"
API, BULK = "api.imagicle.com", "bulk.imagicle.com"
MANY = 400
PATIENCE = 30
begun = itertools.count(1)
number = 0


@functools.cache
def trust(*protocols: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=AUTHORITY)
    context.set_alpn_protocols(protocols)
    return context


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def opened() -> Streams:
    global number
    number = next(begun)
    return await asyncio.open_connection("127.0.0.1", PORT, local_addr=(ADDRESS, 0))


async def tunnel(host: str = API) -> Streams:
    reader, writer = await opened()
    writer.write(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer


async def decrypted(protocol: str = "http/1.1", host: str = API) -> Streams:
    reader, writer = await tunnel(host)
    await writer.start_tls(trust(protocol), server_hostname=host)
    return reader, writer


async def until_closed(streams: Streams) -> None:
    while await streams[0].read(65536):
        pass


async def connects() -> None:
    """A connection that says nothing and goes."""
    (await opened())[1].transport.abort()


async def slow_heads() -> None:
    """A head, a byte a second."""
    reader, writer = await opened()
    for byte in b"CONNECT " + b"a" * 60:
        writer.write(bytes([byte]))
        await asyncio.sleep(1)
    await until_closed((reader, writer))


async def refusals() -> None:
    """A host that is not allowed, again and again."""
    reader, writer = await opened()
    writer.write(b"CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n\r\n")
    await until_closed((reader, writer))
    writer.transport.abort()


async def giant_heads() -> None:
    """A head of 64 KiB."""
    reader, writer = await opened()
    writer.write(b"GET http://x/ HTTP/1.1\r\n" + b"X: " + b"a" * 65_000)
    await until_closed((reader, writer))
    writer.transport.abort()


async def many_fields() -> None:
    """A head of 20,000 fields."""
    reader, writer = await opened()
    writer.write(b"GET http://x/ HTTP/1.1\r\n" + b"a:\r\n" * 15_000)
    await until_closed((reader, writer))
    writer.transport.abort()


async def silent_tunnels() -> None:
    """A tunnel whose client says nothing."""
    await until_closed(await tunnel())


async def half_hellos() -> None:
    """A TLS handshake that stops in its first message."""
    reader, writer = await tunnel()
    writer.write(b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03" + bytes(100))
    await until_closed((reader, writer))


async def handshakes() -> None:
    """A whole handshake, and gone."""
    (await decrypted())[1].transport.abort()


async def bombs() -> None:
    """64 MiB of zeros in 64 KiB."""
    reader, writer = await decrypted()
    writer.write(f"POST /t HTTP/1.1\r\nHost: {API}\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
                 f"Content-Length: {len(BOMB)}\r\n\r\n".encode() + BOMB)
    await reader.readline()
    writer.transport.abort()


async def deep_documents() -> None:
    """100,000 brackets."""
    reader, writer = await decrypted()
    writer.write(f"POST /t HTTP/1.1\r\nHost: {API}\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n".encode() + b"[" * 100_000)
    await reader.readline()
    writer.transport.abort()


async def dense_documents() -> None:
    """A megabyte that looks like personal data everywhere and is not."""
    reader, writer = await decrypted()
    writer.write(f"POST /t HTTP/1.1\r\nHost: {API}\r\nContent-Type: application/json\r\nContent-Length: {len(DENSE)}\r\n\r\n".encode() + DENSE)
    await reader.readline()
    writer.transport.abort()


async def slow_bodies() -> None:
    """A body, a byte a second."""
    reader, writer = await decrypted()
    writer.write(f"POST /t HTTP/1.1\r\nHost: {API}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n".encode())
    for _ in range(PATIENCE):
        writer.write(b"1")
        await asyncio.sleep(1)
    await until_closed((reader, writer))


async def slow_reads() -> None:
    """20 MiB that nobody reads, from a server of its own."""
    _, writer = await decrypted(host=BULK)
    sock: socket.socket = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    writer.write(f"GET /files/bulk HTTP/1.1\r\nHost: {BULK}\r\n\r\n".encode())
    writer.transport.pause_reading()
    await asyncio.sleep(PATIENCE)
    writer.transport.abort()


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"")
# GET, https, /, and the host, literally.
FIELDS = b"\x82\x87\x84\x01" + bytes([len(API)]) + API.encode()


async def flood(piece: Callable[[int], bytes], times: int) -> None:
    reader, writer = await decrypted("h2")
    writer.write(PREFACE)
    reading = asyncio.create_task(until_closed((reader, writer)))
    try:
        for start in range(0, times, 100):
            if writer.transport.is_closing():
                return
            writer.write(b"".join(map(piece, range(start, start + 100))))
            await writer.drain()
    finally:
        reading.cancel()
        writer.transport.abort()


async def rapid_resets() -> None:
    """Streams that are reset as soon as they are open."""
    await flood(lambda at: frame(1, 5, 2 * at + 1, FIELDS) + frame(3, 0, 2 * at + 1, struct.pack(">I", 8)), 100_000)


async def pings() -> None:
    """PING frames."""
    await flood(lambda _: frame(6, 0, 0, bytes(8)), 100_000)


async def settings() -> None:
    """SETTINGS frames."""
    await flood(lambda _: frame(4, 0, 0, b""), 100_000)


async def continuations() -> None:
    """A head that never ends."""
    await flood(lambda at: frame(1, 1, 1, FIELDS) if at == 0 else frame(9, 0, 1, b"\x40\x01a\x01b" * 10), 100_000)


BOMB = gzip.compress(bytes(64 << 20), 9) if KIND == "bombs" else b""
DENSE = b"[" + b",".join(b'"%04d %04d@%d.%d"' % (random.randrange(10_000), at % 10_000, at % 97, at % 89) for at in range(50_000)) + b"]" \
    if KIND == "dense_documents" else b""
# What is held open, many at once; the rest is repeated by a few as fast as it goes.
HELD = {"slow_heads", "silent_tunnels", "half_hellos", "slow_bodies", "slow_reads"}
KINDS: tuple[Callable[[], Awaitable[None]], ...] = (
    connects, slow_heads, refusals, giant_heads, many_fields, silent_tunnels, half_hellos, handshakes, bombs, deep_documents,
    dense_documents, slow_bodies, slow_reads, rapid_resets, pings, settings, continuations,
)


async def repeated(attack: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await asyncio.wait_for(attack(), PATIENCE + 10)
        except (OSError, EOFError, ssl.SSLError, TimeoutError, ValueError):
            # It was refused, cut off or ended: that is the point. A moment where nothing is let in.
            await asyncio.sleep(0.01)


async def main() -> None:
    # That its connections are cut is the point, and asyncio warns of each.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    attack = next(kind for kind in KINDS if kind.__name__ == KIND)
    tasks = [asyncio.create_task(repeated(attack)) for _ in range(MANY if KIND in HELD else 8)]
    await asyncio.to_thread(sys.stdin.read)
    for task in tasks:
        task.cancel()
    print(number, flush=True)


if KIND == "list":
    print("\n".join(f"{kind.__name__}\t{kind.__doc__}" for kind in KINDS))
else:
    asyncio.run(main())
