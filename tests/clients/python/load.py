"""Clients of every kind at once, for as long as standard input is open: requests on kept connections and on fresh ones, many quiet
tunnels, gRPC conversations. Prints one JSON object at the end.

Usage: load.py PROXY_PORT CLOUD_ROOT INTERCEPTION_ROOT REQUESTS_PER_SECOND TUNNELS STREAMS

Any of the three numbers may be 0: each kind is best given a process of its own. `gate.imagicle.com` may be refused at any time; whatever else fails is a failure. A kept connection that ends while nothing was asked
on it is opened anew, and a request that meets that end is repeated once on a fresh one, as HTTP clients do (RFC 9110 section 9.2.2).
"""

import asyncio
import json
import os
import random
import ssl
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine

import grpc

PORT, CLOUD, AUTHORITY, RATE, TUNNELS, STREAMS = (*sys.argv[1:4], int(sys.argv[4]), int(sys.argv[5]), int(sys.argv[6]))
SECONDS = 20
KEPT, QUIET, FRESH, GATE = "api.imagicle.com", "quiet.imagicle.com", "fresh.imagicle.com", "gate.imagicle.com"
WORKERS = 20
counts: Counter[str] = Counter()
failures: list[str] = []
stopping = threading.Event()


class Refused(Exception):
    """The proxy said no to a CONNECT."""


class Ended(Exception):
    """The connection ended where an answer was to come."""


def trusting(root: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=root)
    context.set_alpn_protocols(["http/1.1"])
    return context


CLOUD_TRUST, PROXY_TRUST = trusting(CLOUD), trusting(AUTHORITY)


class Connection:
    """HTTP/1.1 over TLS, through a tunnel of the proxy."""

    def __init__(self, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.host, self.reader, self.writer, self.is_open = host, reader, writer, True

    @classmethod
    async def open(cls, host: str) -> "Connection":
        reader, writer = await asyncio.open_connection("127.0.0.1", int(PORT))
        try:
            writer.write(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise Refused(head.split(b"\r\n", 1)[0].decode(errors="replace"))
            await writer.start_tls(PROXY_TRUST if host == KEPT else CLOUD_TRUST, server_hostname=host)
        except BaseException:
            writer.transport.abort()
            raise
        return cls(host, reader, writer)

    async def get(self) -> None:
        try:
            self.writer.write(f"GET /test HTTP/1.1\r\nHost: {self.host}\r\n\r\n".encode())
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        except (asyncio.IncompleteReadError, OSError) as error:
            self.is_open = False
            raise Ended(type(error).__name__) from error
        lines = head.lower().split("\r\n")
        length = next(int(line.split(":")[1]) for line in lines if line.startswith("content-length:"))
        body = await self.reader.readexactly(length)
        if not head.startswith("HTTP/1.1 200") or b"successfully connected" not in body:
            raise RuntimeError(lines[0])
        if "connection: close" in lines:
            self.close()

    def has_ended(self) -> bool:
        return not self.is_open or self.reader.at_eof() or self.writer.transport.is_closing()

    def close(self) -> None:
        self.is_open = False
        self.writer.transport.abort()


async def asked(kind: str, host: str, kept: Connection | None) -> Connection:
    """One request, over what was kept or anew."""
    connection = kept
    if connection is None or connection.has_ended():
        if connection is not None:
            counts[f"{kind} opened anew"] += 1
        connection = await Connection.open(host)
    try:
        await connection.get()
    except Ended:
        if kept is None or connection is not kept:
            raise
        counts[f"{kind} repeated"] += 1
        connection = await Connection.open(host)
        await connection.get()
    counts[kind] += 1
    return connection


async def noting(kind: str, work: Coroutine[None, None, Connection]) -> Connection | None:
    try:
        return await asyncio.wait_for(work, SECONDS)
    except Exception as error:  # whatever it is, it is a failure
        failures.append(f"{time.time():.2f} {kind}: {type(error).__name__} {error}")
        return None


async def paced(rate: float, work: Callable[[], Coroutine[None, None, None]]) -> None:
    """Begins `work` so often, however long it takes."""
    begun: set[asyncio.Task[None]] = set()
    due = time.monotonic()
    while not stopping.is_set():
        task = asyncio.create_task(work())
        begun.add(task)
        task.add_done_callback(begun.discard)
        due += 1 / rate
        await asyncio.sleep(max(0.0, due - time.monotonic()))
    await asyncio.gather(*begun)


async def kept_worker(rate: float) -> None:
    kept: Connection | None = None
    due = time.monotonic() + random.random() / rate
    while not stopping.is_set():
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        due += 1 / rate
        kept = await noting("kept", asked("kept", KEPT, kept))


async def fresh() -> None:
    connection = await noting("fresh", asked("fresh", FRESH, None))
    if connection:
        connection.close()


async def gate() -> None:
    try:
        connection = await asyncio.wait_for(asked("gate", GATE, None), SECONDS)
        connection.close()
    except Refused as refused:
        counts["gate refused"] += 1
        if "403" not in str(refused):
            failures.append(f"{time.time():.2f} gate: {refused}")
    except (Ended, OSError, asyncio.IncompleteReadError):
        # Its tunnel stood when the policy that refuses it came.
        counts["gate cut"] += 1


async def quiet_tunnel(ready: asyncio.Semaphore) -> None:
    async with ready:
        kept = await noting("quiet", asked("quiet", QUIET, None))
    while not stopping.is_set():
        until = time.monotonic() + random.uniform(5, 15)
        while time.monotonic() < until and not stopping.is_set():
            await asyncio.sleep(0.25)
        if not stopping.is_set():
            kept = await noting("quiet", asked("quiet", QUIET, kept))


def message(number: int) -> bytes:
    return b"\n\x06" + b"%06d" % number


def conversation() -> None:
    """Ten words, half a second apart, each answered before the next."""
    options = (("grpc.http_proxy", f"http://127.0.0.1:{PORT}"), ("grpc.use_local_subchannel_pool", 1))
    with grpc.secure_channel("grpc.imagicle.com:443", grpc.ssl_channel_credentials(ROOT), options) as channel:
        answered = threading.Semaphore(1)

        def words():
            for number in range(10):
                answered.acquire()
                time.sleep(0.05 if stopping.is_set() else 0.5)
                yield message(number)

        for number, answer in enumerate(channel.stream_stream("/test.Echo/Bidi")(words(), timeout=60)):
            if answer != message(number).upper():
                raise RuntimeError("another word came back")
            counts["words"] += 1
            answered.release()
        counts["conversations"] += 1


def streams() -> None:
    while not stopping.is_set():
        try:
            conversation()
        except Exception as error:  # whatever it is, it is a failure
            failures.append(f"{time.time():.2f} stream: {type(error).__name__} {str(error)[:300]}")


async def main() -> None:
    threads = [threading.Thread(target=streams) for _ in range(STREAMS)]
    for thread in threads:
        thread.start()
    ready = asyncio.Semaphore(20)
    tasks = [asyncio.create_task(quiet_tunnel(ready)) for _ in range(TUNNELS)]
    if RATE:
        tasks += [asyncio.create_task(kept_worker(RATE * 0.7 / WORKERS)) for _ in range(WORKERS)]
        tasks += [asyncio.create_task(paced(RATE * 0.2, fresh)), asyncio.create_task(paced(RATE * 0.1, gate))]
    while counts["quiet"] < TUNNELS and not failures:
        await asyncio.sleep(0.1)
    print("standing", flush=True)
    began = time.monotonic()
    requests = sum(counts[kind] for kind in ("kept", "fresh", "gate", "gate refused", "gate cut"))
    await asyncio.to_thread(sys.stdin.read)
    requests = sum(counts[kind] for kind in ("kept", "fresh", "gate", "gate refused", "gate cut")) - requests
    seconds = time.monotonic() - began
    stopping.set()
    await asyncio.gather(*tasks)
    for thread in threads:
        thread.join()
    rate = round(requests / seconds, 1)
    print(json.dumps({"rate": rate, "seconds": round(seconds, 1), "counts": counts, "failures": failures[:50]}), flush=True)


with open(CLOUD, "rb") as file:
    ROOT = file.read()
os.environ.pop("no_proxy", None)
asyncio.run(main())
