"""A stack's worker in a container: the same program as on the bare machine, with nothing in reach but its trials."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from docker.errors import APIError, NotFound
from docker.types import DeviceRequest, Mount
from docker.utils.socket import frames_iter_no_tty
from requests.exceptions import ConnectionError as Unreachable
from requests.exceptions import ReadTimeout

from labs.kit import places
from labs.kit.containers.daemon import daemon
from labs.kit.containers.images import name_of
from labs.kit.containers.reaper import labels
from labs.kit.errors import LabError
from labs.kit.plan import Trial
from labs.kit.stack import Stack

OVERHEAD = 1024
"""MiB beside the trials: the stack's imports, and what a trial writes to /tmp."""
PIDS = 512
TMPFS = "rw,exec,nosuid,nodev,size=1g,mode=1777"  # exec: Numba and torch put compiled code there
_ALL = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
_STDERR = 2


@dataclass
class Container:
    """A channel to a worker in a container."""

    container: Any
    log: Path
    link: Any
    """The socket that carries what goes in and what comes out."""
    room: int = 0
    """MiB that the container may take now."""
    told_of_memory: threading.Event = field(default_factory=threading.Event)
    """Set by the kernel's word that something in here was ended for memory."""

    @classmethod
    def begin(cls, stack: Stack, cpus: int, command: tuple[str, ...], writable: Path, log: Path) -> "Container":
        """Start a module of the kit in the stack's image; it may write to one folder."""
        return cls.of(name_of(stack), command, _walls(stack, cpus, writable), log)

    @classmethod
    def of(cls, image: str, command: tuple[str, ...], walls: dict[str, Any], log: Path) -> "Container":
        """Start a module of the kit in an image, behind walls that shut() and the caller's folders make."""
        log.write_bytes(b"")
        try:
            new = daemon(patient=True).containers.create(image, ["python", *command], **walls)
            container = daemon().containers.get(new.id)  # the making alone waits for an engine, the ending does not
            made = cls(container, log, container.attach_socket(params=_ALL))
            container.start()
        except (APIError, Unreachable) as problem:
            raise _not_started(image, problem) from problem
        threading.Thread(target=made._hear_of_memory, daemon=True).start()
        return made

    def write(self, line: bytes) -> None:
        """Through the engine's socket to the worker's input."""
        self.link._sock.sendall(line)

    def lines(self) -> Iterator[bytes]:
        """Answers as they come; what it says beside them goes to its log."""
        rest = b""
        with self.log.open("ab") as log, suppress(OSError):  # the engine went away: so did the worker
            for kind, data in frames_iter_no_tty(self.link):
                if kind == _STDERR:
                    log.write(data)
                    log.flush()
                    continue
                *whole, rest = (rest + data).split(b"\n")
                yield from (line + b"\n" for line in whole)

    def end(self) -> int:
        """Kill it where it still runs. 137 is how an engine writes signal 9."""
        with suppress(APIError, Unreachable):  # it has ended, or its engine has
            self.container.kill()
        try:
            code = int(self.container.wait(timeout=20)["StatusCode"])
        except (NotFound, APIError, Unreachable, ReadTimeout):
            return -9
        return 128 - code if code > 128 else code

    def close(self) -> None:
        """Close its input, upon which it ends its trials and itself; the engine then removes it."""
        with suppress(OSError):
            self.link._sock.shutdown(socket.SHUT_WR)
        with suppress(NotFound, APIError, Unreachable):
            try:
                self.container.wait(timeout=5, condition="removed")
            except (Unreachable, ReadTimeout):
                self.container.remove(force=True)

    def make_room(self, memory: int) -> None:
        """Let it take what its trials may, and no more. A limit below what is in use just now is refused: it stays."""
        self.room = memory + OVERHEAD
        with suppress(APIError):
            self.container.update(mem_limit=f"{self.room}m", memswap_limit=f"{self.room}m")

    def why_killed(self, trial: Trial) -> str:
        """The kernel's word comes by way of the engine, a little after the deed."""
        if not self.told_of_memory.wait(1.0):
            return ""
        self.told_of_memory.clear()
        return f"the kernel ended it for memory, in a container of {self.room} MiB for the trials that ran in it"

    def _hear_of_memory(self) -> None:
        with suppress(Exception):  # the engine went away: nobody has anything to say any more
            told = {"container": self.container.id, "event": ["oom", "destroy"]}
            for event in daemon().events(decode=True, filters=told, since=int(time.time())):
                if event["Action"] != "oom":
                    return
                self.told_of_memory.set()


def _not_started(image: str, problem: Exception) -> LabError:
    said = str(getattr(problem, "explanation", None) or problem)
    remedy = f"`docker run --rm {image} true` shows whether any container can be started."
    if "device driver" in said:
        remedy = "Install NVIDIA's driver and container toolkit on this machine, or leave GAPLAB_DEVICE=gpu out."
    return LabError(
        f"No container of {image} could be started: {said}.\nTrials run in it, so none of them ran.\n{remedy}"
    )


def _walls(stack: Stack, cpus: int, writable: Path) -> dict[str, Any]:
    """Labs to read, one folder to write."""
    held = [path for path in _in_memory() if path != str(writable)]
    return {
        **shut(stack.name, stack.device, cpus),
        "tmpfs": dict.fromkeys(held, TMPFS),
        "mounts": [*_mounts(writable)],
        "working_dir": str(places.ROOT),
        "environment": _environment(stack),
    }


def shut(stack: str, device: str, cpus: int) -> dict[str, Any]:
    """No network, no capabilities, a read-only root, limits."""
    return {
        "labels": labels(stack),
        "stdin_open": True,
        "auto_remove": True,
        "network_mode": "none",
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        # whoever typed the command, so that what it writes is theirs
        "user": f"{os.getuid()}:{os.getgid()}",
        "pids_limit": PIDS,
        "mem_limit": f"{OVERHEAD}m",
        "memswap_limit": f"{OVERHEAD}m",
        "nano_cpus": int(cpus * 1e9),
        "shm_size": "256m",
        "device_requests": [DeviceRequest(count=-1, capabilities=[["gpu"]])] if device == "gpu" else [],
    }


def _mounts(writable: Path) -> Iterator[Mount]:
    """Everything at the place it has outside, so that a trial's messages name files that are there."""
    labs, base = places.labs(), places.home() / "base"
    for folder in dict.fromkeys([places.ROOT / "labs", labs]):
        yield Mount(str(folder), str(folder), type="bind", read_only=True)
    writable.mkdir(parents=True, exist_ok=True)
    yield Mount(str(writable), str(writable), type="bind")
    if writable != base and base.is_dir():
        # one by one: a model's lock file stands beside it, and has to be opened for writing
        for made in (path for path in base.iterdir() if path.is_dir()):
            yield Mount(str(made), str(made.resolve()), type="bind", read_only=True)


def _environment(stack: Stack) -> dict[str, str]:
    return {
        "GAPLAB_STACK": stack.name,
        "GAPLAB_HOME": str(places.home()),
        "GAPLAB_TRIALS": str(places.trials()),
        "GAPLAB_LABS": str(places.labs()),
        "PYTHONPATH": str(places.ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "NUMBA_CACHE_DIR": "/tmp/numba",
        "GAPLAB_WALLS": ":".join([*_in_memory(), "/dev", "/proc"]),
    }


def _in_memory() -> tuple[str, ...]:
    """What may be written to and is gone with the container."""
    return ("/tmp", "/home/lab", str(places.home() / "base"))
