"""compose.watch.yaml: what is edited here is copied into services of an engine that cannot see this checkout."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs.kit import places
from tests.faults.server import free_port
from tests.images.tool import docker

pytestmark = pytest.mark.container
PROJECT = f"gaplab-watch-{os.getpid()}"


@pytest.fixture
def checkout(built: None, tmp_path: Path) -> Iterator[Path]:
    """A copy of the labs to edit, a notebook server that does not see it, and compose watching."""
    shutil.copytree(places.labs() / "foundations/bandits", tmp_path / "labs/foundations/bandits")
    files = [word for name in ("compose.yaml", "compose.watch.yaml") for word in ("-f", str(places.ROOT / name))]
    words = ["compose", "-p", PROJECT, *files, "--project-directory", str(tmp_path), "--profile", "tabular"]
    told = {"GAPLAB_TABULAR_PORT": str(free_port())}
    try:
        docker(*words, "up", "-d", "--no-build", "--no-deps", "secrets", "tabular", check=True, **told)
        with subprocess.Popen(
            ["docker", *words, "watch", "--no-up", "tabular"], env={**os.environ, **told}, stdout=subprocess.PIPE
        ) as watching:
            assert "Watch enabled" in _first_line(watching)
            yield tmp_path / "labs"
            watching.terminate()
    finally:
        docker(*words, "down", "-v", check=False, **told)


def test_what_is_edited_made_and_removed_is_so_in_the_service(checkout: Path) -> None:
    (checkout / "foundations/bandits/README.md").write_text("edited")
    (checkout / "foundations/bandits/new.py").write_text("made")
    _wait("cat labs/foundations/bandits/README.md labs/foundations/bandits/new.py", "editedmade")
    (checkout / "foundations/bandits/new.py").unlink()
    _wait("ls labs/foundations/bandits/new.py || echo gone", "gone\n")


def _first_line(watching: "subprocess.Popen[bytes]") -> str:
    assert watching.stdout
    return watching.stdout.readline().decode()


def _wait(command: str, wanted: str) -> None:
    until = time.monotonic() + 30
    while (said := docker("exec", f"{PROJECT}-tabular-1", "sh", "-c", command, check=False).stdout) != wanted:
        assert time.monotonic() < until, said
        time.sleep(0.5)
