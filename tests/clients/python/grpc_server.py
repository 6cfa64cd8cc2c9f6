"""A gRPC server with one method of each kind; messages are plain bytes, so no schema is compiled.

Usage: grpc_server.py PORT CERTIFICATE KEY
"""

import sys
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path

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


HANDLERS = {
    "Unary": grpc.unary_unary_rpc_method_handler(unary),
    "ServerStream": grpc.unary_stream_rpc_method_handler(server_stream),
    "ClientStream": grpc.stream_unary_rpc_method_handler(client_stream),
    "Bidi": grpc.stream_stream_rpc_method_handler(bidi),
}


def main() -> None:
    port, certificate, key = sys.argv[1:]
    server = grpc.server(
        futures.ThreadPoolExecutor(4),
        options=[("grpc.max_receive_message_length", LARGEST), ("grpc.so_reuseport", 0)],
    )
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("test.Echo", HANDLERS)])
    pair = (Path(key).read_bytes(), Path(certificate).read_bytes())
    server.add_secure_port(f"127.0.0.1:{port}", grpc.ssl_server_credentials([pair]))
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
