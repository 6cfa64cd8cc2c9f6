"""What the groups share."""

import contextlib
import http.client
import json

from procs import Done


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


def examined(done: Done) -> str:
    """What the doctor found: roots, name servers and descriptors are there. The cloud itself is not there in a test."""
    expect(done.code in (0, 1), done.err)
    checks = json.loads(done.out)["checks"]
    wrong = [check for check in checks if check["level"] == "fail" and check["area"] not in ("dns", "tcp", "tls", "http")]
    expect(not wrong, str(wrong))
    expect(not [check for check in checks if check["subject"] in ("root certificates", "the way out")], "no roots or no name servers")
    return f"{len(checks)} checks"
