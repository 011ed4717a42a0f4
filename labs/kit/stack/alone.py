"""One builder of a venv at a time, by a lock that the kernel drops when its holders end."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from labs.kit import places


@contextmanager
def alone(venv: Path, on_line: Callable[[str], None]) -> Iterator[int]:
    """Hold the venv's file lock; yield its descriptor, for children to hold as well."""
    path = _flock(venv.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_line(f"Another command is building {venv.name}; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def beside(venv: Path, suffix: str) -> Path:
    """A hidden name beside the venv, on the same disk, so that a rename is all it takes."""
    return venv.with_name(f".{venv.name.lstrip('.')}.{suffix}")


def growing(path: Path) -> bool:
    """Whether somebody is building in this folder right now."""
    if not (flock := _flock(path.stem)).exists():
        return False
    with flock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _flock(name: str) -> Path:
    return places.home() / "stacks" / f".{name.lstrip('.')}.flock"
