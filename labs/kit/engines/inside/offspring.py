"""What a trial started and left behind: it would take the place, and the memory, of the trials that follow."""

import ctypes
import os
import signal
import sys
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36


def adopt() -> None:
    """Be the parent of whatever loses its own below this process, so that it can be found."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end() -> None:
    """Kill everything below this process, until nothing is: what forks without end forks on meanwhile."""
    for _ in range(50):
        below = _below(os.getpid())
        if not below:
            return
        for process in below:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _below(top: int) -> list[int]:
    """The numbers of all processes below one, however deep."""
    children = defaultdict(list)
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            children[int(path.read_text().rpartition(")")[2].split()[1])].append(int(path.parent.name))
    found, waiting = list[int](), [top]
    while waiting:
        found += (next_ones := children[waiting.pop()])
        waiting += next_ones
    return found
