"""Tells the Jupyter server of an image the one kernel that it has: its stack."""

import json
import sys
from pathlib import Path

stack = sys.argv[1]
spec = {
    "argv": ["/opt/venv/bin/python", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
    "display_name": f"Gaplab {stack}",
    "language": "python",
    "metadata": {"debugger": True},
}
path = Path(f"/usr/local/share/jupyter/kernels/gaplab-{stack}/kernel.json")
path.parent.mkdir(parents=True)
path.write_text(json.dumps(spec, indent=1) + "\n")
