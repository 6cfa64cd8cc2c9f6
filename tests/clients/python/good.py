"""A client that behaves: so many requests a second, in turn over a new tunnel and over a kept connection that is decrypted.
Prints one JSON object: how long they took, from the moment each was due.

Usage: good.py PROXY_PORT ROOTS SECONDS A_SECOND
"""

import asyncio
import json
import ssl
import sys
import time

PORT, ROOTS, SECONDS, RATE = int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), float(sys.argv[4])
NEW, KEPT = "fresh.imagicle.com", "api.imagicle.com"
TRUST = ssl.create_default_context(cafile=ROOTS)
TRUST.set_alpn_protocols(["http/1.1"])
PATIENCE = 20
took: dict[str, list[float]] = {"new": [], "kept": []}
failures: list[str] = []

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def connect(host: str) -> Streams:
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    writer.write(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(head.split(b"\r\n", 1)[0].decode(errors="replace"))
    await writer.start_tls(TRUST, server_hostname=host)
    return reader, writer


async def get(streams: Streams, host: str) -> None:
    reader, writer = streams
    writer.write(f"GET /test HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = next(int(line.split(":")[1]) for line in head.split("\r\n") if line.startswith("content-length:"))
    await reader.readexactly(length)
    if not head.startswith("http/1.1 200"):
        raise RuntimeError(head.split("\r\n", 1)[0])


async def new() -> None:
    streams = await connect(NEW)
    await get(streams, NEW)
    streams[1].transport.abort()


async def noting(kind: str, due: float, kept: Streams) -> None:
    try:
        await asyncio.wait_for(new() if kind == "new" else get(kept, KEPT), PATIENCE)
        took[kind].append(time.monotonic() - due)
    except Exception as error:  # whatever it is, it is a failure
        failures.append(f"{kind}: {type(error).__name__} {error}")


async def main() -> None:
    try:
        kept = await asyncio.wait_for(connect(KEPT), PATIENCE)
    except Exception as error:  # whatever it is, nothing is measured then
        print(json.dumps({"milliseconds": {}, "count": 0, "failures": [f"{type(error).__name__} {error}"]}), flush=True)
        return
    free = asyncio.Lock()

    async def over_kept(due: float) -> None:
        async with free:
            await noting("kept", due, kept)

    begun = []
    began = time.monotonic()
    for number in range(int(SECONDS * RATE)):
        due = began + number / RATE
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        begun.append(asyncio.create_task(noting("new", due, kept) if number % 2 else over_kept(due)))
    await asyncio.gather(*begun)
    figures = {kind: [round(sorted(times)[int(len(times) * part)] * 1000, 2) for part in (0.5, 0.99)] for kind, times in took.items() if times}
    print(json.dumps({"milliseconds": figures, "count": sum(map(len, took.values())), "failures": failures[:10]}), flush=True)


asyncio.run(main())
