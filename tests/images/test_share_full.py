"""Full disks under `gaplab share`: told in three sentences, and nothing half-made stays."""

import io
import tarfile
from pathlib import Path

import pytest

from labs.kit.containers.daemon import daemon
from labs.kit.errors import LabError
from labs.kit.share import making
from tests.images.conftest import docker
from tests.images.engine import small_disk, small_engine
from tests.images.sharing import gaplab, refusal, slim

pytestmark = pytest.mark.container


def test_a_file_that_does_not_fit_is_not_left_half_written(lab_image: str, tmp_path: Path) -> None:
    image = daemon().images.get(slim(lab_image, tmp_path))
    with small_disk(1) as disk:
        with pytest.raises(LabError, match=r"lab\.tar could not be written: .*No space left") as told:
            making.save(image, disk / "lab.tar")
        assert list(disk.iterdir()) == []
    assert len(str(told.value).splitlines()) == 3
    docker("image", "rm", image.id)


def test_an_image_whose_files_find_no_room_is_not_judged(lab_image: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with small_disk(1) as disk:
        monkeypatch.setenv("GAPLAB_HOME", str(disk))
        assert "the disk is full" in refusal(daemon().images.get(lab_image).id).splitlines()[0]
        assert list(disk.iterdir()) == []


def test_an_engine_that_finds_no_room_keeps_nothing(tmp_path: Path, home: Path) -> None:
    """The file is in order, and is not called altered because the disk is full."""
    with tarfile.open(tmp_path / "root.tar", "w") as tar:
        info = tarfile.TarInfo("zeros")
        info.size = 80 * 2**20
        tar.addfile(info, io.BytesIO(bytes(info.size)))
    name = docker("import", str(tmp_path / "root.tar")).stdout.strip()
    making.save(daemon().images.get(name), tmp_path / "lab.tar")
    docker("image", "rm", name)
    with small_engine(64) as host:
        done = gaplab("share", "load", str(tmp_path / "lab.tar"), home=home, DOCKER_HOST=host)
        left = docker("-H", host, "image", "ls", "-aq").stdout
    assert done.returncode == 2, done.stdout + done.stderr
    assert "the disk is full (where the engine keeps its images)" in done.stderr
    assert len(done.stderr.splitlines()) == 3
    assert left == ""
