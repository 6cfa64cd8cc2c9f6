"""Other ways in: TLS to the proxy, HTTP/2 to the proxy, certificates of clients, raw TLS that names led here."""

import json
import sys
from contextlib import contextmanager
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import proxy
from cases_grpc import TARGET, grpcio_argv
from lab import Case, Lab, expect
from paths import HERE, NODE
from procs import Done, Processes, clean_env, free_port, run, wait_for
from proxy import Proxy
from upstreams import BODY
from web_clients import by_last_line

URL = "https://api.imagicle.com/test"
STATUS = "\n%{http_code} %{http_version}"


@contextmanager
def sealed(lab: Lab, name: str, extra: str = "") -> Iterator[Proxy]:
    """A proxy that is spoken to in TLS; everybody trusts the lab's root."""
    folder = lab.scratch / name
    folder.mkdir()
    certificate, key = lab.pki.proxy(folder)
    listener = f'[listener.tls]\ncertificate = "{certificate}"\nkey = "{key}"\n{extra}'
    with Processes(folder) as processes:
        configuration = proxy.configure(folder / "sealed.toml", lab.ports, listener=listener)
        yield proxy.launch(processes, lab.binary, configuration)


def secure(at: Proxy) -> str:
    return f"https://127.0.0.1:{at.port}"


def curl(lab: Lab, at: Proxy, *options: str | Path) -> Done:
    return run(["curl", "--silent", "--show-error", "--max-time", "20", "--proxy", secure(at), "--proxy-cacert", lab.pki.root,
                "--cacert", lab.pki.root, "--write-out", STATUS, *options, URL])


def fetched(done: Done) -> None:
    reply = by_last_line(done)
    expect(not reply.error, reply.error)
    expect((reply.status, reply.body) == (200, BODY), f"status {reply.status}, body {reply.body!r}")


def curl_in_tls(lab: Lab) -> None:
    with sealed(lab, "curl-tls") as at:
        fetched(curl(lab, at))
        fetched(curl(lab, at, "--http1.1"))
        strange = run(["curl", "--silent", "--show-error", "--proxy", secure(at), "--proxy-cacert", lab.pki.stranger,
                       "--cacert", lab.pki.root, URL])
        expect(strange.code == 60, f"curl took a certificate of an unknown root: {strange}")
        wait_for("the log's word on why the handshake failed", lambda: "does not trust" in at.process.text())


def python_in_tls(lab: Lab) -> None:
    with sealed(lab, "python-tls") as at:
        env = clean_env(REQUESTS_CA_BUNDLE=str(lab.pki.root))
        fetched(run([sys.executable, HERE / "python" / "http_get.py", "requests", URL, secure(at), lab.pki.root], env=env))


def speaks_http2(client: str, lab: Lab) -> str:
    """Tunnels as streams of one connection, many at once where the client can."""
    commands = {
        "libcurl": [sys.executable, HERE / "python" / "curl_http2_proxy.py"],
        "node": ["node", HERE / "node" / "http2_tunnels.cjs"],
    }
    with sealed(lab, f"{client}-http2") as at:
        done = run([*commands[client], secure(at), lab.pki.root, URL], env=clean_env(NODE_PATH=str(NODE / "node_modules")))
        expect(done.code == 0, done.err.strip())
        told = json.loads(done.out)
        expect(all(body == BODY for body in told["bodies"]), f"bodies {told['bodies']}")
        count = at.metric("ucx_egress_requests_total", protocol="connect_h2", code="200")
        expect(count == len(told["bodies"]), f"{count:.0f} tunnels over HTTP/2")
        connections = at.metric("ucx_egress_connections_total", listener="proxy")
        expect(connections == told["connections"], f"{connections:.0f} connections")
        return f"{count:.0f} tunnels, {connections:.0f} connection(s)"


def shows_a_certificate(lab: Lab) -> None:
    with sealed(lab, "mutual", f'client_ca = "{lab.pki.root}"\n') as at:
        certificate, key = lab.pki.client(lab.scratch / "mutual", "ucx1.corp.example")
        fetched(curl(lab, at, "--proxy-cert", certificate, "--proxy-key", key))
        wait_for("the record that names the client", lambda: '"user":"ucx1.corp.example"' in at.process.text())
        without = curl(lab, at)
        expect(without.code != 0, "a client without a certificate was let in")
        refused = at.metric("ucx_egress_decisions_total", reason="proxy_auth_required")
        expect(refused == 1, f"{refused:.0f} refusals")


@contextmanager
def redirected(lab: Lab, name: str) -> Iterator[tuple[Proxy, int]]:
    """A proxy that takes raw TLS: where DNS or a firewall leads the cloud's names."""
    port = free_port()
    sections = f'[[sni]]\naddress = "127.0.0.1:{port}"\n'
    with Processes(lab.scratch) as processes:
        configuration = proxy.configure(lab.scratch / f"{name}.toml", lab.ports, sections=sections)
        yield proxy.launch(processes, lab.binary, configuration), port


def curl_raw(lab: Lab) -> None:
    with redirected(lab, "curl-raw") as (at, port):
        done = run(["curl", "--silent", "--show-error", "--max-time", "20", "--cacert", lab.pki.root, "--write-out", STATUS,
                    "--connect-to", f"::127.0.0.1:{port}", URL])
        fetched(done)
        refused = run(["curl", "--silent", "--show-error", "--connect-to", f"::127.0.0.1:{port}", "https://evil.test/"])
        expect("unrecognized name" in refused.err, f"curl says {refused.err.strip()}")
        expect(at.metric("ucx_egress_requests_total", protocol="sni", code="200") == 1, "it was not counted")


def grpc_raw(lab: Lab) -> None:
    with redirected(lab, "grpc-raw") as (at, port):
        for kind in ("unary", "bidi"):
            done = run([*grpcio_argv(lab, TARGET, kind), str(port)])
            expect(done.code == 0, done.err.strip())
        expect(at.metric("ucx_egress_requests_total", protocol="sni", code="200") == 2, "it was not counted")


CASES = [
    Case("tls-curl", "GET /test, the proxy spoken to in TLS; its certificate is verified", curl_in_tls),
    Case("tls-requests", "GET /test, the proxy spoken to in TLS", python_in_tls),
    Case("tls-client-certificate", "a client is let in by its certificate, and named in the record", shows_a_certificate),
    Case("http2-libcurl", "GET /test, CONNECT over HTTP/2", partial(speaks_http2, "libcurl")),
    Case("http2-node", "100 tunnels at once over one HTTP/2 connection", partial(speaks_http2, "node")),
    Case("sni-curl", "GET /test by a client that knows no proxy", curl_raw),
    Case("sni-grpcio", "a unary call and a conversation by a client that knows no proxy", grpc_raw),
]
