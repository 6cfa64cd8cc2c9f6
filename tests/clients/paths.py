"""Where things are, and the system folders Debian keeps servers in."""

import os
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BINARY = ROOT / "target" / "release" / "ucx-egress"

# Installed software is a build product: it lives beside the compiler's.
INSTALLED = ROOT / "target" / "clients"
VENV = INSTALLED / "venv"
NODE = INSTALLED / "node"

# slapd and nginx sit in sbin, which a plain user's PATH does not name.
SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
