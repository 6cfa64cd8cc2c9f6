"""A gRPC server with one method of each kind, and some that show what else a call carries.

Messages are plain bytes, so no schema is compiled.

Usage: grpc_server.py PORT CERTIFICATE KEY
"""

import json
import sys
import threading
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import NoReturn

import grpc

LARGEST = 8 * 1024 * 1024


def unary(request: bytes, _: grpc.ServicerContext) -> bytes:
    return request


def server_stream(request: bytes, _: grpc.ServicerContext) -> Iterator[bytes]:
    for number in range(3):
        yield b"%s %d" % (request, number)


def client_stream(requests: Iterator[bytes], _: grpc.ServicerContext) -> bytes:
    return b",".join(requests)


def bidi(requests: Iterator[bytes], _: grpc.ServicerContext) -> Iterator[bytes]:
    for request in requests:
        yield request.upper()


def hold(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
    """Answers once, then waits for the end of the call, which only the client or the call's deadline can bring."""
    ended = threading.Event()

    def end() -> None:
        # Said here, since a call that ends right after its answer is not iterated any further.
        print(f"ended {request.hex()}", flush=True)
        ended.set()

    context.add_callback(end)
    yield request
    ended.wait()


def describe(_: bytes, context: grpc.ServicerContext) -> bytes:
    """Answers with the metadata that came, and sends that of the caller's own back before and after."""
    metadata = [(key, value) for key, value in context.invocation_metadata() or ()]
    own = [(key, value) for key, value in metadata if key.startswith("x-")]
    context.send_initial_metadata(own)
    context.set_trailing_metadata(own)
    shown = [(key, value.hex() if isinstance(value, bytes) else value) for key, value in metadata]
    return json.dumps(shown).encode()


def fail(_: bytes, context: grpc.ServicerContext) -> NoReturn:
    context.set_trailing_metadata((("x-why", "because"), ("grpc-status-details-bin", bytes(range(256)))))
    context.abort(grpc.StatusCode.FAILED_PRECONDITION, "größe: 100% of 2\nlines")


HANDLERS = {
    "Unary": grpc.unary_unary_rpc_method_handler(unary),
    "ServerStream": grpc.unary_stream_rpc_method_handler(server_stream),
    "ClientStream": grpc.stream_unary_rpc_method_handler(client_stream),
    "Bidi": grpc.stream_stream_rpc_method_handler(bidi),
    "Hold": grpc.unary_stream_rpc_method_handler(hold),
    "Describe": grpc.unary_unary_rpc_method_handler(describe),
    "Fail": grpc.unary_unary_rpc_method_handler(fail),
}


def main() -> None:
    port, certificate, key = sys.argv[1:]
    server = grpc.server(
        futures.ThreadPoolExecutor(64),
        options=[("grpc.max_receive_message_length", LARGEST), ("grpc.so_reuseport", 0)],
    )
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("test.Echo", HANDLERS)])
    pair = (Path(key).read_bytes(), Path(certificate).read_bytes())
    server.add_secure_port(f"127.0.0.1:{port}", grpc.ssl_server_credentials([pair]))
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
