"""What is said where there is no engine: three sentences, and the way that needs none."""

import hashlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from labs.kit import places
from labs.kit.containers.daemon import daemon
from labs.kit.errors import LabError


def _refusal() -> str:
    with pytest.raises(LabError) as told:
        daemon.__wrapped__()
    return str(told.value)


def test_no_engine_is_said_with_the_way_that_needs_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    said = _refusal()
    assert said.startswith("No Docker engine answers")
    assert "without `--engine docker`" in said
    assert said.count("\n") == 2


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


def test_a_socket_that_nobody_listens_on_is_no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a daemon that was killed leaves it."""
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "docker.sock"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    assert _refusal().startswith("No Docker engine answers")
