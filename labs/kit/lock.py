"""Locks that the kernel lets go of when their holder dies, so that nobody has to guess whether a process is alive."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from labs.kit.errors import LabError

PATIENCE = 1.0
"""Seconds to wait for a trial's lock: is_held() takes it for an instant."""


class Busy(LabError):  # noqa: N818  a state of affairs, not a mistake
    """Another process has the lock."""


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Own the trial while inside. Raises Busy where another process does."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise LabError(
            f"{folder}: cannot be made: {problem}.\nA trial without a record would be lost.\n"
            "Make the folder above it writable, or make room on its disk."
        ) from problem
    with lock(folder / "lock", PATIENCE):
        yield


def is_held(folder: Path) -> bool:
    """Whether a living process runs the trial."""
    try:
        handle = os.open(folder / "lock", os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: two that look at once do not see each other
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


@contextmanager
def lock(path: Path, patience: float = 0.0) -> Iterator[None]:
    """Own the file while inside. Raises Busy when another process still does after `patience` seconds.

    A flock lives as long as any descriptor of it, so a child forked inside closes its copy: a worker's helper that
    outlives a killed worker would otherwise keep the trial locked.
    """
    handle = _locked(path, time.monotonic() + patience)
    _held.add(handle)
    try:
        yield
    finally:
        _held.discard(handle)
        os.close(handle)


def _locked(path: Path, until: float) -> int:
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(handle, path):
                return handle
        except BlockingIOError:
            if time.monotonic() >= until:
                os.close(handle)
                raise Busy(
                    f"{path}: another process works on this.\nDone twice at once, it would be recorded twice.\n"
                    "Wait for the other one (another `gaplab run`?), or end it."
                ) from None
        os.close(handle)
        time.sleep(0.02)


def _is_at(handle: int, path: Path) -> bool:
    """Whether the locked file is the one that has the name now: the folder may have been cleaned in between."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(handle), path.stat())
    return False


_held: set[int] = set()


def _release_in_child() -> None:
    for handle in _held:
        os.close(handle)
    _held.clear()


os.register_at_fork(after_in_child=_release_in_child)
