"""Sends as many small gRPC messages in one write as HTTP/2 permits at first, and says so if that ends the call.

Usage: grpc_burst.py HOST ROOT tunnel|direct PORT
"""

import socket
import ssl
import sys

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, Event, StreamReset, TrailersReceived

SECONDS = 20
# A protobuf message whose field 1 is empty, with gRPC's prefix.
MESSAGE = b"\0\0\0\0\x02\n\0"


def connected(host: str, root: str, way: str, port: int) -> ssl.SSLSocket:
    plain = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
    if way == "tunnel":
        plain.sendall(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
        answer = plain.recv(4096)
        if b" 200 " not in answer:
            sys.exit(f"the proxy answered {answer!r}")
    trust = ssl.create_default_context(cafile=root)
    trust.set_alpn_protocols(["h2"])
    return trust.wrap_socket(plain, server_hostname=host)


def outcome(event: Event) -> str | None:
    match event:
        case TrailersReceived():
            return "status " + dict(event.headers or ())[b"grpc-status"].decode()
        case ConnectionTerminated():
            return f"GOAWAY {event.error_code} {event.additional_data!r}"
        case StreamReset():
            return f"RST_STREAM {event.error_code}"
    return None


def main() -> None:
    host, root, way, port = sys.argv[1:]
    session = H2Connection(H2Configuration(client_side=True))
    with connected(host, root, way, int(port)) as stream:
        session.initiate_connection()
        session.send_headers(1, [(":method", "POST"), (":scheme", "https"), (":path", "/test.Echo/ClientStream"),
                                 (":authority", host), ("content-type", "application/grpc"), ("te", "trailers")])
        # Before the other side has said anything, the window is what the standard says.
        count = session.local_flow_control_window(1) // len(MESSAGE)
        for number in range(count):
            session.send_data(1, MESSAGE, end_stream=number == count - 1)
        stream.sendall(session.data_to_send())
        while True:
            told = [found for event in session.receive_data(stream.recv(65536)) if (found := outcome(event))]
            if told:
                sys.exit(0 if told == ["status 0"] else f"after {count} messages: {told}")


if __name__ == "__main__":
    main()
