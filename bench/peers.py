"""The peers that do our work, measured on this machine in this run (`../shared/peers/run.sh`)."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
RUNNER = ROOT.parent / "shared" / "peers" / "run.sh"
SYNCING = ("pouchdb", "etesync", "pycrdt")
KEPT = ROOT / ".run" / "peers"  # their installs, used again by the next run


def measure() -> None:
    """Run the peers that sync, over loopback or in memory; print their lines as they are."""
    if not RUNNER.exists():
        print(
            f"No peers beside this checkout ({RUNNER.name} not found): only our own figures follow.",
            file=sys.stderr,
        )
        return
    # Node comes from the package in this environment, not from the machine.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PEERS_DIR": str(KEPT)}
    subprocess.run(["bash", str(RUNNER), *SYNCING], check=True, env=environment)
