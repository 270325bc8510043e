"""The peers that do our work, measured on this machine in this run (`../shared/peers/run.sh`)."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
RUNNER = ROOT.parent / "shared" / "peers" / "run.sh"
KEPT = ROOT / ".run" / "peers"  # their installs, used again by the next run


def measure() -> None:
    """Run PouchDB with pouchdb-server over loopback; print its lines as they are."""
    if not RUNNER.exists():
        print(
            f"No peers beside this checkout ({RUNNER.name} not found): only our own figures follow.",
            file=sys.stderr,
        )
        return
    # Node comes from the package in this environment, not from the machine.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        ["bash", str(RUNNER), "pouchdb"], check=True, env={**os.environ, "PATH": path, "PEERS_DIR": str(KEPT)}
    )
