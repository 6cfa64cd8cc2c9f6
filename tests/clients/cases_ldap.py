"""LDAPS clients, which know no proxy: they reach the directory's real name at the relay."""

import os
from pathlib import Path

from lab import Case, Lab, expect
from procs import Done, clean_env, run
from upstreams import PEOPLE, SUFFIX

NAME = "tenant.imagicle.cloud"


def ldapsearch(lab: Lab, root: Path, filter_: str, *options: str) -> Done:
    """Searches with name verification on, where the real name leads to the relay.

    A customer points the name at the relay in DNS; here a mount namespace of its own
    gives the client, and nobody else on the machine, an /etc/hosts that does it.
    """
    hosts = lab.scratch / "hosts"
    hosts.write_text(f"127.0.0.1 localhost {NAME}\n")
    own_mounts = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    with_hosts: list[str | Path] = ["sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', hosts]
    search = ["ldapsearch", "-x", "-LLL", "-H", f"ldaps://{NAME}:{lab.proxy.relay_port}",
              "-o", "nettimeout=20", "-b", SUFFIX, *options, filter_, "cn"]
    env = clean_env(LDAPTLS_CACERT=str(root), LDAPTLS_REQCERT="demand")
    return run([*own_mounts, *with_hosts, *search], env=env)


def names_found(lab: Lab, filter_: str) -> list[str]:
    done = ldapsearch(lab, lab.pki.root, filter_)
    expect(done.code == 0, done.err.strip())
    return sorted(line.removeprefix("cn: ") for line in done.out.splitlines() if line.startswith("cn: "))


def finds_everybody(lab: Lab) -> None:
    counted = {"service": "user-sync", "verdict": "allow"}
    before = lab.proxy.metric("ucx_egress_decisions_total", **counted)
    found = names_found(lab, "(objectClass=inetOrgPerson)")
    expect(found == sorted(PEOPLE.values()), f"found {found}")
    after = lab.proxy.metric("ucx_egress_decisions_total", **counted)
    expect(after == before + 1, f"the proxy counted {after - before:.0f} decisions for user-sync, not 1")


def finds_one(lab: Lab) -> None:
    found = names_found(lab, "(uid=ada)")
    expect(found == [PEOPLE["ada"]], f"found {found}")


def distrusts_strangers(lab: Lab) -> None:
    """The searches above would prove little if any certificate did.

    Only with tracing on does ldapsearch say why it could not connect.
    """
    done = ldapsearch(lab, lab.pki.stranger, "(uid=ada)", "-d", "1")
    expect(done.code != 0, "ldapsearch accepted a certificate of an unknown root")
    expect("untrusted" in done.err, f"it failed for another reason: {done.err.strip()}")


CASES = [
    Case("ldapsearch-all", "every entry, through the relay, name verified", finds_everybody),
    Case("ldapsearch-filter", "one entry by filter, through the relay", finds_one),
    Case("ldapsearch-distrust", "the relay's far certificate is still verified by the client", distrusts_strangers),
]
