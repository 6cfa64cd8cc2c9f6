"""Intercepted gRPC: calls of every kind end as they do direct, and a refused message ends its call alone."""

import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial

import exchanges
from cases_denied import told
from cases_grpc import KINDS, TARGET, grpc_js, grpcio, grpcio_argv, grpcio_direct
from lab import Case, Lab, expect
from paths import HERE
from procs import Done, clean_env, run, wait_for

# The origin that tells every byte it gets speaks enough of gRPC for these.
TELLING = "stream.imagicle.com:443"
ADDRESS = "ada.example@example.org"
MANY = 10_000

Caller = Callable[[Lab, str, str], Done]


def works(kind: str, lab: Lab) -> None:
    done = grpcio(lab.intercepted(), TARGET, kind)
    expect(done.code == 0, done.err.strip())


def works_both_ways(kind: str, lab: Lab) -> None:
    direct = grpcio_direct(lab, TARGET, kind)
    expect(direct.code == 0, f"direct: {direct.err.strip()}")
    works(kind, lab)


def every_message_is_inspected(lab: Lab) -> None:
    proxy = lab.interception.failing
    before = proxy.metric("ucx_egress_inspected_messages_total", verdict="allow")
    works_both_ways("many", lab)
    wait_for(f"{MANY} inspected messages",
             lambda: proxy.metric("ucx_egress_inspected_messages_total", verdict="allow") - before >= MANY)


def takes_burst(lab: Lab) -> None:
    """A client may fill its window with the smallest of messages, whether or not they can be read as fast."""
    host, view = TARGET.partition(":")[0], lab.intercepted()
    for way, at, port in (("direct", lab, lab.ports[host]), ("tunnel", view, view.proxy.port)):
        program = HERE / "python" / "grpc_burst.py"
        done = run([sys.executable, program, host, at.pki.root, way, str(port)])
        expect(done.code == 0, f"{way}: {done.err.strip()}")


def ends(lab: Lab) -> int:
    """How often the server has seen a held call end."""
    return lab.grpc.text().count("ended ")


def ends_at_server(call: Caller, view: Lab, kind: str) -> Done:
    before = ends(view)
    done = call(view, TARGET, kind)
    wait_for("the end of the call at the server", lambda: ends(view) == before + 1, seconds=10)
    return done


def deadline_is_kept(lab: Lab) -> None:
    for call, view in ((grpcio_direct, lab), (grpcio, lab.intercepted())):
        done = ends_at_server(call, view, "deadline")
        expect("DEADLINE_EXCEEDED" in done.err, f"{call.__name__}: {done.err.strip()!r}")


def cancellation_arrives(lab: Lab) -> None:
    for call, view in ((grpcio_direct, lab), (grpcio, lab.intercepted())):
        done = ends_at_server(call, view, "cancel")
        expect(done.code == 0, f"{call.__name__}: {done.err.strip()}")


def vanishing_arrives(lab: Lab) -> None:
    """A client that dies says nothing; its connection ends, and its call with it."""
    view, before = lab.intercepted(), ends(lab)
    env = clean_env(https_proxy=view.proxy.url)
    with subprocess.Popen(grpcio_argv(view, TARGET, "hold"), env=env, stdout=subprocess.PIPE) as client:
        assert client.stdout is not None
        said = client.stdout.readline()
        client.kill()
    expect(said == b"holding\n", f"the call did not stand: {said!r}")
    wait_for("the end of the call at the server", lambda: ends(lab) == before + 1, seconds=10)


def fields(line: str) -> exchanges.Headers:
    """Metadata without the date, which gRPC servers leave out and a proxy has to add (RFC 9110 section 6.6.1)."""
    return [(name, value) for name, value in json.loads(line) if name != "date"]


def metadata_survives(lab: Lab) -> None:
    direct, through = grpcio_direct(lab, TARGET, "metadata"), grpcio(lab.intercepted(), TARGET, "metadata")
    expect(direct.code == 0 and through.code == 0, direct.err.strip() or through.err.strip())
    (sent, first, last), (sent_through, first_through, last_through) = (
        map(fields, done.out.splitlines()) for done in (direct, through))
    differences = exchanges.header_differences(sent, sent_through, set(), exchanges.GAINED_BY_REQUESTS)
    differences += exchanges.header_differences(first, first_through, set(), exchanges.GAINED_BY_ANSWERS)
    differences += exchanges.header_differences(last, last_through, set(), set())
    expect(not differences, "; ".join(differences))


def failure_survives(lab: Lab) -> None:
    """The server's own error, details and trailing metadata and all."""
    direct, through = grpcio_direct(lab, TARGET, "failure"), grpcio(lab.intercepted(), TARGET, "failure")
    expect(direct.code == 0 and through.code == 0, direct.err.strip() or through.err.strip())
    (status, *metadata), (status_through, *metadata_through) = direct.out.splitlines(), through.out.splitlines()
    expect(status == status_through, f"{status} became {status_through}")

    def without_gain(lines: list[str]) -> exchanges.Headers:
        # gRPC calls a head that is the whole answer either initial or trailing metadata.
        found = [field for line in lines for field in fields(line)]
        return sorted(field for field in found if field[0] not in exchanges.GAINED_BY_ANSWERS)

    before, after = without_gain(metadata), without_gain(metadata_through)
    expect(before == after, f"{before} became {after}")


def events_since(lab: Lab, lines: int) -> list[dict[str, str]]:
    return exchanges.events(lab.origin.text().splitlines()[lines:])


def bytes_since(lab: Lab, lines: int) -> bytes:
    """What the origin got of messages."""
    return b"".join(bytes.fromhex(event["hex"]) for event in events_since(lab, lines) if event["event"] == "bytes")


def framed(word: str) -> bytes:
    """As it stands on the wire: gRPC's prefix, then a protobuf message with the word in field 1."""
    return bytes([0]) + (len(word) + 2).to_bytes(4) + b"\n" + bytes([len(word)]) + word.encode()


def is_denied(done: Done, kind: str = "email") -> None:
    told(done.err, ["PERMISSION_DENIED", "personal_data", f"{kind} in "])
    expect(ADDRESS not in done.err, "the refusal repeats what was found")


def refuses_one_message(lab: Lab) -> None:
    """The messages before it have arrived and were answered; of it, not a byte has."""
    lines = len(lab.origin.text().splitlines())
    done = grpcio(lab.intercepted(), TELLING, "refused")
    is_denied(done)
    expect(done.out.splitlines() == ["answered 1.0", "answered 2.0"], f"answered: {done.out!r}")
    wait_for("the end of the call at the origin",
             lambda: any(event["event"] == "gone" for event in events_since(lab, lines)), seconds=10)
    came = bytes_since(lab, lines)
    expect(came == framed("1.0") + framed("2.0"), f"the origin got {came!r}")


def refuses_in_words_of(call: Callable[[Lab], Done], lab: Lab) -> None:
    """Of the refused message, not a byte reaches the origin; whether the call is opened is the proxy's affair."""
    lines = len(lab.origin.text().splitlines())
    is_denied(call(lab.intercepted()))
    came = bytes_since(lab, lines)
    expect(not came, f"the origin got {came!r}")


def head_stays(lab: Lab) -> None:
    """A call refused for its metadata is never opened."""
    lines = len(lab.origin.text().splitlines())
    # Its name says whom it names, whatever its value is.
    is_denied(grpcio(lab.intercepted(), TELLING, "refused-metadata"), "identity")
    expect(not events_since(lab, lines), f"the origin saw {events_since(lab, lines)}")


def refuses_too_large(lab: Lab) -> None:
    done = grpcio(lab.intercepted(), TARGET, "too-large")
    told(done.err, ["RESOURCE_EXHAUSTED", "message_too_large"])


def refuses_undocumented(lab: Lab) -> None:
    lines = len(lab.origin.text().splitlines())
    done = grpcio(lab.intercepted(), TELLING, "undocumented")
    told(done.err, ["PERMISSION_DENIED", "undocumented_field", "gRPC message 1 /(0)"])
    expect("agreed" not in done.err, "the refusal repeats what was found")
    came = bytes_since(lab, lines)
    expect(not came, f"the origin got {came!r}")


def grpc_js_works(lab: Lab) -> None:
    done = grpc_js(lab.intercepted(), TARGET)
    expect(done.code == 0, done.err.strip())


CASES = [Case(f"intercept-grpcio-{kind}", f"{title}, direct and intercepted", partial(works_both_ways, kind))
         for kind, title in KINDS.items()]
CASES += [
    Case("intercept-grpcio-many", f"{MANY} messages in one conversation, each inspected", every_message_is_inspected),
    Case("intercept-grpc-burst", "a window full of the smallest messages", takes_burst),
    Case("intercept-grpcio-deadline", "DEADLINE_EXCEEDED at the client, the end at the server", deadline_is_kept),
    Case("intercept-grpcio-cancel", "a cancelled call ends at the server", cancellation_arrives),
    Case("intercept-grpcio-vanished", "the call of a client that dies ends at the server", vanishing_arrives),
    Case("intercept-grpcio-metadata", "metadata in both directions, binary too", metadata_survives),
    Case("intercept-grpcio-failure", "the server's own error, with its details", failure_survives),
    Case("intercept-grpcio-refused", "an e-mail address ends a conversation, its message unsent", refuses_one_message),
    Case("intercept-grpcio-refused-unary", "an e-mail address in a unary call",
         partial(refuses_in_words_of, lambda lab: grpcio(lab, TELLING, "refused-unary"))),
    Case("intercept-grpcio-refused-metadata", "an e-mail address in metadata", head_stays),
    Case("intercept-grpcio-too-large", "a message one byte above the limit", refuses_too_large),
    Case("intercept-grpcio-compressed", "a message compressed with gzip, direct and intercepted",
         partial(works_both_ways, "compressed")),
    Case("intercept-grpcio-refused-compressed", "an e-mail address in a message compressed with gzip",
         partial(refuses_in_words_of, lambda lab: grpcio(lab, TELLING, "refused-compressed"))),
    Case("intercept-grpcio-undocumented", "words that nobody documents", refuses_undocumented),
    Case("intercept-grpc-js", "a unary call", grpc_js_works),
    Case("intercept-grpc-js-refused", "an e-mail address in a unary call",
         partial(refuses_in_words_of, lambda lab: grpc_js(lab, TELLING, ADDRESS))),
]
