"""A home of its own for each test module, on free ports, and programs that are not ours."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from labs.kit import services
from labs.kit.services.known import SERVICES


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home; whatever a test starts in it is stopped."""
    move_in(tmp_path, monkeypatch)
    yield tmp_path
    services.stop()


def move_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let services live in a folder and listen on free ports."""
    monkeypatch.setenv("GAPLAB_HOME", str(folder))
    monkeypatch.delenv("GAPLAB_TRACKING_URI", raising=False)
    for service, port in zip(SERVICES.values(), free_ports(len(SERVICES)), strict=True):
        monkeypatch.setenv(service.variable, str(port))


@pytest.fixture
def foreign(tmp_path: Path) -> Iterator[Callable[[int], subprocess.Popen[bytes]]]:
    """Start somebody else's server on a port."""
    started: list[subprocess.Popen[bytes]] = []

    def serve(port: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(tmp_path)]
        started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        wait_for(lambda: listens(port))
        return started[-1]

    yield serve
    for process in started:
        process.kill()
        process.wait()


def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(until: Callable[[], object], seconds: float = 60.0) -> None:
    """Return once it is true; fail after a while."""
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
