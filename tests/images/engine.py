"""A disk with little room, and a second engine of the tests' own on it, that can be filled and ended."""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

AS_ROOT = ["sudo", "-n"] if os.geteuid() else []


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """An empty disk of this size."""
    folder = Path(tempfile.mkdtemp(prefix="gaplab-"))
    told = f"size={megabytes}m,mode=1777"
    subprocess.run([*AS_ROOT, "mount", "-t", "tmpfs", "-o", told, "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run([*AS_ROOT, "umount", "-l", folder], check=True)
        folder.rmdir()


@contextmanager
def small_engine(megabytes: int) -> Iterator[str]:
    """An engine whose images go to a disk of this size; yields what DOCKER_HOST has to say.

    It has a network of its own: with --bridge=none in the machine's it would take the other engine's bridge away.
    """
    folder = Path(tempfile.mkdtemp(prefix="gaplab-"))  # a short name: the path of a socket has 104 letters at most
    host = f"unix://{folder}/socket"
    alone: list[str | Path] = [*AS_ROOT, "unshare", "--net", "dockerd", "--bridge", "none", "--iptables=false"]
    alone += ["--exec-root", folder / "run", "--pidfile", folder / "pid", "--host", host]
    with small_disk(megabytes) as root, (folder / "log").open("wb") as log:
        engine = subprocess.Popen([*alone, "--data-root", root], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            _wait_for(engine, host, folder / "log")
            yield host
        finally:
            if engine.poll() is None:
                subprocess.run([*AS_ROOT, "kill", str(engine.pid)], check=True)
                engine.wait()
            subprocess.run([*AS_ROOT, "rm", "-rf", folder], check=True)


def _wait_for(engine: "subprocess.Popen[bytes]", host: str, log: Path) -> None:
    for _ in range(150):
        asked = subprocess.run(["docker", "-H", host, "version"], capture_output=True, check=False)
        if asked.returncode == 0:
            return
        assert engine.poll() is None, log.read_text(errors="replace")[-2000:]
        time.sleep(0.2)
    raise AssertionError(log.read_text(errors="replace")[-2000:])
