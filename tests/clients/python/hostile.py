"""Clients that do what they must not, for as long as standard input is open; whatever is not refused as it should be is a failure.
Prints one JSON object at the end.

Usage: hostile.py PROXY_PORT INTERCEPTION_ROOT A_SECOND
"""

import asyncio
import itertools
import json
import ssl
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable

PORT, AUTHORITY, RATE = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
SECONDS = 20
API = "api.imagicle.com"
TRUST = ssl.create_default_context(cafile=AUTHORITY)
TRUST.set_alpn_protocols(["http/1.1"])
PERSONAL = b'{"user":"mario.rossi@example.com"}'
counts: Counter[str] = Counter()
failures: list[str] = []


async def said(sent: bytes) -> str:
    """The first line of what comes back, or nothing."""
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    try:
        writer.write(sent)
        return (await reader.readline()).decode(errors="replace").strip()
    except ConnectionResetError:
        return ""
    finally:
        writer.transport.abort()


def connect(target: str) -> bytes:
    return f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode()


async def must(wanted: str, sent: bytes) -> None:
    line = await said(sent)
    if wanted not in line:
        raise RuntimeError(f"{line!r} instead of {wanted}")


async def another_host() -> None:
    await must("403", connect("evil.test:443"))


async def another_port() -> None:
    await must("403", connect(f"{API}:22"))


async def two_framings() -> None:
    await must("400", f"POST http://{API}/ HTTP/1.1\r\nHost: {API}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".encode())


async def an_upstream_that_is_down() -> None:
    await must("50", connect("down.imagicle.com:443"))


async def half_a_head() -> None:
    await said_nothing(b"CONNECT api.imagicle.com:443 HT")


async def said_nothing(sent: bytes) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", PORT)
    writer.write(sent)
    await writer.drain()
    writer.transport.abort()


async def no_tls_in_a_tunnel() -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    try:
        writer.write(connect(f"{API}:443"))
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head:
            raise RuntimeError(f"{head[:40]!r}")
        writer.write(b"SSH-2.0-client\r\n")
        await reader.read()
    except ConnectionResetError:
        pass
    finally:
        writer.transport.abort()


async def a_broken_handshake() -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    writer.write(connect(f"{API}:443"))
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"\x16\x03\x01\x02\x00\x01\x00")
    await writer.drain()
    writer.transport.abort()


async def personal_data() -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    try:
        writer.write(connect(f"{API}:443"))
        await reader.readuntil(b"\r\n\r\n")
        await writer.start_tls(TRUST, server_hostname=API)
        writer.write(f"POST /telemetry HTTP/1.1\r\nHost: {API}\r\nContent-Type: application/json\r\nContent-Length: {len(PERSONAL)}\r\n\r\n".encode())
        writer.write(PERSONAL)
        line = (await reader.readline()).decode()
        if " 403 " not in line:
            raise RuntimeError(f"personal data: {line!r}")
    finally:
        writer.transport.abort()


async def a_reset_upstream() -> None:
    """The tunnel stands, and ends with its upstream."""
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    try:
        writer.write(connect("reset.imagicle.com:443"))
        await reader.readuntil(b"\r\n\r\n")
        await writer.start_tls(TRUST, server_hostname="reset.imagicle.com")
        raise RuntimeError("a handshake with nobody")
    except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.transport.abort()


ATTACKS: tuple[Callable[[], Awaitable[None]], ...] = (
    another_host, another_port, two_framings, an_upstream_that_is_down, half_a_head, no_tls_in_a_tunnel, a_broken_handshake,
    personal_data, a_reset_upstream,
)


async def noting(attack: Callable[[], Awaitable[None]]) -> None:
    try:
        await asyncio.wait_for(attack(), SECONDS)
        counts[attack.__name__] += 1
    except Exception as error:  # whatever it is, it is a failure
        failures.append(f"{time.time():.2f} {attack.__name__}: {type(error).__name__} {error}")


async def main() -> None:
    ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    begun: set[asyncio.Task[None]] = set()
    due = time.monotonic()
    for attack in itertools.cycle(ATTACKS):
        if ended.done():
            break
        task = asyncio.create_task(noting(attack))
        begun.add(task)
        task.add_done_callback(begun.discard)
        due += 1 / RATE
        await asyncio.sleep(max(0.0, due - time.monotonic()))
    await asyncio.gather(*begun)
    print(json.dumps({"counts": counts, "failures": failures[:50]}), flush=True)


asyncio.run(main())
