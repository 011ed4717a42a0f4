"""Full disks under `gaplab share`: told in three sentences, and nothing half-made stays."""

import io
import tarfile
from pathlib import Path

import pytest

from labs.kit.containers.daemon import daemon
from labs.kit.share import making
from tests.faults.disk import nearly_full
from tests.images.conftest import LAB, docker
from tests.images.engine import small_engine
from tests.images.sharing import gaplab

pytestmark = pytest.mark.container


def test_a_file_that_does_not_fit_is_not_left_half_written(lab_image: str, tmp_path: Path, home: Path) -> None:
    with nearly_full(tmp_path / "disk") as disk:
        before = sorted(disk.folder.iterdir())
        done = gaplab("share", "save", LAB, str(disk.folder / "lab.tar"), home=home, limit=disk.limit)
        assert sorted(disk.folder.iterdir()) == before
    assert done.returncode == 2
    assert f"{disk.folder / 'lab.tar'} could not be written" in done.stderr
    assert len(done.stderr.splitlines()) == 3


def test_an_image_whose_files_find_no_room_is_not_judged(lab_image: str, tmp_path: Path) -> None:
    with nearly_full(tmp_path / "disk") as disk:
        before = sorted(disk.folder.iterdir())
        done = gaplab("share", "show", daemon().images.get(lab_image).id, home=disk.folder, limit=disk.limit)
        assert sorted(disk.folder.iterdir()) == before
    assert done.returncode == 2
    assert "the disk is full" in done.stderr
    assert len(done.stderr.splitlines()) == 3


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
