"""Makes one gRPC call of the kind named, through the proxy the environment names, and checks its answer.

Usage: grpc_call.py TARGET ROOT unary|server-stream|client-stream|bidi|large
"""

import queue
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc

SECONDS = 20
LARGE = 4 * 1024 * 1024


def unary(channel: grpc.Channel) -> None:
    assert channel.unary_unary("/test.Echo/Unary")(b"hello", timeout=SECONDS) == b"hello"


def server_stream(channel: grpc.Channel) -> None:
    answers = channel.unary_stream("/test.Echo/ServerStream")(b"tick", timeout=SECONDS)
    assert list(answers) == [b"tick 0", b"tick 1", b"tick 2"]


def client_stream(channel: grpc.Channel) -> None:
    words = [b"one", b"two", b"three"]
    assert channel.stream_unary("/test.Echo/ClientStream")(iter(words), timeout=SECONDS) == b",".join(words)


def bidi(channel: grpc.Channel) -> None:
    """Sends each message only after the answer to the one before: nothing on the way may hoard."""
    outgoing: queue.Queue[bytes | None] = queue.Queue()
    requests: Iterator[bytes] = iter(outgoing.get, None)
    answers = channel.stream_stream("/test.Echo/Bidi")(requests, timeout=SECONDS)
    for word in (b"one", b"two", b"three"):
        outgoing.put(word)
        assert next(answers) == word.upper()
    outgoing.put(None)
    assert list(answers) == []


def large(channel: grpc.Channel) -> None:
    message = bytes(range(256)) * (LARGE // 256)
    assert channel.unary_unary("/test.Echo/Unary")(message, timeout=SECONDS) == message


CALLS = {"unary": unary, "server-stream": server_stream, "client-stream": client_stream, "bidi": bidi, "large": large}


def main() -> None:
    target, root, kind = sys.argv[1:]
    options = [("grpc.max_receive_message_length", 2 * LARGE)]
    credentials = grpc.ssl_channel_credentials(Path(root).read_bytes())
    with grpc.secure_channel(target, credentials, options) as channel:
        try:
            CALLS[kind](channel)
        except grpc.RpcError as error:
            sys.exit(f"{error.code().name}: {error.details()}")


if __name__ == "__main__":
    main()
