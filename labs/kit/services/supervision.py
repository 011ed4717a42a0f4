"""supervisord, the process manager: started once, asked over a socket, recognised by a lock that the kernel holds.

Its standard input is a locked file, so the lock lives exactly as long as it does: neither a stale pid file nor a pid
that was given to somebody else can be mistaken for it. Services end with it, however it ends (see launch.py).
"""

import fcntl
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from labs.kit import places
from labs.kit.errors import LabError
from labs.kit.services import folder
from labs.kit.services.known import SERVICES

CONFIGURATION = Path(__file__).with_name("supervisord.conf")
PATIENCE = 20.0
"""Seconds for supervisord to start, or to stop everything."""

ANSWER = 5.0
"""Seconds for one answer."""

_SILENT = (OSError, http.client.HTTPException, xmlrpc.client.Fault)
"""It is not there, hangs, or is on its way out: then it refuses every question."""


_LOCK = "supervisord.lock"


class _Connection(http.client.HTTPConnection):
    """HTTP over supervisord's socket, reached through an open folder: a path of any length will do."""

    def connect(self) -> None:
        at = os.open(folder.folder(), os.O_PATH)
        try:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(ANSWER)
            self.sock.connect(f"/proc/self/fd/{at}/supervisor.sock")
        finally:
            os.close(at)


class _Transport(xmlrpc.client.Transport):
    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        return _Connection("localhost")


def ask(what: str, *told: object) -> Any:
    """One question to supervisord. Raises OSError where it does not answer, xmlrpc.client.Fault where it refuses."""
    with xmlrpc.client.ServerProxy("http://localhost/RPC2", transport=_Transport()) as proxy:
        return getattr(proxy.supervisor, what)(*told)


def is_running() -> bool:
    """Whether a supervisord of ours lives."""
    if not (folder.folder() / _LOCK).exists():
        return False
    lock = _take_lock()
    if lock is None:
        return True
    os.close(lock)
    return False


def states() -> dict[str, dict[str, Any]]:
    """What supervisord says of each service: statename, pid, start; nothing where it does not run, or is ending."""
    try:
        return {told["name"]: told for told in ask("getAllProcessInfo")} if is_running() else {}
    except _SILENT:
        return {}


def answers() -> bool:
    """Whether supervisord can be talked to."""
    try:
        return bool(ask("getState")["statename"] == "RUNNING")
    except _SILENT:
        return False


def ensure() -> None:
    """Start supervisord unless it runs. It outlives this command and hears no Ctrl-C meant for it."""
    folder.make()
    if _wait(_spawn_if_alone) and _wait(answers):
        return
    said = folder.tail(folder.log_of("supervisord"))
    raise LabError(
        f"The process manager does not answer within {PATIENCE:.0f} s:\n{said}\n"
        "It starts the services again when they crash, so none was started without it.\n"
        "Type `make down`, then `make up`."
    )


def shut_down() -> bool:
    """End supervisord and every service with it; False where none ran. Touches nothing that it did not start."""
    if not is_running():
        return False
    with suppress(*_SILENT):
        ask("shutdown")
        _wait(lambda: not is_running())
    if is_running():
        _end()
    return True


def _spawn_if_alone() -> bool:
    """Start supervisord unless one answers; False while somebody who only looks has the lock for an instant."""
    lock = _take_lock()
    if lock is None:
        return answers()
    try:
        _spawn(lock)
    finally:
        os.close(lock)
    return True


def _spawn(lock: int) -> None:
    with (folder.folder() / "supervisord.stderr").open("w") as said:
        subprocess.Popen(
            [sys.executable, "-m", "supervisor.supervisord", "--configuration", str(CONFIGURATION)],
            cwd=folder.folder(),
            env=_environment(),
            stdin=lock,
            stdout=subprocess.DEVNULL,
            stderr=said,
            start_new_session=True,
        )


def _environment() -> dict[str, str]:
    """What services are started with: places made absolute, and no ports, since those may change meanwhile."""
    ports = {service.variable for service in SERVICES.values()}
    kept = {name: value for name, value in os.environ.items() if name not in ports}
    told = {"GAPLAB_HOME": places.home(), "GAPLAB_LABS": places.labs(), "GAPLAB_ROOT": places.ROOT}
    return {**kept, **{name: str(path) for name, path in told.items()}, "GAPLAB_PYTHON": sys.executable}


def _end() -> None:
    """Kill a supervisord that hangs. The lock is held, so its holder lives and the pid it wrote is its own."""
    os.kill(int((folder.folder() / "supervisord.pid").read_text()), signal.SIGKILL)
    _wait(lambda: not is_running())


def _take_lock() -> int | None:
    """The lock of supervisord's life; None where one holds it."""
    if not folder.folder().is_dir():
        folder.make()
    lock = os.open(folder.folder() / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def _wait(until: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if until():
            return True
        time.sleep(0.05)
    return until()
