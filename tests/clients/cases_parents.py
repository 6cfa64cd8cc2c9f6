"""Parent proxies: the same clients through the proxy, then through Squid or tinyproxy, to the same servers."""

from functools import partial

import cases_grpc
import cases_ldap
from lab import Case, Lab, expect
from parents import PASSWORD, USER
from proxy import Proxy
from upstreams import BODY, PEOPLE
from web_clients import curl

URL = "https://api.imagicle.com/test"
PARENTS = ("squid", "tinyproxy")


def behind(lab: Lab, parent: str) -> Lab:
    return lab.behind(getattr(lab.parents, parent))


def fetches(parent: str, lab: Lab) -> None:
    reply = curl("--http2")(behind(lab, parent), URL)
    expect(not reply.error, reply.error)
    expect(reply.status == 200 and reply.body == BODY, f"status {reply.status}, body {reply.body!r}")


def streams(parent: str, kind: str, lab: Lab) -> None:
    done = cases_grpc.grpcio(behind(lab, parent), cases_grpc.TARGET, kind)
    expect(done.code == 0, done.err.strip())


def refused(proxy: Proxy, target: str, rule: str, *says: str) -> None:
    refusal = proxy.refusal(target)
    expect(refusal.body.get("rule") == rule, f"{refusal}")
    expect(all(words in str(refusal.body["detail"]) for words in says), f"{refusal.body['detail']}")


def port_refused(lab: Lab) -> None:
    """Squid as it comes allows CONNECT to port 443 only."""
    refused(lab.parents.squid, "tenant.imagicle.cloud:1636", "upstream.parent-refused", "refused port 1636", "SSL_ports")


def wrong_password(lab: Lab) -> None:
    proxy = lab.parents.refused_by_squid()
    refused(proxy, "api.imagicle.com:443", "upstream.parent-credentials", "does not take the configured user")
    for secret in ("wr0ng", USER, PASSWORD):
        expect(secret not in proxy.process.text(), "the log shows credentials")


def unknown_name(lab: Lab) -> None:
    """Squid says of a host that it cannot resolve that it cannot forward; which is no failure of Squid itself."""
    refused(lab.parents.squid, "nobody.imagicle.com:443", "upstream.parent-failed", "nobody.imagicle.com", "resolve")
    expect(lab.parents.squid.metric("ucx_egress_parent_up") == 1, "the parent counts as down")


def finds_everybody(lab: Lab) -> None:
    found = cases_ldap.names_found(behind(lab, "tinyproxy"), "(objectClass=inetOrgPerson)")
    expect(found == sorted(PEOPLE.values()), f"found {found}")


CASES = [Case(f"parent-{parent}-curl", f"GET /test through {parent}, which wants credentials", partial(fetches, parent))
         for parent in PARENTS]
CASES += [Case(f"parent-{parent}-grpc-{kind}", f"gRPC through {parent}: {cases_grpc.KINDS[kind]}", partial(streams, parent, kind))
          for parent in PARENTS for kind in ("server-stream", "bidi")]
CASES += [
    Case("parent-squid-port", "LDAPS through Squid as it comes: the refusal names the port and the remedy", port_refused),
    Case("parent-squid-password", "a wrong password is told, and shown nowhere", wrong_password),
    Case("parent-squid-name", "a name that Squid cannot resolve", unknown_name),
    Case("parent-tinyproxy-ldaps", "LDAPS through the relay and tinyproxy", finds_everybody),
]
