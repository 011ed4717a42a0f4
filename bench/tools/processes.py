"""Processes of a bench, which end with it."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import psutil

from labs.kit import places


@contextmanager
def running(command: Sequence[str], told: str = "") -> Iterator[psutil.Popen]:
    """The command, which reads `told`; killed at the end, with all that it started."""
    quiet = subprocess.DEVNULL
    process = psutil.Popen(command, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, cwd=places.ROOT, text=True)
    try:
        process.stdin.write(told)
        process.stdin.close()
        yield process
    finally:
        for one in [process, *process.children(recursive=True)] if process.poll() is None else []:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        process.wait()
