"""A connection listened in on, and what the answer in it says about TLS."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

HANDSHAKE, SERVER_HELLO, KEY_SHARE = 22, 2, 0x0033
X25519MLKEM768 = 0x11EC


@dataclass
class Tap:
    """A loopback port that leads to another, and all that came back from there."""

    port: int
    received: bytearray = field(default_factory=bytearray)


@contextlib.contextmanager
def tap(port: int) -> Iterator[Tap]:
    """Forwards one connection to `port`, and keeps what the other side sends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        tapped = Tap(listener.getsockname()[1])
        worker = threading.Thread(target=_serve, args=(listener, port, tapped), daemon=True)
        worker.start()
        yield tapped
        # Wakes the worker should nobody have come.
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        worker.join(10)


def _serve(listener: socket.socket, port: int, tapped: Tap) -> None:
    with contextlib.suppress(OSError):
        near, _ = listener.accept()
        with near, socket.create_connection(("127.0.0.1", port)) as far:
            upward = threading.Thread(target=_pump, args=(near, far, bytearray()), daemon=True)
            upward.start()
            _pump(far, near, tapped.received)
            upward.join(10)


def _pump(source: socket.socket, sink: socket.socket, kept: bytearray) -> None:
    with contextlib.suppress(OSError):
        while part := source.recv(65536):
            kept += part
            sink.sendall(part)
        sink.shutdown(socket.SHUT_WR)


def chosen_group(received: bytes) -> int:
    """The key exchange a ServerHello behind the answer to a CONNECT has chosen (RFC 8446 section 4.2.8)."""
    record = received.partition(b"\r\n\r\n")[2]
    if len(record) < 6 or record[0] != HANDSHAKE or record[5] != SERVER_HELLO:
        raise ValueError(f"no ServerHello: {record[:6].hex()}")
    # Record head, handshake head, version, random.
    at = 5 + 4 + 2 + 32
    # Session id, cipher suite, compression.
    at += 1 + record[at] + 2 + 1
    end = at + 2 + int.from_bytes(record[at : at + 2])
    at += 2
    while at < end:
        kind, size = int.from_bytes(record[at : at + 2]), int.from_bytes(record[at + 2 : at + 4])
        if kind == KEY_SHARE:
            return int.from_bytes(record[at + 4 : at + 6])
        at += 4 + size
    raise ValueError("the ServerHello has no key share")
