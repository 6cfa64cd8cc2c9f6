"""Web clients that are let through: each gets the origin's exact answer."""

from functools import partial

from lab import Case, Lab, expect
from procs import run
from upstreams import BODY
from web_clients import CLIENTS, WebClient, curl_argv

URL = "https://api.imagicle.com/test"
BULK = 2 * 1024 * 1024


def fetches(client: WebClient, lab: Lab) -> None:
    reply = client.get(lab, URL)
    expect(not reply.error, reply.error)
    expect(reply.status == 200, f"status {reply.status}")
    expect(reply.version == client.version, f"HTTP/{reply.version} was spoken")
    expect(reply.body == BODY, f"the body is {reply.body!r}")


def echoes(option: str, lab: Lab) -> None:
    """A body of many TLS records both ways; curl announces it with `Expect: 100-continue`."""
    sent, received = lab.scratch / "bulk", lab.scratch / "echo"
    sent.write_bytes(bytes(range(256)) * (BULK // 256))
    done = run(curl_argv(lab, option, "--data-binary", f"@{sent}", "--output", received,
                         "https://api.imagicle.com/echo"))
    expect(done.code == 0, done.err.strip())
    expect(received.read_bytes() == sent.read_bytes(), "the echo differs from what was sent")


CASES = [Case(client.name, f"GET /test through the tunnel, HTTP/{client.version}", partial(fetches, client))
         for client in CLIENTS]
CASES += [Case(f"curl-post-h{version[0]}", f"2 MiB echoed through the tunnel, HTTP/{version}",
               partial(echoes, f"--http{version}"))
          for version in ("1.1", "2")]
