"""Telemetry in every format that is inspected: documented, it passes; personal or documented nowhere, it stays."""

import gzip
import json
from dataclasses import dataclass
from functools import partial

import exchanges
from ask_clients import CURLS, LIBRARIES, AskClient, Way
from cases_denied import in_full
from cases_intercept import same
from cases_intercept_refused import VERSIONS, Refused, answered, stays, told_in_answers
from exchanges import Ask
from lab import Case, Lab, expect
from procs import wait_for

FORM = "multipart/form-data; boundary=b"
GZIP = ("content-encoding", "gzip")


@dataclass(frozen=True)
class Format:
    """A format, and what is sent in it: documented, personal, documented nowhere."""

    name: str
    type: str
    clean: bytes
    personal: bytes
    kind: str
    undocumented: bytes
    coding: tuple[tuple[str, str], ...] = ()

    def ask(self, what: str, body: bytes) -> Ask:
        headers = (("content-type", self.type), *self.coding)
        return Ask(f"{what}-{self.name}", "/seen", "POST", headers=headers, body=body)

    def refused(self, reason: str, body: bytes) -> Refused:
        options = tuple(word for name, value in self.coding for word in ("--header", f"{name}: {value}"))
        return Refused(self.name, reason, body=body, type=self.type, options=options)


def part(name: str, value: str) -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"'
    return f"--b\r\n{head}\r\n\r\n{value}\r\n--b--\r\n".encode()


def protobuf(text: str) -> bytes:
    """A message with a short text in field 1."""
    return bytes([10, len(text)]) + text.encode()


BEAT = json.dumps({"processes": [{"pid": 4, "name": "svchost.exe", "workingSet": 12_345_678}]}).encode()
SERVICE = json.dumps({"services": [{"serviceName": "Backup", "startupIdentity": "ACME\\ada.example"}]}).encode()
WORDS = "as agreed last week"
# Of what must not be told again.
VALUES = ("ada.example", "ada@", "Users", "943232", "3a:b7", "agreed")
REMARK = json.dumps({"version": "2026.1", "remark": WORDS}).encode()

FORMATS = [
    Format("json", "application/json", BEAT, SERVICE, "identity", REMARK),
    Format("gzip", "application/json", gzip.compress(BEAT, mtime=0), gzip.compress(SERVICE, mtime=0), "identity",
           gzip.compress(REMARK, mtime=0), (GZIP,)),
    Format("ndjson", "application/x-ndjson", BEAT + b"\n" + BEAT + b"\n",
           BEAT + b'\n{"vendor":"call +39 0584 943232"}\n', "phone", BEAT + b"\n" + REMARK + b"\n"),
    Format("form", "application/x-www-form-urlencoded", b"cucmVersion=14.0.1&numberOfUsers=1250",
           b"cucmVersion=14.0.1&note=ada.example%40example.org", "email",
           b"cucmVersion=14.0.1&remark=as+agreed+last+week"),
    Format("xml", "application/xml", b"<beat><hotfixes><hotfix>KB5031364</hotfix></hotfixes></beat>",
           b"<beat><exePath>C:\\Users\\ada\\a.exe</exePath></beat>", "user_path",
           f"<beat><remark>{WORDS}</remark></beat>".encode()),
    Format("multipart", FORM, part("version", "2026.1.0"), part("adapterName", "00:1b:44:11:3a:b7"), "mac_address",
           part("remark", WORDS)),
    Format("protobuf", "application/x-protobuf", protobuf("14.0.1"), protobuf("sip:ada@example.org"), "sip_uri",
           protobuf(WORDS)),
]


def refused_in_detail(refused: Refused, word: str, version: str, lab: Lab) -> None:
    """The answer tells kind or place, and never the value."""
    view = lab.intercepted()

    def ask() -> None:
        refusal = answered(view, version, refused)
        in_full(refusal, 403, refused.reason, view)
        detail = str(refusal.body.get("detail"))
        expect(word in detail, f"{word!r} is not in {detail!r}")
        repeated = [value for value in VALUES if value in str(refusal)]
        expect(not repeated, f"{repeated} in {refusal}")

    stays(lab, ask)


def findings(lab: Lab, kind: str) -> float:
    return lab.interception.failing.metric("ucx_egress_findings_total", kind=kind, action="deny")


def personal_stays(client: AskClient, lab: Lab) -> None:
    kinds = sorted({form.kind for form in FORMATS})
    assert lab.interception.failing
    before = {kind: findings(lab, kind) for kind in kinds}
    asks = [form.ask("personal", form.personal) for form in FORMATS]
    stays(lab, lambda: told_in_answers(client, asks, 403, "personal_data", lab))
    for kind in kinds:
        wait_for(f"{kind} counted", partial(lambda kind: findings(lab, kind) > before[kind], kind))


def undocumented_stays(client: AskClient, lab: Lab) -> None:
    asks = [form.ask("undocumented", form.undocumented) for form in FORMATS]
    stays(lab, lambda: told_in_answers(client, asks, 403, "undocumented_field", lab))


CASES = [Case(f"formats-{client.name}", "telemetry in every format is the same direct and intercepted",
              partial(same, client, [form.ask("clean", form.clean) for form in FORMATS]))
         for client in CURLS + LIBRARIES]
CASES += [Case(f"personal-{form.name}-h{version[0]}", f"{form.kind} refused by name, HTTP/{version}",
               partial(refused_in_detail, form.refused("personal_data", form.personal), f"{form.kind} in ", version))
          for form in FORMATS for version in VERSIONS]
CASES += [Case(f"undocumented-{form.name}-h{version[0]}", f"words that nobody documents refused, HTTP/{version}",
               partial(refused_in_detail, form.refused("undocumented_field", form.undocumented), ": /", version))
          for form in FORMATS for version in VERSIONS]
CASES += [Case(f"personal-{client.name}", "the user is told of the 403 in every format",
               partial(personal_stays, client))
          for client in LIBRARIES]
CASES += [Case(f"undocumented-{client.name}", "the user is told of the 403 in every format",
               partial(undocumented_stays, client))
          for client in LIBRARIES]
