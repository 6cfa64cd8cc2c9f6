"""Names and passwords: what each client sends when the proxy asks, and what its user is told without them."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from cases_denied import told
from cases_grpc import TARGET, grpcio
from lab import Case, Lab, expect
from procs import Done, run
from proxy import PASSWORD, USER
from web_clients import CLIENTS, WebClient, curl_argv, java

URL = "https://api.imagicle.com/test"
# What sends the credentials of the proxy's URL.
BY_URL = ("curl-h1", "wget", "requests", "httpx-h1", "aiohttp", "undici", "https-proxy-agent")
UNNAMED = {
    "curl-h1": ["CONNECT tunnel failed, response 407"],
    "requests": ["ProxyError", "407", "proxy_auth_required"],
    "httpx-h1": ["ProxyError", "407", "proxy_auth_required"],
    "java-urlconnection": ["407"],
}
JAVA = ("-Djdk.http.auth.tunneling.disabledSchemes=", f"-Dask.user={USER}", f"-Dask.password={PASSWORD}")


def guarded(lab: Lab, credentials: str) -> Lab:
    """The same lab for clients that are given the proxy that asks, with these credentials in its URL."""
    return lab.behind(replace(lab.guarded, credentials=credentials))


def named(lab: Lab) -> Lab:
    return guarded(lab, f"{USER}:{PASSWORD}")


def fetches(get: Callable[[Lab, str], object], lab: Lab) -> None:
    """The request passes, and the log names the user once more."""
    member = f'"user":"{USER}"'
    before = lab.guarded.process.text().count(member)
    reply = get(named(lab), URL)
    expect(reply.status == 200, f"status {reply.status} {reply.error}")
    lab.guarded.process.await_event("the user in the log", lambda: lab.guarded.process.text().count(member) > before)


def by_option(option: str, lab: Lab) -> None:
    def done(password: str) -> Done:
        user = ["--proxy-user", f"{USER}:{password}", option]
        return run(curl_argv(guarded(lab, ""), *user, "--write-out", "\n%{http_connect}", URL))

    expect(done(PASSWORD).out.endswith("\n200"), done(PASSWORD).err.strip())
    wrong = done("wrong")
    expect(wrong.out.endswith("\n407"), f"http_connect {wrong.out!r}")


def tells(client: WebClient, words: list[str], lab: Lab) -> None:
    told(client.get(guarded(lab, ""), URL).error, words)


def grpcio_calls(lab: Lab) -> None:
    done = grpcio(named(lab), TARGET, "unary")
    expect(done.code == 0, done.err.strip())
    told(grpcio(guarded(lab, ""), TARGET, "unary").err, ["UNAVAILABLE", "407"])


NAMES = {client.name: client for client in CLIENTS}
CASES = [Case(f"access-{name}", "sends the credentials of the proxy's URL", partial(fetches, NAMES[name].get)) for name in BY_URL]
CASES += [Case(f"access-curl{option}", "sends those of --proxy-user, and tells that others are wrong", partial(by_option, option))
          for option in ("--proxy-basic", "--proxy-anyauth")]
CASES += [Case(f"access-java-{library}", "answers the challenge of the tunnel", partial(fetches, java(library, *JAVA)))
          for library in ("httpclient", "urlconnection")]
CASES += [Case(f"access-unnamed-{name}", "the user is told of the 407", partial(tells, NAMES[name], words))
          for name, words in UNNAMED.items()]
CASES.append(Case("access-grpcio", "sends the credentials of the proxy's URL, and tells of the 407", grpcio_calls))
