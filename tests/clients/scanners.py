#!/usr/bin/env python3
"""Has testssl.sh and sslyze look at the TLS that clients meet: TLS to the proxy itself, and a decrypted connection.

testssl.sh is Debian's package of that name, sslyze the Python package; neither is installed by `run`.
"""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
from collections import Counter
from pathlib import Path

import interception
import lab
import proxy
from lab import Lab
from paths import BINARY
from procs import Processes, free_port, run

HOST = "api.imagicle.com"
# What testssl.sh calls a finding. The chain is a test's own, and that nobody else vouches for it is known.
GRAVE = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
OUR_OWN = ("cert_", "DNS_", "OCSP", "HSTS", "grade", "overall", "scan", "engine", "certificate_transparency")


def findings(scratch: Path, name: str, target: str, extra: list[str]) -> str:
    """What testssl.sh finds: each check that is graver than information."""
    file = scratch / f"{name}.json"
    done = run(["testssl", "--quiet", "--color", "0", "--warnings", "off", "--jsonfile", file, *extra, target],
               env={**os.environ, "TERM": "xterm"}, timeout=1800)
    if not file.exists():
        raise RuntimeError(f"testssl.sh ended with {done.code}: {done.out[-500:]}{done.err[-500:]}")
    checks = json.loads(file.read_text())
    counted = Counter(check["severity"] for check in checks)
    grave = [f"{check['id']}: {check['finding']}" for check in checks
             if check["severity"] in GRAVE and not check["id"].startswith(OUR_OWN)]
    offered = [check["id"] for check in checks if check["id"].startswith(("SSL", "TLS1")) and check["finding"].startswith("offered")]
    return f"testssl.sh, {name}: {len(checks)} lines {dict(counted)}; offered {' '.join(offered)}; grave {grave or 'none'}"


def probes(name: str, target: str, sslyze: Path, extra: list[str]) -> str:
    """What sslyze says of known attacks and of old protocols."""
    done = run([sslyze, "--json_out=-", "--sslv2", "--sslv3", "--tlsv1", "--tlsv1_1", "--tlsv1_2", "--tlsv1_3", "--heartbleed", "--robot",
                "--openssl_ccs", "--reneg", "--fallback", "--compression", "--early_data", "--ems", *extra, target], timeout=600)
    said = json.loads(done.out)["server_scan_results"][0]["scan_result"]
    if said is None:
        raise RuntimeError(done.out[:2000])
    of = lambda probe: said[probe]["result"] or {}  # noqa: E731
    protocols = {probe: len(of(f"{probe}_cipher_suites").get("accepted_cipher_suites", [])) for probe in
                 ("ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1", "tls_1_2", "tls_1_3")}
    facts = {
        "heartbleed": of("heartbleed").get("is_vulnerable_to_heartbleed"),
        "ccs": of("openssl_ccs_injection").get("is_vulnerable_to_ccs_injection"),
        "robot": of("robot").get("robot_result"),
        "compression": of("tls_compression").get("supports_compression"),
        "early data": of("tls_1_3_early_data").get("supports_early_data"),
        "client renegotiation": of("session_renegotiation").get("is_vulnerable_to_client_renegotiation_dos"),
        "secure renegotiation": of("session_renegotiation").get("supports_secure_renegotiation"),
        "extended master secret": of("tls_extended_master_secret").get("supports_ems_extension"),
    }
    return f"sslyze, {name}: suites {protocols}; {facts}"


def scan(lab: Lab, sslyze: Path) -> list[str]:
    certificate, key = lab.pki.proxy(lab.scratch)
    folder = lab.scratch / "scanned"
    sni = free_port()
    sections = f'[[sni]]\naddress = "127.0.0.1:{sni}"\n'
    with Processes(lab.scratch) as processes:
        folder.mkdir()
        made = interception.configure(folder, "scanned", lab.pki.root, lab.ports, interception.SITE_POLICY, sections)
        text = made.file.read_text()
        listener = f'[listener.tls]\ncertificate = "{certificate}"\nkey = "{key}"\n[admin]'
        made.file.write_text(text.replace("[admin]", listener, 1))
        interception.make_authority(lab.binary, made)
        at = proxy.launch(processes, lab.binary, made)
        lines = [
            probes("to the proxy", f"127.0.0.1:{at.port}", sslyze, []),
            probes("decrypted", f"127.0.0.1:{sni}", sslyze, [f"--sni={HOST}"]),
            findings(lab.scratch, "to the proxy", f"127.0.0.1:{at.port}", []),
            findings(lab.scratch, "decrypted", f"{HOST}:{sni}", ["--ip", "127.0.0.1"]),
        ]
        lines.append(f"panics {at.metric('ucx_egress_panics_total'):.0f}")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(prog="scanners.py", description="Has testssl.sh and sslyze look at the proxy's TLS.")
    parser.add_argument("--binary", type=Path, default=BINARY, help="the proxy (default: the release build)")
    parser.add_argument("--sslyze", type=Path, default=Path("sslyze"), help="the program (default: from the PATH)")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    scratch = Path(tempfile.mkdtemp(prefix="ucx-egress-scanners-"))
    try:
        with lab.started(scratch, args.binary.resolve()) as laboratory:
            print("\n".join(scan(laboratory, args.sslyze)))
    except (OSError, RuntimeError) as error:
        sys.exit(f"scanners: {error}")
    finally:
        shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
