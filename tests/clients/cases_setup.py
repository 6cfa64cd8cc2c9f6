"""What the proxy tells its clients: the PAC file in a real engine, and the snippets of the setup pages, run as they stand."""

import sys
from functools import partial
from html.parser import HTMLParser

from cases_grpc import TARGET, grpcio_argv
from lab import Case, Lab, expect
from paths import HERE, NODE
from procs import Done, clean_env, run
from upstreams import BODY
from web_clients import java_trust

# Deep names, another case, addresses of both families, plain names: who goes through the proxy and who does not.
THROUGH = ("https://api.imagicle.com/test", "https://API.Imagicle.COM/", "https://grpc.imagicle.com:443/",
           "https://anything.imagicle.com/", "https://tenant.imagicle.cloud/", "http://api.imagicle.com/")
DIRECT = ("https://a.b.imagicle.com/", "https://imagicle.com/", "https://api.imagicle.com.evil.example/",
          "https://evilimagicle.com/", "http://192.0.2.1/", "http://127.0.0.1/", "http://intranet/", "http://localhost/",
          "https://example.org/", "http://toString.constructor/")


class Snippets(HTMLParser):
    """The text of each `<pre id="...">`."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self._open: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "pre":
            self._open = dict(attrs).get("id")

    def handle_endtag(self, tag: str) -> None:
        if tag == "pre":
            self._open = None

    def handle_data(self, data: str) -> None:
        if self._open:
            self.found[self._open] = self.found.get(self._open, "") + data


def snippet(lab: Lab, page: str, name: str) -> str:
    status, text = lab.proxy.admin(f"/setup/{page}")
    expect(status == 200, f"status {status} for /setup/{page}")
    parser = Snippets()
    parser.feed(text)
    expect(name in parser.found, f"no snippet {name} on /setup/{page}: {sorted(parser.found)}")
    return parser.found[name]


def pac_decides(lab: Lab) -> str:
    """SpiderMonkey of 2006, as pacparser has it: what it takes, every engine takes."""
    file = lab.scratch / "proxy.pac"
    status, text = lab.proxy.admin("/proxy.pac")
    expect(status == 200, f"status {status}")
    file.write_text(text)
    through = f"PROXY 127.0.0.1:{lab.proxy.port}"
    for url, expected in [*((url, through) for url in THROUGH), *((url, "DIRECT") for url in DIRECT)]:
        done = run(["pactester", "-p", file, "-u", url])
        expect(done.code == 0 and done.out.strip() == expected, f"{url}: {done.out.strip()} {done.err.strip()}")
    return f"{len(THROUGH)} through, {len(DIRECT)} direct"


def through_proxy(lab: Lab, done: Done, before: float) -> None:
    expect(done.code == 0, done.err.strip() or done.out.strip())
    expect(BODY in done.out, f"the output is {done.out!r}")
    after = tunnels(lab)
    expect(after > before, "it went past the proxy")


def tunnels(lab: Lab) -> float:
    return lab.proxy.metric("ucx_egress_decisions_total", verdict="allow")


def shell(lab: Lab, page: str, name: str, then: str = "", **env: str) -> Done:
    return run(["bash", "-ec", f"{snippet(lab, page, name)}\n{then}"], env=clean_env(**env))


def curl_works(name: str, lab: Lab) -> None:
    before = tunnels(lab)
    through_proxy(lab, shell(lab, "curl", name, CURL_CA_BUNDLE=str(lab.pki.root)), before)


def python_env_works(lab: Lab) -> None:
    before = tunnels(lab)
    program = "import requests; print(requests.get('https://api.imagicle.com/test').text)"
    done = shell(lab, "python", "env", f'"{sys.executable}" -c "{program}"', REQUESTS_CA_BUNDLE=str(lab.pki.root))
    through_proxy(lab, done, before)


def requests_works(lab: Lab) -> None:
    before = tunnels(lab)
    env = clean_env(REQUESTS_CA_BUNDLE=str(lab.pki.root))
    through_proxy(lab, run([sys.executable, "-c", snippet(lab, "python", "requests")], env=env), before)


def undici_works(lab: Lab) -> None:
    before = tunnels(lab)
    env = clean_env(NODE_PATH=str(NODE / "node_modules"), NODE_EXTRA_CA_CERTS=str(lab.pki.root))
    through_proxy(lab, run(["node", "-e", snippet(lab, "node", "undici")], env=env), before)


def java_works(lab: Lab) -> None:
    before = tunnels(lab)
    command = " ".join(f"'{arg}'" for arg in ("java", "-XX:TieredStopAtLevel=1", *java_trust(lab),
                                              str(HERE / "java" / "SystemProxyGet.java"), "https://api.imagicle.com/test"))
    through_proxy(lab, shell(lab, "java", "options", command), before)


def grpc_works(lab: Lab) -> None:
    before = tunnels(lab)
    command = " ".join(f"'{arg}'" for arg in grpcio_argv(lab, TARGET, "unary"))
    done = shell(lab, "grpc", "env", command)
    expect(done.code == 0, done.err.strip())
    expect(tunnels(lab) > before, "it went past the proxy")


def linux_works(lab: Lab) -> None:
    """`/etc/environment` holds assignments, as `env` takes them."""
    before = tunnels(lab)
    assignments = snippet(lab, "linux", "environment").splitlines()
    done = run(["env", *assignments, "curl", "-sS", "--cacert", lab.pki.root, "https://api.imagicle.com/test"])
    through_proxy(lab, done, before)


CASES = [
    Case("pac-engine", "the PAC file decides as the policy does, in a real engine", pac_decides),
    Case("setup-curl-env", "curl by its environment, as the page says", partial(curl_works, "env")),
    Case("setup-curl-option", "curl for one call, as the page says", partial(curl_works, "option")),
    Case("setup-python-env", "requests by its environment, as the page says", python_env_works),
    Case("setup-python-requests", "requests in code, as the page says", requests_works),
    Case("setup-node-undici", "undici in code, as the page says", undici_works),
    Case("setup-java-options", "Java by its options, as the page says", java_works),
    Case("setup-grpc-env", "gRPC by its environment, as the page says", grpc_works),
    Case("setup-linux-environment", "/etc/environment, as the page says", linux_works),
]
