"""Runs the cases one by one and prints a line for each."""

import argparse
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import cases_access
import cases_admin
import cases_balancer
import cases_denied
import cases_entrances
import cases_evidence
import cases_grpc
import cases_intercept
import cases_intercept_formats
import cases_intercept_grpc
import cases_intercept_refused
import cases_intercept_trust
import cases_ldap
import cases_operations
import cases_parents
import cases_setup
import cases_web
import lab
from lab import Case, Lab
from paths import BINARY

GROUPS = (cases_web, cases_grpc, cases_ldap, cases_denied, cases_access, cases_admin, cases_entrances, cases_balancer,
          cases_intercept, cases_intercept_formats, cases_intercept_grpc, cases_intercept_refused,
          cases_intercept_trust, cases_parents, cases_setup, cases_evidence, cases_operations)
CASES = [case for group in GROUPS for case in group.CASES]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tests/clients/run",
        description="Sends real clients through the proxy to real servers, all on loopback. "
                    "The first run installs what is missing.",
    )
    parser.add_argument("--binary", type=Path, default=BINARY, help="the proxy (default: the release build)")
    parser.add_argument("--only", metavar="NAME,...", help="the cases whose names start so")
    parser.add_argument("--list", action="store_true", help="print the cases' names and stop")
    parser.add_argument("--keep", action="store_true", help="keep the scratch folder, logs and all")
    return parser.parse_args()


def chosen(only: str | None) -> list[Case]:
    prefixes = tuple((only or "").split(","))
    cases = [case for case in CASES if case.name.startswith(prefixes)]
    return cases or sys.exit(f"no case starts with {only}; `run --list` prints the names")


def passes(case: Case, lab: Lab) -> bool:
    try:
        note = case.check(lab)
    except Exception as error:  # a case may fail in any way; the next one is run all the same
        why = " ".join(str(error).split()) or type(error).__name__
        print(f"FAIL {case.name}: {why}", flush=True)
        return False
    print(f"ok   {case.name}: {case.title}" + (f" ({note})" if note else ""), flush=True)
    return True


def main() -> None:
    args = arguments()
    cases = chosen(args.only)
    if args.list:
        print("\n".join(case.name for case in cases))
        return
    if not args.binary.is_file():
        sys.exit(f"no proxy at {args.binary}; build it with `cargo build --release`, or name it with --binary")
    # A terminated run ends as a failed one does: by leaving every `with` block.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    scratch = Path(tempfile.mkdtemp(prefix="ucx-egress-clients-"))
    try:
        with lab.started(scratch, args.binary.resolve()) as laboratory:
            passed = sum(passes(case, laboratory) for case in cases)
            if passed < len(cases):
                for at in (laboratory.proxy, *laboratory.interception.started, *laboratory.parents.started):
                    print(at.process.last_words())
    except (OSError, RuntimeError) as error:
        sys.exit(f"the servers do not start: {error}")
    finally:
        if args.keep:
            print(f"kept {scratch}")
        else:
            shutil.rmtree(scratch)
    print(f"{passed} passed, {len(cases) - passed} failed")
    sys.exit(0 if passed == len(cases) else 1)


if __name__ == "__main__":
    main()
