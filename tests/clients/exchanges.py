"""What the clients are asked to do, what comes back, and what may differ when it goes through the proxy.

A line of a file of asks holds, between tabs: method, URL, the file with the body or `-`, the word
`announced` or `unannounced` for the body's length, and any number of `name: value`. For each, a client
prints `< STATUS VERSION`, its header fields as `name: value`, and `= LENGTH SHA256` of the body.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MIB = 1024 * 1024
# Each has four nodes, of which a document may have 65,536.
MOST_ENTRIES = 8_192
ORIGIN = "echo.imagicle.com"
NGINX = "api.imagicle.com"

Headers = list[tuple[str, str]]

# What is documented to end at the proxy: fields of the connection to it, and those that name inside addresses.
LOST_BY_REQUESTS = {"keep-alive", "proxy-connection", "te", "upgrade", "expect",
                    "forwarded", "x-forwarded-for", "x-real-ip"}
LOST_BY_ANSWERS = {"keep-alive", "alt-svc"}
# Each connection has its own, on either side of the proxy.
OF_ONE_CONNECTION = {"connection"}
GAINED_BY_REQUESTS = {"via"}
GAINED_BY_ANSWERS = {"via", "x-decision-id"}


@dataclass(frozen=True)
class Ask:
    name: str
    path: str
    method: str = "GET"
    host: str = ORIGIN
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    announced: bool = True

    @property
    def url(self) -> str:
        return f"https://{self.host}{self.path}"

    def body_file(self, folder: Path) -> Path | None:
        if self.body is None:
            return None
        file = folder / f"{self.name}.body"
        file.write_bytes(self.body)
        return file

    def line(self, folder: Path) -> str:
        length = "announced" if self.announced else "unannounced"
        fields = [f"{name}: {value}" for name, value in self.headers]
        return "\t".join([self.method, self.url, str(self.body_file(folder) or "-"), length, *fields])


@dataclass(frozen=True)
class Answer:
    """What a client was answered."""

    status: int
    version: str
    headers: Headers
    body: str


@dataclass(frozen=True)
class Seen:
    """What the origin was asked."""

    request: str
    headers: Headers
    body: str


def answers(text: str) -> list[Answer]:
    """Reads what a client printed."""
    found: list[Answer] = []
    headers: Headers = []
    for line in text.splitlines():
        if line.startswith("< "):
            _, status, version = line.split()
            headers = []
        elif line.startswith("= "):
            found.append(Answer(int(status), version, headers, line.removeprefix("= ")))
        else:
            name, _, value = line.partition(":")
            headers.append((name.lower(), value.strip()))
    return found


def events(lines: Iterable[str]) -> list[dict[str, Any]]:
    """Reads what the origin printed, among the lines of its log."""
    return [json.loads(line) for line in lines if line.startswith('{"event"')]


def sights(lines: Iterable[str]) -> list[Seen]:
    """The requests the origin was sent: each one's head, and its body where it came whole."""
    told = events(lines)
    bodies = {event["number"]: f"{event['length']} {event['sha256']}" for event in told if event["event"] == "body"}
    return [
        Seen(f"{head['method']} {head['target']} HTTP/{head['version']}",
             [(name, value) for name, value in head["headers"]], bodies.get(head["number"], "incomplete"))
        for head in told if head["event"] == "head"
    ]


def named(headers: Headers, name: str) -> list[str]:
    return [value for other, value in headers if other == name]


def lost(name: str, value: str, fields: set[str]) -> bool:
    """Whether a field ends at the proxy; `te: trailers` alone has a meaning beyond it."""
    return name in fields and (name, value) != ("te", "trailers")


def expected(headers: Headers, fields: set[str]) -> Headers:
    """What must be left of a message's fields behind the proxy, in an order that means nothing.

    Fields of one name keep their order, which does mean something. A date is its own second's.
    """
    kept = [(name, "any" if name == "date" else value) for name, value in headers
            if not lost(name, value, fields | OF_ONE_CONNECTION)]
    return sorted(kept, key=lambda field: field[0])


def header_differences(direct: Headers, through: Headers, losing: set[str], gaining: set[str]) -> list[str]:
    without_gain = [field for field in through if field[0] not in gaining]
    before, after = expected(direct, losing), expected(without_gain, set())
    told = [f"{name}: {value!r} is lost" for name, value in before if (name, value) not in after]
    told += [f"{name}: {value!r} is new" for name, value in after if (name, value) not in before]
    told += [f"{name} is there {len(named(through, name))} times" for name in gaining if len(named(through, name)) != 1]
    if not told and before != after:
        told.append(f"fields of one name changed order: {before} became {after}")
    return told


def answer_differences(direct: Answer, through: Answer) -> list[str]:
    told = []
    for what in ("status", "version", "body"):
        before, after = getattr(direct, what), getattr(through, what)
        if before != after:
            told.append(f"{what} {before} became {after}")
    return told + header_differences(direct.headers, through.headers, LOST_BY_ANSWERS, GAINED_BY_ANSWERS)


def sight_differences(direct: Seen, through: Seen) -> list[str]:
    told = [f"the origin saw {before}, and {after} through the proxy"
            for before, after in ((direct.request, through.request), (direct.body, through.body)) if before != after]
    fields = header_differences(direct.headers, through.headers, LOST_BY_REQUESTS, GAINED_BY_REQUESTS)
    return told + [f"at the origin {field}" for field in fields]


def document(size: int) -> bytes:
    """A JSON document of exactly this many bytes: documented fields, and blanks where those would be too many."""
    entry = b'{"name":"svchost.exe","workingSet":12345678,"vendor":"Soci\xc3\xa9t\xc3\xa9 g\\u00e9n\\u00e9rale"}'
    count = min((size - len(b'{"processes":[]}')) // (len(entry) + 1), MOST_ENTRIES)
    return (b'{"processes":[%s]}' % b",".join([entry] * count)).ljust(size)


JSON = ("content-type", "application/json")
TEXT = ("content-type", "text/plain; charset=utf-8")
SMALL = b'{ "cpuUsage" : [1, 2.50, 30, null], "vendor": "Soci\xc3\xa9t\xc3\xa9 \\u00e8 \\/ fils" }\n'
ODD = (("x-odd", 'semi;colon, comma "quoted"'), ("cookie", "AWSALB=1; AWSALBCORS=2"),
       ("authorization", "Bearer abc.def~+/="))

# What every client does. Every answer comes from one of two servers, an h2 and HTTP/1.1 origin of ours and nginx.
COMMON = [
    Ask("get", "/seen?case=get&empty=&odd=%2Fa%20b+c", headers=ODD),
    Ask("path", "/a//b/%7Ec/;d=1/..%2F?x[]=%5B&&y"),
    Ask("head", "/document", "HEAD"),
    Ask("post", "/seen", "POST", headers=(JSON,), body=SMALL),
    Ask("post-text", "/seen", "POST", headers=(TEXT,), body=b"2026.1.0"),
    Ask("put", "/seen", "PUT", headers=(JSON,), body=SMALL),
    Ask("delete", "/seen", "DELETE"),
    Ask("post-large", "/seen", "POST", headers=(JSON,), body=document(4 * MIB - 1024)),
    Ask("post-limit", "/seen", "POST", headers=(JSON,), body=document(4 * MIB)),
    Ask("post-unannounced", "/seen", "POST", headers=(JSON,), body=document(300_000), announced=False),
    Ask("nothing", "/nothing"),
    Ask("not-modified", "/document", headers=(("if-none-match", '"v1"'),)),
    Ask("packed", "/packed", headers=(("accept-encoding", "gzip"),)),
    Ask("download", "/download/20"),
    Ask("not-found", "/status/404"),
    Ask("unavailable", "/status/503", "POST", headers=(JSON,), body=SMALL),
    Ask("nginx-get", "/test", host=NGINX),
    Ask("nginx-head", "/files/bulk", "HEAD", host=NGINX),
    Ask("nginx-download", "/files/bulk", host=NGINX),
    Ask("nginx-range", "/files/bulk", host=NGINX, headers=(("range", "bytes=100-199"),)),
    Ask("nginx-packed", "/files/packed.json", host=NGINX, headers=(("accept-encoding", "gzip"),)),
    Ask("nginx-nothing", "/nothing", host=NGINX),
    Ask("nginx-not-modified", "/files/packed.json", host=NGINX,
        headers=(("if-modified-since", "Wed, 31 Dec 2098 23:59:59 GMT"),)),
    Ask("nginx-post", "/echo", "POST", host=NGINX, headers=(JSON,), body=document(2 * MIB)),
]

# What only curl can be told to send.
FOR_CURL = [
    Ask("expect", "/seen", "POST", headers=(JSON, ("Expect", "100-continue")), body=document(4 * MIB - 1024)),
    Ask("expect-small", "/seen", "POST", headers=(JSON, ("Expect", "100-continue")), body=SMALL),
    Ask("hop-by-hop", "/seen", headers=(
        ("Forwarded", "for=10.0.0.1"), ("X-Forwarded-For", "10.0.0.1"), ("X-Real-IP", "10.0.0.1"),
        ("Keep-Alive", "timeout=5"), ("TE", "gzip"), ("X-Kept", "yes"))),
    Ask("trailers-wanted", "/seen", headers=(("TE", "trailers"),)),
    Ask("options", "/seen", "OPTIONS"),
    Ask("patch", "/seen", "PATCH", headers=(("content-type", "application/json; charset=utf-8"),), body=SMALL),
    Ask("empty-post", "/seen", "POST", headers=(("content-type", "application/octet-stream"),), body=b""),
]
