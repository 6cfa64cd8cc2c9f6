"""The two ends of idle tunnels, each in a process of its own: an origin that only reads, and clients that wait."""

import asyncio
import contextlib
import multiprocessing
import resource
import selectors
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from multiprocessing.sharedctypes import Synchronized
from typing import TypeAlias, cast

from procs import wait_for

HOST = "api.imagicle.com"
AT_ONCE = 64
SECONDS = 20

_fresh = multiprocessing.get_context("spawn")


def raise_descriptor_limit() -> int:
    """Lifts the soft limit of this process and its children to the hard one, which is returned."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def client_hello() -> bytes:
    """The first message of a real TLS client."""
    context = ssl.create_default_context()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context.wrap_bio(incoming, outgoing, server_hostname=HOST)
    with contextlib.suppress(ssl.SSLWantReadError):
        session.do_handshake()
    return outgoing.read()


Counter: TypeAlias = "Synchronized[int]"
Opener: TypeAlias = Callable[[], Awaitable[socket.socket]]


@dataclass(frozen=True)
class Origin:
    port: int
    reached: Callable[[], int]
    """How many connections have brought a whole ClientHello so far."""


@contextlib.contextmanager
def origin(hello_size: int) -> Iterator[Origin]:
    """A server that accepts, reads, and holds each connection until its peer ends it."""
    near, far = _fresh.Pipe()
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    reached = _fresh.Value("i", 0)
    process = _fresh.Process(target=_accept_and_hold, args=(far, listener, hello_size, reached), daemon=True)
    process.start()
    port = listener.getsockname()[1]
    listener.close()
    far.close()
    try:
        yield Origin(port, lambda: reached.value)
    finally:
        _end(process, near)


def _accept_and_hold(driver: Connection, listener: socket.socket, hello_size: int, reached: Counter) -> None:
    """Serves until the driver's end of the pipe is closed, be it by the driver's death."""
    with selectors.DefaultSelector() as selector:
        selector.register(driver, selectors.EVENT_READ)
        selector.register(listener, selectors.EVENT_READ)
        missing: dict[socket.socket, int] = {}
        while True:
            for key, _ in selector.select():
                if key.fileobj is driver:
                    return
                if key.fileobj is listener:
                    peer, _ = listener.accept()
                    missing[peer] = hello_size
                    selector.register(peer, selectors.EVENT_READ)
                    continue
                peer = cast(socket.socket, key.fileobj)
                got = _read(peer)
                missing[peer] -= got
                if got == 0:
                    selector.unregister(peer)
                    peer.close()
                    del missing[peer]
                elif missing[peer] == 0:
                    reached.value += 1  # nobody else writes it


def _read(peer: socket.socket) -> int:
    """How much a readable connection brought; nothing once it has ended."""
    try:
        return len(peer.recv(65536))
    except ConnectionError:
        return 0


def _end(process: SpawnProcess, near: Connection) -> None:
    """Closing the pipe is the sign both peers stop at."""
    near.close()
    process.join(SECONDS)
    if process.is_alive():
        process.kill()


@contextlib.contextmanager
def tunnels(count: int, opener: Opener) -> Iterator[None]:
    """`count` tunnels, held by a process of its own; leaving the block closes them."""
    near, far = _fresh.Pipe()
    process = _fresh.Process(target=_open_and_hold, args=(far, count, opener), daemon=True)
    process.start()
    far.close()
    try:
        wait_for(f"{count} tunnels", near.poll, seconds=120)
        trouble = near.recv()
        if trouble:
            raise RuntimeError(trouble)
        yield
    finally:
        _end(process, near)


def _open_and_hold(driver: Connection, count: int, opener: Opener) -> None:
    """Reports on `driver` once all tunnels stand, or why not, and holds them until it is closed."""
    try:
        held = asyncio.run(_open_all(count, opener))
    except Exception as error:  # the driver tells it; a traceback of this process would help nobody
        driver.send(f"{type(error).__name__}: {error}")
        return
    with contextlib.suppress(BrokenPipeError, EOFError):  # either way the driver is done with us
        driver.send(None)
        driver.recv()
    for tunnel in held:
        tunnel.close()


async def _open_all(count: int, opener: Opener) -> list[socket.socket]:
    turn = asyncio.Semaphore(AT_ONCE)

    async def one() -> socket.socket:
        async with turn, asyncio.timeout(SECONDS):
            return await opener()

    return await asyncio.gather(*(one() for _ in range(count)))


async def open_silent(proxy_port: int, hello: bytes) -> socket.socket:
    """A tunnel that was answered 200 and told a ClientHello."""
    loop = asyncio.get_running_loop()
    tunnel = socket.socket()
    tunnel.setblocking(False)
    await loop.sock_connect(tunnel, ("127.0.0.1", proxy_port))
    await loop.sock_sendall(tunnel, f"CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n\r\n".encode())
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        part = await loop.sock_recv(tunnel, 4096)
        if not part:
            raise ConnectionError(f"the proxy ended after {answer!r}")
        answer += part
    if b" 200 " not in answer.splitlines()[0]:
        raise ConnectionError(f"the proxy answered {answer.splitlines()[0].decode()}")
    await loop.sock_sendall(tunnel, hello)
    return tunnel
