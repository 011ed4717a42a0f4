"""In a worker's container all trials share one writable folder; here each is shut into its own part of it.

The kernel does it (Landlock, Linux 5.13), for this process and whatever it starts, for good. Where it cannot, the
container is the only wall: a lab could then spoil the records of other trials, and nothing else.
"""

import ctypes
import os
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_NO_NEW_PRIVS = 38
_BENEATH = 1
_WRITING = sum(1 << bit for bit in (1, *range(4, 13)))
"""Write, remove, make: all that landlock(7) knows of since its first version but reading and executing."""
_SINCE = {2: 1 << 13, 3: 1 << 14}
"""Moving to another folder, cutting short: by the version that brought them."""


def version() -> int:
    """Of Landlock here; 0 where there is none."""
    return max(0, _call(_CREATE, None, 0, 1)) if sys.platform == "linux" else 0


def shut_in(writable: Iterable[Path]) -> None:
    """Let this process write below these folders alone; read what it could. Does nothing where the kernel cannot."""
    known = version()
    if not known:
        return
    rights = _WRITING + sum(right for since, right in _SINCE.items() if known >= since)
    rules = _call(_CREATE, struct.pack("=Q", rights), 8, 0)
    for folder in filter(Path.is_dir, writable):
        place = os.open(folder, os.O_PATH | os.O_CLOEXEC)
        _checked(_call(_ADD, rules, _BENEATH, struct.pack("=Qi", rights, place), 0))
        os.close(place)
    _checked(ctypes.CDLL(None, use_errno=True).prctl(_NO_NEW_PRIVS, 1, 0, 0, 0))
    _checked(_call(_RESTRICT, rules, 0))
    os.close(rules)


def _call(number: int, *arguments: int | bytes | None) -> int:
    told = [ctypes.c_ulong(one) if isinstance(one, int) else one for one in arguments]
    return int(ctypes.CDLL(None, use_errno=True).syscall(number, *told))


def _checked(told: int) -> None:
    if told < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
