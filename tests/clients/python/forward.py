"""Takes connections at one loopback address and carries them to a port of 127.0.0.1.

Usage: forward.py ADDRESS PORT TO_PORT

A parent proxy connects to the documented port of whatever address a name has; the stand-in cloud listens elsewhere.
"""

import asyncio
import contextlib
import sys


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


async def main() -> None:
    address, port, to_port = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", to_port)
        await asyncio.gather(carry(reader, far_writer), carry(far_reader, writer))
        for done in (writer, far_writer):
            done.close()

    server = await asyncio.start_server(connected, address, port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
