"""A stack as a kernel for notebooks."""

import json
from pathlib import Path

from labs.kit import places
from labs.kit.stack.found import Stack


def kernelspec(stack: Stack, where: Path) -> Path:
    """Write kernels/gaplab-<stack>/kernel.json under a Jupyter data folder and return it.

    One torch thread: several would add in another order, and a notebook's numbers would not be a trial's.
    """
    path = where / "kernels" / f"gaplab-{stack.name}" / "kernel.json"
    spec = {
        "argv": [str(stack.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": f"Gaplab {stack.name}",
        "language": "python",
        "env": {"PYTHONPATH": str(places.ROOT), "OMP_NUM_THREADS": "1"},
        "metadata": {"debugger": True},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(json.dumps(spec, indent=1) + "\n")
    new.replace(path)
    return path
