"""What is said where there is no engine: three sentences, and the way that needs none."""

import hashlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer

import pytest

from labs.kit import places
from labs.kit.containers.daemon import OLDEST, daemon
from labs.kit.engines import docker as containers
from labs.kit.errors import LabError


def _refusal() -> str:
    """What a command with `--engine docker` says."""
    daemon.cache_clear()
    with pytest.raises(LabError) as told:
        containers.engine()
    assert str(told.value).count("\n") == 2
    assert "with `--engine process`" in str(told.value)
    return str(told.value)


class _Old(BaseHTTPRequestHandler):
    """Answers as the engine does that Debian 12 brings."""

    def do_GET(self) -> None:
        said = json.dumps({"Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12"}).encode()
        self.send_response(200)
        self.send_header("Api-Version", "1.41")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *told: object) -> None:
        """Say nothing."""


class _OnSocket(ThreadingMixIn, UnixStreamServer):
    """An HTTP server on a socket file."""

    daemon_threads = True

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        """A caller through a file has no address; the handler wants one."""
        return self.socket.accept()[0], ("engine", 0)


@pytest.fixture
def path(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the engine's socket is to be: a folder that everybody may enter."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        monkeypatch.setenv("DOCKER_HOST", f"unix://{folder}/docker.sock")
        yield Path(folder) / "docker.sock"


@contextmanager
def _as_nobody() -> Iterator[None]:
    """Be somebody whom files of others refuse, which root is not."""
    mine = os.geteuid()
    if mine == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(mine)


def test_an_engine_that_is_not_installed_is_to_be_installed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(path.parent))
    assert "Install it: Docker Engine 25 or newer" in _refusal()


def test_one_that_does_not_run_is_to_be_started(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = path.parent / "dockerd"
    program.touch(0o755)
    monkeypatch.setenv("PATH", str(path.parent))
    said = _refusal()
    assert said.startswith("No Docker engine answers")
    assert "Start it" in said


def test_one_that_is_too_old_is_told_with_both_versions(path: Path) -> None:
    """As Debian 12's own is."""
    with _OnSocket(str(path), _Old) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        said = _refusal()
        server.shutdown()
    assert said.startswith(f"The Docker engine here speaks API 1.41; {OLDEST} is wanted")


def test_a_socket_that_may_not_be_opened_is_told_with_the_group(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as theirs:
        theirs.bind(str(path))
        theirs.listen()
        path.chmod(0o000)
        with _as_nobody():
            said = _refusal()
    assert said.startswith("The Docker engine is there, but its socket may not be opened by this user")
    assert "usermod -aG docker" in said


def test_the_context_in_use_is_heeded(tmp_path: Path) -> None:
    """Docker Desktop and a rootless engine listen elsewhere, and say so by a context."""
    told = {name: value for name, value in os.environ.items() if name not in ("DOCKER_HOST", "DOCKER_CONTEXT")}
    told["DOCKER_CONFIG"] = str(tmp_path)
    folder = tmp_path / "contexts" / "meta" / hashlib.sha256(b"elsewhere").hexdigest()
    folder.mkdir(parents=True)
    endpoint = {"Host": f"unix://{tmp_path}/elsewhere.sock", "SkipTLSVerify": False}
    (folder / "meta.json").write_text(
        json.dumps({"Name": "elsewhere", "Metadata": {}, "Endpoints": {"docker": endpoint}})
    )
    (tmp_path / "config.json").write_text(json.dumps({"currentContext": "elsewhere"}))
    code = "from labs.kit.containers import daemon; print(daemon._environment()['DOCKER_HOST'])"
    asked = subprocess.run(
        [sys.executable, "-c", code], env=told, cwd=places.ROOT, capture_output=True, text=True, check=True
    )
    assert asked.stdout.strip() == endpoint["Host"]


def test_a_socket_that_nobody_listens_on_is_no_engine(path: Path) -> None:
    """As a daemon that was killed leaves it."""
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    assert _refusal().startswith("No Docker engine answers")
