"""Building, and what is said where the disk is full."""

import pytest

from labs.kit.containers import images
from labs.kit.containers.daemon import daemon
from labs.kit.errors import LabError
from labs.kit.stack import Stack
from tests.faults.engine import engine

pytestmark = pytest.mark.container


def test_a_full_disk_is_told_with_what_makes_room(base_image: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine's disk, not this command's."""
    with engine("400m") as own:
        own.take(base_image)
        own.fill()
        monkeypatch.setenv("DOCKER_HOST", own.host)
        daemon.cache_clear()
        try:
            with pytest.raises(LabError) as told:
                images.build([Stack("tabular")])
        finally:
            daemon.cache_clear()
    assert "no space left on device" in str(told.value)
    assert "docker builder prune" in str(told.value)
    assert str(told.value).count("\n") == 2
