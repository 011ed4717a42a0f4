"""A home of the test's own, with the stacks of the checkout."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from labs.kit import places
from labs.kit.stack import Stack, build


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """GAPLAB_HOME and GAPLAB_LABS stand in a temporary folder; the labs are at home/labs."""
    build(Stack("tabular"))
    stacks = places.home() / "stacks"
    folder = tmp_path_factory.mktemp("home")
    (folder / "stacks").symlink_to(stacks)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GAPLAB_HOME", str(folder))
        patch.setenv("GAPLAB_LABS", str(folder / "labs"))
        yield folder


@pytest.fixture
def labs(home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for the labs and one for the trials of one test."""
    folder = home / str(request.node.name)
    monkeypatch.setenv("GAPLAB_LABS", str(folder / "labs"))
    monkeypatch.setenv("GAPLAB_TRIALS", str(folder / "trials"))
    return folder / "labs"
