"""Building: the same bytes again, and what is said where the disk is full."""

import time

import pytest

from labs.kit.containers import images
from labs.kit.containers.daemon import daemon
from labs.kit.errors import LabError
from labs.kit.stack import Stack
from tests.faults.engine import engine
from tests.images.conftest import name_of
from tests.images.tool import docker

pytestmark = pytest.mark.container

_LOOK = r"""
find / -xdev -printf '%p %y %m %U %G %l\n' | sort
find / -xdev -type f -print0 | sort -z | xargs -0 sha256sum
"""
_MADE_BY_DOCKER = {"/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/.dockerenv"}


def _contents(image: str) -> list[str]:
    """Every file with its kind, mode, owner and hash."""
    shut = ("--rm", "--network", "none", "--user", "0", "--entrypoint", "sh")
    said = docker("run", *shut, image, "-c", _LOOK).stdout.splitlines()
    return [line for line in said if not _MADE_BY_DOCKER & set(line.split())]


def test_two_builds_give_the_same_files() -> None:
    """Bytes, owners and modes of every stage that holds Python packages: the tabular stack from its locks, anew.

    Its locks name no wheel of torch's, so where that would be looked for changes nothing but the builder's cache.
    """
    tabular, again = Stack("tabular"), "gaplab-test-again:cpu"
    images.build([tabular])
    first = docker("image", "inspect", "-f", "{{.Id}}", name_of("tabular")).stdout.strip()
    images.build([tabular], changed=[f"tabular.args.FIND_LINKS={time.time_ns()}", f"tabular.tags={again}"])
    try:
        look = ("image", "inspect", "-f", "{{.RootFS.Layers}}")
        assert docker(*look, again).stdout != docker(*look, first).stdout, "it was built anew"
        found = _contents(first)
        assert sorted(set(found) ^ set(_contents(again))) == []
        assert len(found) > 20_000
    finally:
        docker("image", "rm", again)


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
