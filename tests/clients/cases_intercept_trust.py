"""The interception CA: which chains clients get, what becomes of clients that do not trust it, and the way out."""

import re
from dataclasses import replace
from functools import partial
from pathlib import Path

from cases_denied import told
from cases_grpc import TARGET, grpc_js, grpcio
from cases_web import URL, fetches
from lab import Case, Lab, expect
from procs import Done, run, wait_for
from proxy import Proxy
from tap import X25519MLKEM768, chosen_group, tap
from upstreams import BODY
from web_clients import CLIENTS, WebClient, curl_argv

HOST = "api.imagicle.com"
CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", re.DOTALL)

# What a client's user is told who does not trust the CA.
SHOWN = {
    "curl-h1": ["SSL certificate problem"],
    "curl-h2": ["SSL certificate problem"],
    "wget": ["api.imagicle.com", "is not trusted"],
    "openssl": ["verify error"],
    "requests": ["SSLError", "CERTIFICATE_VERIFY_FAILED"],
    "httpx-h1": ["ConnectError", "CERTIFICATE_VERIFY_FAILED"],
    "httpx-h2": ["ConnectError", "CERTIFICATE_VERIFY_FAILED"],
    "aiohttp": ["ClientConnectorCertificateError", "CERTIFICATE_VERIFY_FAILED"],
    "undici": ["self-signed certificate in certificate chain"],
    "https-proxy-agent": ["self-signed certificate in certificate chain"],
    "java-httpclient": ["SSLHandshakeException", "PKIX path building failed"],
    "java-urlconnection": ["SSLHandshakeException", "PKIX path building failed"],
}


def rejected(proxy: Proxy) -> float:
    return proxy.metric("ucx_egress_decisions_total", verdict="deny", reason="client_rejected_certificate")


def notices(proxy: Proxy, before: float) -> None:
    """Some clients try more than once, hence not exactly one."""
    wait_for("the rejection counted", lambda: rejected(proxy) > before)


def distrusts(client: WebClient, lab: Lab) -> None:
    """Trusting the cloud's root alone, as a client does whom nobody told of the proxy's CA."""
    proxy = lab.interception.failing
    before = rejected(proxy)
    told(client.get(lab.behind(proxy), URL).error, SHOWN[client.name])
    notices(proxy, before)


def grpcio_distrusts(lab: Lab) -> None:
    proxy = lab.interception.failing
    before = rejected(proxy)
    told(grpcio(lab.behind(proxy), TARGET, "unary").err, ["UNAVAILABLE", "CERTIFICATE_VERIFY_FAILED"])
    notices(proxy, before)


def grpc_js_distrusts(lab: Lab) -> None:
    proxy = lab.interception.failing
    before = rejected(proxy)
    told(grpc_js(lab.behind(proxy), TARGET).err, ["14 UNAVAILABLE", "certificate"])
    notices(proxy, before)


def s_client(view: Lab, *options: str) -> Done:
    return run(["openssl", "s_client", "-proxy", f"127.0.0.1:{view.proxy.port}", "-connect", f"{HOST}:443",
                "-servername", HOST, "-verify_hostname", HOST, "-verify_return_error",
                "-CAfile", view.pki.root, *options])


def chain_is_accepted(lab: Lab) -> None:
    view = lab.intercepted()
    done = s_client(view, "-showcerts")
    expect(done.code == 0, f"s_client ended with {done.code}: {done.err.strip()}")
    expect("Verify return code: 0 (ok)" in done.out, "the return code of the verification is not 0")
    leaf, *issuers = CERTIFICATE.findall(done.out)
    expect(issuers == [view.pki.root.read_text()], f"{len(issuers)} issuers, or another than the CA")
    file = lab.scratch / "leaf.pem"
    file.write_text(leaf)
    verified = run(["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", HOST,
                    "-CAfile", view.pki.root, file])
    expect(verified.code == 0, f"openssl verify: {verified.err.strip() or verified.out.strip()}")
    leaf_is_sound(file)


def leaf_is_sound(file: Path) -> None:
    text = run(["openssl", "x509", "-in", file, "-noout", "-text"]).out
    for words in (f"DNS:{HOST}\n", "Digital Signature", "TLS Web Server Authentication", "CA:FALSE"):
        expect(words in text, f"the leaf lacks {words.strip()!r}")
    # Chromium takes certificates of at most 200 days.
    lasting = run(["openssl", "x509", "-in", file, "-noout", "-checkend", str(200 * 24 * 3600)])
    expect(lasting.code == 1, "the leaf is valid for more than 200 days")


def protocol_is_accepted(version: str, cipher: str, lab: Lab) -> None:
    done = s_client(lab.intercepted(), f"-{version}", "-alpn", "h2,http/1.1")
    expect(done.code == 0, f"s_client ended with {done.code}: {done.err.strip()}")
    expect(cipher in done.out, f"{cipher} was not spoken")
    expect("ALPN protocol: h2" in done.out, "h2 was not chosen, which client and cloud both speak")


def old_protocol_is_refused(lab: Lab) -> None:
    done = s_client(lab.intercepted(), "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
    expect(done.code != 0, "TLS 1.1 was accepted")


def authority_is_constrained(lab: Lab) -> None:
    """A stolen key is of no use for another host: clients themselves refuse what it signs."""
    text = run(["openssl", "x509", "-in", lab.interception.authority.certificate, "-noout", "-text"]).out
    for words in ("CA:TRUE, pathlen:0", "Certificate Sign", "Name Constraints", f"DNS:{HOST}"):
        expect(words in text, f"the CA lacks {words!r}")


def key_exchange_is_hybrid(lab: Lab) -> None:
    """gRPC's BoringSSL offers X25519MLKEM768, the only client here that does; the ServerHello must choose it."""
    view = lab.intercepted()
    with tap(view.proxy.port) as tapped:
        through = view.behind(replace(view.proxy, port=tapped.port))
        done = grpcio(through, TARGET, "unary")
    expect(done.code == 0, done.err.strip())
    group = chosen_group(bytes(tapped.received))
    expect(group == X25519MLKEM768, f"group {group:#06x} was chosen")


def from_address(lab: Lab, address: str, host: str = HOST) -> Done:
    """Each address is a client of its own to the proxy."""
    return run(curl_argv(lab, "--interface", address, f"https://{host}/test"))


def gets_tunnel(lab: Lab) -> None:
    """Fails once, and is a tunnel from then on, for that client and for nobody else."""
    proxy = lab.interception.yielding()
    view, before = lab.behind(proxy), rejected(proxy)
    first = from_address(view, "127.0.0.21")
    expect(first.code == 60, f"the first attempt ended with {first.code}: {first.err.strip()}")
    notices(proxy, before)

    tunnelled = proxy.metric("ucx_egress_coverage_total", state="tunnelled")
    second = from_address(view, "127.0.0.21")
    expect(second.out == BODY, f"the second attempt ended with {second.code}: {second.err.strip()}")
    wait_for("the tunnel counted", lambda: proxy.metric("ucx_egress_coverage_total", state="tunnelled") > tunnelled)

    other = from_address(view, "127.0.0.22")
    expect(other.code == 60, f"another client was not intercepted: {other.code} {other.err.strip()}")
    trusting = view.trusting(lab.interception.authority)
    third = from_address(trusting, "127.0.0.23")
    expect(third.out == BODY, f"a trusting client is not intercepted any more: {third.err.strip()}")


def gets_tunnel_in(client: WebClient, lab: Lab) -> None:
    proxy = lab.interception.yielding()
    view, before = lab.behind(proxy), rejected(proxy)
    told(client.get(view, URL).error, SHOWN[client.name])
    notices(proxy, before)
    fetches(client, view)


def built_in_policy_tunnels_grpc(lab: Lab) -> None:
    """Presence is documented to carry personal data and is not intercepted, CA or not."""
    proxy = lab.interception.yielding()
    before = proxy.metric("ucx_egress_coverage_total", state="tunnelled", service="presence")
    done = grpcio(lab.behind(proxy), TARGET, "bidi")
    expect(done.code == 0, done.err.strip())
    wait_for("the tunnel counted",
             lambda: proxy.metric("ucx_egress_coverage_total", state="tunnelled", service="presence") > before)


CASES = [
    Case("intercept-chain", "openssl accepts the chain, and the leaf is sound", chain_is_accepted),
    Case("intercept-tls1.3", "TLS 1.3, h2 by ALPN", partial(protocol_is_accepted, "tls1_3", "TLS_A")),
    Case("intercept-tls1.2", "TLS 1.2, h2 by ALPN", partial(protocol_is_accepted, "tls1_2", "ECDHE-ECDSA-A")),
    Case("intercept-tls1.1", "TLS 1.1 is refused", old_protocol_is_refused),
    Case("intercept-constrained", "the CA can sign for intercepted hosts only", authority_is_constrained),
    Case("intercept-key-exchange", "X25519MLKEM768 with a client that offers it", key_exchange_is_hybrid),
]
CASES += [Case(f"distrust-{client.name}", "the user is told, and the proxy counts it", partial(distrusts, client))
          for client in CLIENTS]
CASES += [
    Case("distrust-grpcio", "the user is told, and the proxy counts it", grpcio_distrusts),
    Case("distrust-grpc-js", "the user is told, and the proxy counts it", grpc_js_distrusts),
    Case("fallback-curl", "who distrusts gets a tunnel the next time, and nobody else", gets_tunnel),
    Case("fallback-presence", "presence is a tunnel by the built-in policy", built_in_policy_tunnels_grpc),
]
CASES += [Case(f"fallback-{client.name}", "who distrusts gets a tunnel the next time", partial(gets_tunnel_in, client))
          for client in CLIENTS if not client.name.startswith("curl")]
