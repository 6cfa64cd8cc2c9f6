"""Makes one gRPC call of the kind named and checks its answer; some kinds print what they saw.

Usage: grpc_call.py TARGET ROOT KIND [PORT]

The call goes through the proxy the environment names, or straight to the loopback port given.
"""

import json
import queue
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import grpc

SECONDS = 60
LARGE = 4 * 1024 * 1024
MANY = 10_000
ADDRESS = "ada.example@example.org"
# Longer texts are not inspected; an odd number of blanks is no message in itself.
BLANK = b" " * 32_767
METADATA = (("x-plain", "semi;colon, comma"), ("x-twice", "1"), ("x-twice", "2"), ("x-all-bin", bytes(range(256))))


def message(payload: bytes) -> bytes:
    """A protobuf message whose field 1 is the payload."""
    length, size = b"", len(payload)
    while size > 127:
        length += bytes([size & 127 | 128])
        size >>= 7
    return b"\n" + length + bytes([size]) + payload


def message_of(size: int) -> bytes:
    """A message of exactly this many bytes, all of them blank but for tags and lengths."""
    whole, rest = divmod(size, len(message(BLANK)))
    made = message(BLANK) * whole + message(BLANK[: rest - 3 - (rest > 16_386)])
    assert len(made) == size
    return made


def unary(channel: grpc.Channel) -> None:
    assert channel.unary_unary("/test.Echo/Unary")(message(b"1.2.3"), timeout=SECONDS) == message(b"1.2.3")


def server_stream(channel: grpc.Channel) -> None:
    answers = channel.unary_stream("/test.Echo/ServerStream")(message(b"1.0"), timeout=SECONDS)
    assert list(answers) == [message(b"1.0") + suffix for suffix in (b" 0", b" 1", b" 2")]


def client_stream(channel: grpc.Channel) -> None:
    words = [message(word) for word in (b"1.0", b"2.0", b"3.0")]
    assert channel.stream_unary("/test.Echo/ClientStream")(iter(words), timeout=SECONDS) == b",".join(words)


def converse(channel: grpc.Channel, *words: bytes) -> None:
    """Sends each message only after the answer to the one before: nothing on the way may hoard."""
    outgoing: queue.Queue[bytes | None] = queue.Queue()
    requests: Iterator[bytes] = iter(outgoing.get, None)
    answers = channel.stream_stream("/test.Echo/Bidi")(requests, timeout=SECONDS)
    for word in words:
        outgoing.put(message(word))
        assert next(answers).upper() == message(word).upper()
        print(f"answered {word.decode()}", flush=True)
    outgoing.put(None)
    assert list(answers) == []


def bidi(channel: grpc.Channel) -> None:
    converse(channel, b"1.0", b"2.0", b"3.0")


def large(channel: grpc.Channel) -> None:
    sent = message_of(LARGE)
    assert channel.unary_unary("/test.Echo/Unary")(sent, timeout=SECONDS) == sent


def too_large(channel: grpc.Channel) -> None:
    channel.unary_unary("/test.Echo/Unary")(message_of(LARGE + 1), timeout=SECONDS)


def many(channel: grpc.Channel) -> None:
    """As fast as they can be sent, the answers read meanwhile."""
    sent = [message(b"1.0.%d" % number) for number in range(MANY)]
    answers = channel.stream_stream("/test.Echo/Bidi")(iter(sent), timeout=SECONDS)
    assert [answer.lower() for answer in answers] == sent


def deadline(channel: grpc.Channel) -> None:
    """Has its first answer in time, and nothing more."""
    answers = channel.unary_stream("/test.Echo/Hold")(message(b"1.0"), timeout=1)
    assert next(answers) == message(b"1.0")
    next(answers)


def cancel(channel: grpc.Channel) -> None:
    """Without a deadline, so that the server learns of the end from the client or never."""
    answers = channel.unary_stream("/test.Echo/Hold")(message(b"1.0"))
    assert next(answers) == message(b"1.0")
    answers.cancel()
    assert answers.code() == grpc.StatusCode.CANCELLED


def hold(channel: grpc.Channel) -> None:
    """Says when the call stands, and then waits for its end."""
    answers = channel.unary_stream("/test.Echo/Hold")(message(b"1.0"))
    next(answers)
    print("holding", flush=True)
    next(answers)


def tell(*metadata: Iterable[tuple[str, str | bytes]] | None) -> None:
    """Prints metadata, bytes in hexadecimal."""
    for fields in metadata:
        print(json.dumps([(key, value.hex() if isinstance(value, bytes) else value) for key, value in fields or ()]))


def metadata(channel: grpc.Channel) -> None:
    answer, call = channel.unary_unary("/test.Echo/Describe").with_call(b"", timeout=SECONDS, metadata=METADATA)
    print(answer.decode())
    tell(call.initial_metadata(), call.trailing_metadata())


def failure(channel: grpc.Channel) -> None:
    try:
        channel.unary_unary("/test.Echo/Fail")(b"", timeout=SECONDS)
    except grpc.RpcError as error:
        print(json.dumps([error.code().name, error.details()]))
        tell(error.initial_metadata(), error.trailing_metadata())


def refused_unary(channel: grpc.Channel) -> None:
    channel.unary_unary("/test.Echo/Unary")(message(ADDRESS.encode()), timeout=SECONDS)


def compressed(channel: grpc.Channel) -> None:
    """Long enough that gRPC does compress it."""
    sent = message_of(8 * 1024)
    call = channel.unary_unary("/test.Echo/Unary")
    assert call(sent, timeout=SECONDS, compression=grpc.Compression.Gzip) == sent


def refused_compressed(channel: grpc.Channel) -> None:
    sent = message_of(8 * 1024) + message(ADDRESS.encode())
    channel.unary_unary("/test.Echo/Unary")(sent, timeout=SECONDS, compression=grpc.Compression.Gzip)


def undocumented(channel: grpc.Channel) -> None:
    channel.unary_unary("/test.Echo/Unary")(message(b"as agreed last week"), timeout=SECONDS)


def refused_metadata(channel: grpc.Channel) -> None:
    channel.unary_unary("/test.Echo/Unary")(message(b"1.2.3"), timeout=SECONDS, metadata=[("x-user", ADDRESS)])


def refused(channel: grpc.Channel) -> None:
    converse(channel, b"1.0", b"2.0", ADDRESS.encode())


CALLS = {
    "unary": unary, "server-stream": server_stream, "client-stream": client_stream, "bidi": bidi, "large": large,
    "many": many, "deadline": deadline, "cancel": cancel, "hold": hold, "metadata": metadata, "failure": failure,
    "refused": refused, "refused-unary": refused_unary, "refused-metadata": refused_metadata, "too-large": too_large,
    "compressed": compressed, "refused-compressed": refused_compressed, "undocumented": undocumented,
}


def main() -> None:
    target, root, kind, *port = sys.argv[1:]
    options: list[tuple[str, int | str]] = [("grpc.max_receive_message_length", 2 * LARGE)]
    if port:
        options.append(("grpc.ssl_target_name_override", target.partition(":")[0]))
        target = f"127.0.0.1:{port[0]}"
    credentials = grpc.ssl_channel_credentials(Path(root).read_bytes())
    with grpc.secure_channel(target, credentials, options) as channel:
        try:
            CALLS[kind](channel)
        except grpc.RpcError as error:
            sys.exit(f"{error.code().name}: {error.details()}")


if __name__ == "__main__":
    main()
