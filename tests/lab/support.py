"""Makes lab/ importable for its tests, and says what they run and whether they can."""

import os
import pathlib
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "lab"))

PRIVATEER = os.environ.get("PRIVATEER", str(ROOT / "build/release/bin/privateer"))
LONG = os.environ.get("SOVEREIGN_LONG") == "1"


def mesh_ready():
    """Root, the tools and the binary: what every test of a real mesh needs."""
    return (os.geteuid() == 0 and all(map(shutil.which, ("ip", "bird", "wg", "wireguard-go", "nft")))
            and os.access(PRIVATEER, os.X_OK))
