"""A home and a server of its own for each test, since they are broken."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs.kit import places
from labs.kit.stack import Stack, build
from tests.faults import light
from tests.faults.server import Server

collect_ignore = [] if os.environ.get("GAPLAB_GRPO_FAULTS") else ["test_grpo.py"]


@pytest.fixture(scope="session")
def made() -> Path:
    """Where the stacks and the base model of this checkout stand, with the stack of the light lab built."""
    build(Stack("tabular"))
    return places.home()


@pytest.fixture
def broken(tmp_path: Path, made: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The light lab, the stacks, and a server that the test may kill."""
    home = tmp_path / "home"
    home.mkdir()
    for name in ("stacks", "base"):
        if (made / name).is_dir():
            (home / name).symlink_to(made / name)
    light.write(tmp_path / "labs")
    server = Server(home)
    environment = {"GAPLAB_HOME": home, "GAPLAB_LABS": tmp_path / "labs", "GAPLAB_TRACKING_URI": server.uri}
    for name, value in environment.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.delenv("GAPLAB_TRIALS", raising=False)
    yield server.start()
    server.kill()
