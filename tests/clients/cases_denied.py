"""Refusals: what the proxy answers, and what of it each client shows its user."""

from collections.abc import Callable
from functools import partial

from cases_grpc import grpc_js, grpcio
from lab import Case, Lab, expect
from procs import run, wait_for
from proxy import Refusal
from web_clients import CLIENTS, WebClient, curl_argv

HOST = "example.org"
REASONS = {
    f"{HOST}:443": "host_not_allowed",
    "api.imagicle.com:8443": "port_not_allowed",
    "192.0.2.1:443": "ip_literal",
}

# What a client's user is told. The status always; the reason where the client shows the reason phrase.
PHRASE = REASONS[f"{HOST}:443"]
SHOWN = {
    "curl-h1": ["CONNECT tunnel failed, response 403"],
    "wget": ["Proxy tunneling failed", PHRASE],
    "openssl": ["403", PHRASE],
    "requests": ["ProxyError", "Tunnel connection failed: 403", PHRASE],
    "httpx-h1": ["ProxyError", "403", PHRASE],
    "httpx-h2": ["ProxyError", "403", PHRASE],
    "aiohttp": ["ClientHttpProxyError", "403", PHRASE],
    "undici": ["Proxy response (403)"],
    "java-httpclient": ["Tunnel failed, got: 403"],
    "java-urlconnection": ["Unable to tunnel through proxy", "403", PHRASE],
}


def answers(target: str, reason: str, lab: Lab) -> None:
    """A refused CONNECT tells in its phrase, too, and ends the connection."""
    counted = {"verdict": "deny", "reason": reason}
    before = lab.proxy.metric("ucx_egress_decisions_total", **counted)
    refusal = lab.proxy.refusal(target)
    expect(reason in refusal.phrase, f"the phrase is {refusal.phrase!r}")
    expect(refusal.headers.get("connection", "").lower() == "close", "no `Connection: close`")
    in_full(refusal, 403, reason, lab)
    after = lab.proxy.metric("ucx_egress_decisions_total", **counted)
    expect(after == before + 1, f"counted {after - before:.0f} times")


def in_full(refusal: Refusal, status: int, reason: str, lab: Lab) -> None:
    """The whole answer: status, headers, body and log tell the same story."""
    headers, body = refusal.headers, refusal.body
    decision = headers.get("x-decision-id", "")
    expect(refusal.status == status, f"status {refusal.status}")
    expect(decision, "no X-Decision-Id")
    expect(f'details="{reason}"' in headers.get("proxy-status", ""), f"Proxy-Status: {headers.get('proxy-status')}")
    expect(headers.get("content-type") == "application/problem+json", f"type {headers.get('content-type')}")
    expect(body.get("status") == status, f"the body's status is {body.get('status')}")
    expect(body.get("reason") == reason, f"the body's reason is {body.get('reason')}")
    expect(body.get("decision") == decision, f"{body.get('decision')} in the body, {decision} in the header")
    wait_for(f"decision {decision} in the log", lambda: decision in lab.proxy.process.text())


def curl_tells(target: str, reason: str, lab: Lab) -> None:
    """curl hides the body of a refused CONNECT; status and headers it can show."""
    dump = lab.scratch / "refused-headers"
    done = run(curl_argv(lab, "--dump-header", dump, "--write-out", "%{http_connect}", f"https://{target}/"))
    headers = dump.read_text()
    expect(done.code == 56, f"curl ended with {done.code}: {done.err.strip()}")
    expect(done.out == "403", f"http_connect is {done.out}")
    expect(reason in headers.splitlines()[0], f"the status line is {headers.splitlines()[0]!r}")
    expect("x-decision-id:" in headers.lower(), "no X-Decision-Id")


def shows(client: WebClient, wanted: list[str], lab: Lab) -> None:
    told(client.get(lab, f"https://{HOST}/").error, wanted)


def replays(client: WebClient, lab: Lab) -> None:
    """https-proxy-agent hands over the proxy's refusal as if the origin had sent it."""
    reply = client.get(lab, f"https://{HOST}/")
    expect(reply.status == 403, f"status {reply.status} {reply.error}")
    expect(PHRASE in reply.body, f"the body is {reply.body!r}")


def grpcio_shows(lab: Lab) -> None:
    done = grpcio(lab, f"{HOST}:443", "unary")
    told(done.err, ["UNAVAILABLE", "HTTP proxy returned response code 403"])


def grpc_js_shows(lab: Lab) -> None:
    """Its error says UNAVAILABLE only; the status goes to standard error."""
    told(grpc_js(lab, f"{HOST}:443").err, ["14 UNAVAILABLE", "403"])


def told(text: str, wanted: list[str]) -> None:
    missing = [words for words in wanted if words not in text]
    expect(not missing, f"{missing} not in what the client says: {text.strip()!r}")


def shown_by(client: WebClient) -> Callable[[Lab], None]:
    return partial(shows, client, SHOWN[client.name]) if client.name in SHOWN else partial(replays, client)


CASES = [Case(f"denied-{reason}", f"CONNECT {target} is answered in full", partial(answers, target, reason))
         for target, reason in REASONS.items()]
CASES += [Case(f"denied-curl-{reason}", f"CONNECT {target}: status and headers reach the user",
               partial(curl_tells, target, reason))
          for target, reason in REASONS.items()]
CASES += [Case(f"denied-{client.name}", "the user is told of the 403", shown_by(client))
          for client in CLIENTS if client.name != "curl-h2"]
CASES += [
    Case("denied-grpcio", "the user is told of the 403", grpcio_shows),
    Case("denied-grpc-js", "the user is told of the 403", grpc_js_shows),
]
