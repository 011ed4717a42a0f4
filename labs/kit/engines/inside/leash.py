"""No process outlives the one that started it, however that one ends: a command killed leaves nothing behind.

The kernel does it (prctl, Linux), since a killed process cannot tidy up, and a trial deep in compiled code cannot
listen for its parent's end.

    python -m labs.kit.engines.inside.leash PARENT MODULE        runs the module, tied to the process PARENT
"""

import ctypes
import os
import runpy
import signal
import sys

SERVER = os.getpid()
"""The process that trials are forked from, where that one has imported this module: a fork inherits the number."""
_PARENT = "GAPLAB_PARENT"
_PR_SET_PDEATHSIG = 1


def tie(parent: int) -> None:
    """Die when the parent dies; at once, where it has died already."""
    if sys.platform != "linux":  # there the containers run the trials, and end with all that is in them
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def environment() -> dict[str, str]:
    """What a process gets in its environment so that it can tie itself to this one."""
    return {_PARENT: str(os.getpid())}


def tie_by_environment() -> bool:
    """Tie this process to the one that its environment names; False where it names none."""
    parent = os.environ.get(_PARENT)
    if parent:
        tie(int(parent))
    return bool(parent)


if __name__ == "__main__":
    tie(int(sys.argv[1]))
    runpy.run_module(sys.argv[2], run_name="__main__")
