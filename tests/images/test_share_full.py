"""Full disks under `gaplab share`: told in three sentences, and nothing half-made stays."""

import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs.kit.containers.daemon import daemon
from labs.kit.errors import LabError
from labs.kit.share import making
from tests.faults.engine import Engine, engine, small_disk
from tests.images.conftest import docker
from tests.images.registry import registry
from tests.images.sharing import gaplab, refusal, slim

pytestmark = pytest.mark.container
ROOM = "64m"
MUCH = 80 * 2**20


@pytest.fixture(scope="module")
def narrow() -> Iterator[Engine]:
    """An engine with little room."""
    with engine(ROOM) as made:
        yield made


def test_a_file_that_does_not_fit_is_not_left_half_written(lab_image: str, tmp_path: Path) -> None:
    image = daemon().images.get(slim(lab_image, tmp_path))
    with small_disk(tmp_path / "disk", "1m") as disk:
        with pytest.raises(LabError, match=r"lab\.tar could not be written: .*No space left") as told:
            making.save(image, disk / "lab.tar")
        assert list(disk.iterdir()) == []
    assert len(str(told.value).splitlines()) == 3
    docker("image", "rm", image.id)


def test_an_image_whose_files_find_no_room_is_not_judged(
    lab_image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path / "disk", "1m") as disk:
        monkeypatch.setenv("GAPLAB_HOME", str(disk))
        assert "the disk is full" in refusal(daemon().images.get(lab_image).id).splitlines()[0]
        assert list(disk.iterdir()) == []


def test_a_file_that_finds_no_room_in_the_engine_leaves_nothing(narrow: Engine, tmp_path: Path, home: Path) -> None:
    """The file is in order, and is not called altered because the disk is full."""
    with tarfile.open(tmp_path / "root.tar", "w") as tar:
        info = tarfile.TarInfo("zeros")
        info.size = MUCH
        tar.addfile(info, io.BytesIO(bytes(info.size)))
    name = docker("import", str(tmp_path / "root.tar")).stdout.strip()
    making.save(daemon().images.get(name), tmp_path / "lab.tar")
    docker("image", "rm", name)
    _refuse_for_room(narrow, home, "load", str(tmp_path / "lab.tar"))


@pytest.mark.parametrize("what", ["download", "files"])
def test_a_pull_that_finds_no_room_leaves_nothing(
    narrow: Engine, lab_image: str, tmp_path: Path, home: Path, what: str
) -> None:
    """Whether what comes fills the disk, or what it unpacks to; where there is room, the same command fetches it."""
    (tmp_path / "ballast").write_bytes(os.urandom(MUCH) if what == "download" else bytes(MUCH))
    image = daemon().images.get(slim(lab_image, tmp_path, "COPY ballast /"))
    (tmp_path / "kept").mkdir()
    with registry(tmp_path / "kept") as address:
        digest = making.push(image, f"{address}/me/slim").partition("@")[2]
    docker("image", "rm", "-f", image.id)
    with registry(tmp_path / "kept", narrow.beside) as address:
        _refuse_for_room(narrow, home, "pull", f"{address}/me/slim@{digest}")
        narrow.grow("400m")
        done = gaplab("share", "pull", f"{address}/me/slim@{digest}", home=home, DOCKER_HOST=narrow.host)
    assert (done.returncode, done.stdout.partition("\n")[0]) == (0, image.id), done.stderr
    docker("-H", narrow.host, "image", "rm", "-f", image.id)
    narrow.grow(ROOM)


def _refuse_for_room(narrow: Engine, home: Path, verb: str, what: str) -> None:
    """In three sentences; no image stays, nor half of one."""
    before = narrow.room()
    done = gaplab("share", verb, what, home=home, DOCKER_HOST=narrow.host)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "the disk is full (where the engine keeps its images)" in done.stderr
    assert len(done.stderr.splitlines()) == 3
    assert docker("-H", narrow.host, "image", "ls", "-aq").stdout == ""
    assert before - narrow.room() < 2**20
