"""Secrets of containers: made where there is none that protects, kept where there is."""

from pathlib import Path

import pytest

from labs.kit.services import secrets


@pytest.fixture
def volumes(tmp_path: Path) -> Path:
    (tmp_path / "database").mkdir()
    (tmp_path / "jupyter").mkdir()
    (tmp_path / "editor").mkdir()
    return tmp_path


def test_secrets_are_made_once(volumes: Path) -> None:
    """Else a second `docker compose up` would lock MLflow out of its database."""
    made = secrets.make(volumes)
    assert secrets.make(volumes) == made
    assert len(set(made.values())) == 3


@pytest.mark.parametrize("name", [secrets.PASSWORD, secrets.TOKEN, secrets.EDITOR])
@pytest.mark.parametrize("left", ["", "\n", "password", "0" * 47])
def test_one_that_does_not_protect_is_replaced(volumes: Path, name: Path, left: str) -> None:
    """A file cut short by a full disk would let everybody in."""
    (volumes / name).write_text(left)
    made = secrets.make(volumes)[name]
    assert len(made) == 48
    assert (volumes / name).read_text() == made
