"""What the groups share."""

import contextlib
import http.client


def expect(condition: object, why: str) -> None:
    """A failed expectation, told in the words of the one who expected."""
    if not condition:
        raise AssertionError(why)


def is_ready(port: int) -> bool:
    """Whether a proxy on this machine takes connections."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    with contextlib.closing(connection), contextlib.suppress(OSError):
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    return False
