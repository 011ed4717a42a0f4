"""A disk with little room, made as far as this machine allows."""

import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOM = 12 * 1024
"""Bytes: a few records."""


@dataclass
class Disk:
    """Where little fits."""

    folder: Path
    limit: Callable[[], None] | None
    """What a process must do before it starts, where the disk itself could not be made small."""

    def make_room(self) -> None:
        """Let a hundred times as much fit."""
        (self.folder / "ballast").unlink(missing_ok=True)
        self.limit = None


@contextmanager
def nearly_full(folder: Path) -> Iterator[Disk]:
    """A disk with ROOM left: a small tmpfs, or, where mounting is not allowed, a bound on the size of a file."""
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        yield Disk(folder, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM // 4, ROOM // 4)))
        return
    try:
        free = os.statvfs(folder)
        (folder / "ballast").write_bytes(b"x" * (free.f_bavail * free.f_frsize - ROOM))
        yield Disk(folder, None)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
