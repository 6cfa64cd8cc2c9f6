"""Checks what is installed: the Debian package, the container image, the Kubernetes manifests, the systemd units."""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "clients"))

import container  # noqa: E402
import debian  # noqa: E402
import kubernetes  # noqa: E402
import units  # noqa: E402
from paths import BINARY  # noqa: E402

GROUPS = {"systemd": units.CASES, "kubernetes": kubernetes.CASES, "container": container.CASES, "debian": debian.CASES}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests/packages/run", description=__doc__)
    parser.add_argument("--binary", type=Path, default=BINARY, help="the proxy (default: the release build)")
    parser.add_argument("--only", choices=GROUPS, help="one group of checks")
    return parser.parse_args()


def main() -> None:
    args = arguments()
    if not args.binary.is_file():
        sys.exit(f"no proxy at {args.binary}; build it with `cargo build --release`, or name it with --binary")
    scratch = Path(tempfile.mkdtemp(prefix="ucx-packages-"))
    passed = failed = 0
    try:
        for group, cases in GROUPS.items():
            if args.only not in (None, group):
                continue
            for title, check in cases:
                began = time.monotonic()
                try:
                    note = check(args.binary.resolve(), scratch)
                except Exception as error:  # the next check is made all the same
                    failed += 1
                    print(f"FAIL {group}: {title}: {error}", flush=True)
                    continue
                passed += 1
                aside = f" ({note})" if note else ""
                print(f"ok   {group}: {title}{aside}, {time.monotonic() - began:.1f} s", flush=True)
    finally:
        debian.unmount(scratch)
        shutil.rmtree(scratch)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
