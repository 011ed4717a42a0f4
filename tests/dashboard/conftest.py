"""Two labs in a home of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard import data
from labs.kit.words import Lab
from tests.dashboard import world


@pytest.fixture
def labs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path) -> Iterator[list[Lab]]:
    """Two made-up labs, in a home without trials; what watches them ends with the test."""
    monkeypatch.setenv("GAPLAB_LABS", str(tmp_path / "labs"))
    monkeypatch.delenv("GAPLAB_TRACKING_URI", raising=False)
    yield world.two_labs(tmp_path / "labs")
    data.watcher().stop()
