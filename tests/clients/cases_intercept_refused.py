"""Requests that interception refuses: what the client is answered, and that nothing of them reaches the origin."""

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import exchanges
from ask_clients import CURLS, LIBRARIES, AskClient, Way
from cases_denied import in_full
from exchanges import JSON, MIB, ORIGIN, Ask
from lab import Case, Lab, expect
from procs import run, wait_for
from proxy import Proxy, Refusal
from web_clients import curl_argv

ADDRESS = "ada.example@example.org"
LETTER = json.dumps({"note": f"write to {ADDRESS} soon"}).encode()
WEBSOCKET = ("--header", "Connection: Upgrade", "--header", "Upgrade: websocket",
             "--header", "Sec-WebSocket-Version: 13", "--header", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")
VERSIONS = ("1.1", "2")
LARGE = 8 * MIB
# Over HTTP/2 these wait for leave to send the rest although they have their answer; so they do with nginx.
WAITING = {"httpx-h2", "java-httpclient"}


@dataclass(frozen=True)
class Refused:
    """A request that must be refused, as curl is told to make it."""

    name: str
    reason: str
    path: str = "/seen"
    options: tuple[str, ...] = ()
    body: bytes | None = None
    type: str = "application/json"
    announced: bool = True
    status: int = 403
    versions: tuple[str, ...] = VERSIONS


REFUSED = [
    Refused("body", "personal_data", body=LETTER),
    Refused("body-escaped", "personal_data", body=LETTER.replace(b"@", b"\\u0040")),
    Refused("body-key", "personal_data", body=json.dumps({"users": {ADDRESS: 1}}).encode()),
    Refused("body-chunked", "personal_data", body=LETTER, announced=False),
    Refused("body-at-end", "personal_data", body=b'{"version":"1.0",%s"to":"%s"}' % (b" " * 3 * MIB, ADDRESS.encode())),
    Refused("text", "personal_data", body=f"write to {ADDRESS} soon".encode(), type="text/plain"),
    Refused("path", "personal_data", path=f"/users/{ADDRESS}"),
    Refused("query", "personal_data", path=f"/seen?user={ADDRESS}"),
    Refused("query-encoded", "personal_data", path=f"/seen?user={ADDRESS.replace('@', '%40')}"),
    Refused("header", "personal_data", options=("--header", f"X-User: {ADDRESS}")),
    Refused("cookie", "personal_data", options=("--cookie", f"user={ADDRESS}")),
    Refused("cookie-of-a-session", "personal_data", options=("--cookie", "session=1")),
    Refused("octet-stream", "uninspectable", body=b"\0\1\2\3", type="application/octet-stream"),
    Refused("no-type", "uninspectable", body=b"{}", type=""),
    Refused("gzip", "personal_data", body=gzip.compress(LETTER), options=("--header", "Content-Encoding: gzip")),
    Refused("no-gzip", "uninspectable", body=b"{}", options=("--header", "Content-Encoding: gzip")),
    Refused("other-coding", "uninspectable", body=b"{}", options=("--header", "Content-Encoding: compress")),
    Refused("no-json", "uninspectable", body=b'{"note": '),
    Refused("two-jsons", "uninspectable", body=b"{} {}"),
    Refused("too-large", "message_too_large", body=exchanges.document(4 * MIB + 1), status=413),
    Refused("too-large-chunked", "message_too_large", body=exchanges.document(5 * MIB), announced=False, status=413),
    Refused("upgrade", "upgrade_not_allowed", options=WEBSOCKET, versions=("1.1",)),
    Refused("authority", "authority_mismatch", options=("--header", "Host: grpc.imagicle.com"), status=421),
]


def counted(proxy: Proxy, reason: str) -> float:
    return proxy.metric("ucx_egress_decisions_total", verdict="deny", reason=reason)


def curl_request(refused: Refused, folder: Path) -> Iterator[str | Path]:
    yield from refused.options
    # Announced by `Expect`, a large body would stay at home; that is a case of its own.
    yield from ("--header", "Expect:")
    if refused.body is None:
        return
    file = folder / "refused.body"
    file.write_bytes(refused.body)
    yield from ("--header", f"Content-Type:{refused.type and ' ' + refused.type}")
    if refused.announced:
        yield from ("--data-binary", f"@{file}")
    else:
        yield from ("--request", "POST", "--upload-file", "-")


def answered(view: Lab, version: str, refused: Refused) -> Refusal:
    body = view.scratch / "refusal"
    shown = ("--suppress-connect-headers", "--dump-header", "-", "--output", str(body))
    done = run([*curl_argv(view, f"--http{version}", *shown), *curl_request(refused, view.scratch),
                f"https://{ORIGIN}{refused.path}"],
               stdin="" if refused.announced else (refused.body or b"").decode())
    expect(done.code == 0, f"curl ended with {done.code}: {done.err.strip()}")
    head, *fields = done.out.replace("\r", "").strip().splitlines()
    _, status, *phrase = head.split(maxsplit=2)
    headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
    return Refusal(int(status), " ".join(phrase), headers, json.loads(body.read_bytes()))


def stays(lab: Lab, of: Callable[[], None]) -> None:
    """Runs `of`; afterwards the origin must not have seen any request."""
    lines = len(lab.origin.text().splitlines())
    of()
    seen = exchanges.sights(lab.origin.text().splitlines()[lines:])
    expect(not seen, f"the origin saw {[sight.request for sight in seen]}")


def says_no_value(refusal: Refusal, view: Lab) -> None:
    """No output contains what was found: not the answer, not the log, not the metrics."""
    metrics = view.proxy.admin("/metrics")[1]
    outputs = {"the answer": str(refusal), "the log": view.proxy.process.text(), "a metric": metrics}
    leaking = [name for name, text in outputs.items() if ADDRESS in text or ADDRESS.split("@")[0] in text]
    expect(not leaking, f"{leaking} repeat what was found")


def refuses(refused: Refused, version: str, lab: Lab) -> None:
    view = lab.intercepted()
    before = counted(view.proxy, refused.reason)

    def ask() -> None:
        refusal = answered(view, version, refused)
        in_full(refusal, refused.status, refused.reason, view)
        says_no_value(refusal, view)

    stays(lab, ask)
    wait_for("the refusal counted", lambda: counted(view.proxy, refused.reason) == before + 1)


def counts_findings(lab: Lab) -> None:
    view = lab.intercepted()
    messages = partial(view.proxy.metric, "ucx_egress_inspected_messages_total", verdict="deny")
    findings = partial(view.proxy.metric, "ucx_egress_findings_total", kind="email")
    before = messages(), findings()
    answered(view, "2", REFUSED[0])
    wait_for("the message counted", lambda: messages() == before[0] + 1)
    expect(findings() == before[1] + 1, f"{findings() - before[1]:.0f} findings are counted")


def refuses_before_upload(version: str, lab: Lab) -> None:
    """Who waits for `100 Continue` with a body that is too large is refused at once, its body unsent."""
    view = lab.intercepted()
    body = lab.scratch / "too-large"
    body.write_bytes(exchanges.document(5 * MIB))
    announced = ("--header", "Expect: 100-continue", "--expect100-timeout", "20")
    shown = ("--output", "/dev/null", "--write-out", "%{http_code} %{size_upload}")
    done = run(curl_argv(view, f"--http{version}", *announced, *shown, "--header", "Content-Type: application/json",
                         "--data-binary", f"@{body}", f"https://{ORIGIN}/seen"))
    expect(done.out == "413 0", f"status and bytes sent are {done.out!r}; {done.err.strip()}")


def spares_others(version: str, lab: Lab) -> None:
    """A refusal ends its request and not those behind it; over HTTP/2, where others share the connection, nor that."""
    view = lab.intercepted()
    shown = "%{http_code}\\n" if version == "1.1" else "%{http_code} %{num_connects}\\n"
    common = curl_argv(view, f"--http{version}", "--output", "/dev/null", "--write-out", shown)
    good = [*common, f"https://{ORIGIN}/seen"]
    bad = [*common, "--header", f"X-User: {ADDRESS}", f"https://{ORIGIN}/seen"]
    done = run([*good, "--next", *bad[1:], "--next", *good[1:]])
    wanted = ["200", "403", "200"] if version == "1.1" else ["200 1", "403 0", "200 0"]
    told = done.out.splitlines()
    expect(told == wanted, f"statuses and new connections: {told}; {done.err.strip()}")


def shown_to_user(client: AskClient, lab: Lab) -> None:
    """Unlike that of a CONNECT, the refusal of an intercepted request reaches every user as the answer it is."""
    asks = [Ask("refused", "/seen", "POST", headers=(JSON,), body=LETTER),
            Ask("refused-query", f"/seen?user={ADDRESS}")]
    stays(lab, lambda: told_in_answers(client, asks, 403, "personal_data", lab))


def shown_while_sending(client: AskClient, lab: Lab) -> None:
    """Refused in the middle of its upload, which most clients finish before they look for an answer."""
    ask = Ask("refused-large", "/seen", "POST", headers=(JSON,), body=exchanges.document(LARGE))
    stays(lab, lambda: told_in_answers(client, [ask], 413, "message_too_large", lab))


def told_in_answers(client: AskClient, asks: list[Ask], status: int, reason: str, lab: Lab) -> None:
    # The origin sees nothing, so there is nothing to read from it either.
    for answer in exchanges.answers(client.make(Way(lab.intercepted(), False), asks)):
        expect(answer.status == status, f"status {answer.status}")
        expect(answer.version == client.version, f"HTTP/{answer.version} was spoken")
        expect(exchanges.named(answer.headers, "content-type") == ["application/problem+json"], f"{answer.headers}")
        expect(reason in "".join(exchanges.named(answer.headers, "proxy-status")), f"{answer.headers}")


CASES = [Case(f"refused-{refused.name}-h{version[0]}", f"{refused.status} {refused.reason}, HTTP/{version}",
              partial(refuses, refused, version))
         for refused in REFUSED for version in refused.versions]
CASES += [Case(f"refused-before-upload-h{version[0]}", f"413 instead of 100 Continue, HTTP/{version}",
               partial(refuses_before_upload, version))
          for version in VERSIONS]
CASES += [Case(f"refused-spares-others-h{version[0]}", f"the requests behind it are answered, HTTP/{version}",
               partial(spares_others, version))
          for version in VERSIONS]
CASES.append(Case("refused-counted", "the message and its finding are counted", counts_findings))
CASES += [Case(f"refused-{client.name}", "the user is told of the 403", partial(shown_to_user, client))
          for client in LIBRARIES]
CASES += [Case(f"refused-upload-{client.name}", "the user is told of the 413", partial(shown_while_sending, client))
          for client in CURLS + LIBRARIES if client.name not in WAITING]
