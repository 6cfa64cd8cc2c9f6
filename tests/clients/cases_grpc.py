"""gRPC clients that find the proxy in their environment, as the presence client does."""

import sys
from functools import partial

from lab import Case, Lab, expect
from paths import HERE, NODE
from procs import Done, clean_env, run

TARGET = "grpc.imagicle.com:443"


def grpcio_argv(lab: Lab, target: str, kind: str) -> list[str]:
    return [sys.executable, str(HERE / "python" / "grpc_call.py"), target, str(lab.pki.root), kind]


def grpcio(lab: Lab, target: str, kind: str) -> Done:
    return run(grpcio_argv(lab, target, kind), env=clean_env(https_proxy=lab.proxy.url))


def grpcio_direct(lab: Lab, target: str, kind: str) -> Done:
    port = lab.ports[target.partition(":")[0]]
    return run([*grpcio_argv(lab, target, kind), str(port)])


def grpc_js(lab: Lab, target: str, text: str = "1.2.3") -> Done:
    env = clean_env(https_proxy=lab.proxy.url, NODE_PATH=str(NODE / "node_modules"))
    return run(["node", HERE / "node" / "grpc_unary.cjs", target, lab.pki.root, text], env=env)


def grpcio_works(kind: str, lab: Lab) -> None:
    done = grpcio(lab, TARGET, kind)
    expect(done.code == 0, done.err.strip())


def grpc_js_works(lab: Lab) -> None:
    done = grpc_js(lab, TARGET)
    expect(done.code == 0, done.err.strip())


KINDS = {
    "unary": "a unary call",
    "server-stream": "a server stream",
    "client-stream": "a client stream",
    "bidi": "a conversation, message by message",
    "large": "a message of 4 MiB both ways",
}
CASES = [Case(f"grpcio-{kind}", title, partial(grpcio_works, kind)) for kind, title in KINDS.items()]
CASES.append(Case("grpc-js-unary", "a unary call", grpc_js_works))
