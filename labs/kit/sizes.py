"""What things take on the disk. Standard library alone, since a bare machine builds its first stack with it."""

import json
import os
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

Seen = set[tuple[int, int]]
"""Device and inode of what was counted: a file with several names (stacks share theirs) counts once."""

_KEPT = ".bytes.json"
_MARKER = "stack.lock"
"""What a complete stack holds: it is written once, when the stack is, and no file of a stack changes after that."""


def bytes_of(path: Path, seen: Seen) -> int:
    """What a file or folder takes, without what was seen before."""
    return sum(walk(path, seen))


def within(path: Path, seen: Seen, until: float) -> tuple[int, bool]:
    """The same as far as one gets until then (of time.monotonic()), and whether that was all."""
    total = 0
    for size in walk(path, seen):
        total += size
        if time.monotonic() > until:
            return total, False
    return total, True


def walk(path: Path, seen: Seen) -> Iterator[int]:
    """The size of every file and folder from here on that was not seen before."""
    waiting = [str(path)]
    while waiting:
        here = waiting.pop()
        try:
            told = os.lstat(here)
            if (told.st_dev, told.st_ino) in seen:
                continue
            seen.add((told.st_dev, told.st_ino))
            if stat.S_ISDIR(told.st_mode):
                waiting += [entry.path for entry in os.scandir(here)]
            yield told.st_blocks * 512
        except FileNotFoundError:  # it was removed while we looked
            continue


def of_stacks(folder: Path) -> int:
    """What the stacks of a folder take together. A hundred thousand files: they are walked once, when one is built."""
    if not folder.is_dir() or folder.is_symlink():
        return bytes_of(folder, set())
    made = {path.parent.name: path.stat().st_mtime_ns for path in sorted(folder.glob(f"*/{_MARKER}"))}
    with suppress(OSError, ValueError):
        match json.loads((folder / _KEPT).read_text()):
            case {"made": known, "bytes": int(kept)} if known == made:
                return kept
    total = bytes_of(folder, set())
    with suppress(OSError):  # it is only a saving, and the folder may be somebody else's
        new = folder / f"{_KEPT}.{os.getpid()}"
        new.write_text(json.dumps({"made": made, "bytes": total}))
        new.replace(folder / _KEPT)
    return total


def megabytes(size: float) -> str:
    """A size as a person says it.

    >>> megabytes(3_500_000), megabytes(2_150_000_000)
    ('3 MB', '2.0 GB')
    """
    return f"{size / 2**30:.1f} GB" if size >= 2**30 else f"{size / 2**20:.0f} MB"
