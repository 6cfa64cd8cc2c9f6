"""Interception goes unnoticed: direct or through it, clients get the same answers, the origin the same requests."""

import contextlib
import json
import stat
import subprocess
from collections.abc import Iterator
from functools import partial

import exchanges
import interception
from ask_clients import CURLS, LIBRARIES, AskClient, Way
from cases_admin import measured
from cases_web import fetches
from exchanges import COMMON, FOR_CURL, Ask
from lab import Case, Lab, expect
from procs import clean_env, run, wait_for
from web_clients import CLIENTS, WebClient, curl_argv

INSPECTED = "ucx_egress_coverage_total"
MESSAGES = "ucx_egress_inspected_messages_total"
TUNNELS = 500
# undici opens a second one when it pleases, https-proxy-agent one for each request.
KEEPING = {"requests", "httpx-h1", "httpx-h2", "aiohttp", "java-httpclient", "java-urlconnection"}


def same(client: AskClient, asks: list[Ask], lab: Lab) -> str:
    """Asks both ways, and tells every difference at once: one alone seldom shows what is wrong."""
    direct, through = Way(lab, True), Way(lab.intercepted(), False)
    before, seen_before = client.ask(direct, asks)
    after, seen_after = client.ask(through, asks)
    told = [f"{ask.name}: HTTP/{answer.version} was spoken"
            for ask, answer in zip(asks, after, strict=True) if answer.version != client.version]
    told += [f"{ask.name}: {what}" for ask, *pair in zip(asks, before, after, strict=True)
             for what in exchanges.answer_differences(*pair)]

    at_origin = [ask for ask in asks if ask.host == exchanges.ORIGIN]
    counts = (len(at_origin), len(seen_before), len(seen_after))
    expect(len(set(counts)) == 1, f"asked, seen direct, seen through: {counts}")
    told += [f"{ask.name}: {what}" for ask, *pair in zip(at_origin, seen_before, seen_after, strict=True)
             for what in exchanges.sight_differences(*pair)]
    expect(not told, "; ".join(told))
    return f"{len(asks)} exchanges" if len(asks) > 1 else ""


def fetches_inspected(client: WebClient, lab: Lab) -> None:
    proxy = lab.interception.failing
    states = {state: proxy.metric(INSPECTED, state=state) for state in ("inspected", "tunnelled")}
    messages = proxy.metric(MESSAGES, verdict="allow")
    fetches(client, lab.intercepted())
    wait_for("a request counted as inspected",
             lambda: proxy.metric(INSPECTED, state="inspected") > states["inspected"])
    expect(proxy.metric(INSPECTED, state="tunnelled") == states["tunnelled"], "it was counted as a tunnel as well")
    wait_for("an inspected message", lambda: proxy.metric(MESSAGES, verdict="allow") > messages)


@contextlib.contextmanager
def download(lab: Lab, option: str, path: str) -> Iterator[subprocess.Popen[bytes]]:
    argv = curl_argv(lab, option, "--no-buffer", f"https://{exchanges.ORIGIN}{path}")
    with subprocess.Popen(argv, env=clean_env(), stdout=subprocess.PIPE) as child:
        try:
            yield child
        finally:
            child.kill()


def arrives_as_sent(option: str, lab: Lab) -> None:
    """The origin sends the second half only once the first has arrived: whoever hoards answers gets stuck."""
    view = lab.intercepted()
    with download(view, option, "/drip") as child:
        assert child.stdout is not None
        expect(child.stdout.readline() == b"first\n", "the first half did not arrive before the second was sent")
        done = run(curl_argv(view, f"https://{exchanges.ORIGIN}/drip-on"))
        expect(done.code == 0, done.err.strip())
        expect(child.stdout.read() == b"second\n", "the second half did not arrive")
        expect(child.wait(20) == 0, f"curl ended with {child.returncode}")


def keeps_connection(client: AskClient, lab: Lab) -> None:
    """A session that would keep one connection to the cloud keeps one to the proxy."""
    view = lab.intercepted()
    before = view.proxy.metric("ucx_egress_connections_total", listener="proxy")
    client.ask(Way(view, False), [Ask(f"again-{number}", f"/seen?{number}") for number in range(20)])
    opened = view.proxy.metric("ucx_egress_connections_total", listener="proxy") - before
    expect(opened == 1, f"{opened:.0f} connections for 20 requests")


def creates_authority(lab: Lab) -> None:
    """`ca init` makes both files once, the key for nobody else, and never overwrites."""
    folder = lab.scratch / "another-ca"
    settings = interception.configure(folder, "another", lab.pki.root, lab.ports, interception.SITE_POLICY)
    made = interception.make_authority(lab.binary, settings)
    mode = stat.S_IMODE(made.key.stat().st_mode)
    expect(mode == 0o600, f"the key's mode is {mode:o}")
    kept = made.certificate.read_bytes(), made.key.read_bytes()
    again = interception.ca(lab.binary, settings, "init")
    expect(again.code == 2, f"the second `ca init` ended with {again.code}")
    expect(made.certificate.name in again.err or made.key.name in again.err, f"it names no file: {again.err.strip()!r}")
    expect((made.certificate.read_bytes(), made.key.read_bytes()) == kept, "the second `ca init` changed a file")

    shown = interception.ca(lab.binary, settings, "show")
    expect(shown.code == 0, f"`ca show` ended with {shown.code}: {shown.err.strip()}")
    told = run(["openssl", "x509", "-in", made.certificate, "-noout", "-fingerprint", "-sha256"]).out
    fingerprint = told.strip().partition("=")[2]
    expect(fingerprint.lower() in shown.out.lower(), f"`ca show` does not tell the fingerprint {fingerprint}")


def tells_status(lab: Lab) -> None:
    status, text = lab.interception.failing.admin("/api/status")
    expect(status == 200, f"status {status}")
    expect(isinstance(json.loads(text), dict), f"no object: {text[:80]!r}")


CASES = [Case("intercept-ca", "`ca init` creates a CA once, `ca show` tells its fingerprint", creates_authority)]
CASES += [Case(f"intercept-{client.name}", f"GET /test, inspected, HTTP/{client.version}",
               partial(fetches_inspected, client))
          for client in CLIENTS]
CASES += [Case(f"same-{client.name}-{ask.name}", f"{ask.method} {ask.path} is the same direct and intercepted",
               partial(same, client, [ask]))
          for client in CURLS for ask in COMMON + FOR_CURL]
CASES += [Case(f"same-{client.name}", "one session is the same direct and intercepted", partial(same, client, COMMON))
          for client in LIBRARIES]
CASES += [Case(f"intercept-drip-h{version[0]}", f"an answer arrives as it is sent, HTTP/{version}",
               partial(arrives_as_sent, f"--http{version}"))
          for version in ("1.1", "2")]
CASES += [Case(f"intercept-reuse-{client.name}", "20 requests, one connection", partial(keeps_connection, client))
          for client in LIBRARIES if client.name in KEEPING]
CASES += [
    Case("intercept-status", "GET /api/status is JSON", tells_status),
    Case("intercept-tunnels", "one after the other, every descriptor given back",
         lambda lab: measured(lab, "intercepted_tunnels.py", TUNNELS)),
    Case("intercept-idle-tunnels", "many at once, every descriptor given back",
         lambda lab: measured(lab, "intercepted_tunnels.py", TUNNELS, "--idle")),
]
