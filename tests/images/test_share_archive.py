"""Archives that `gaplab share` did not write: refused in three sentences, before the engine sees them."""

import gzip
import json
import re
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from labs.kit.containers.daemon import daemon
from labs.kit.share import making
from tests.images.conftest import docker
from tests.images.sharing import Member, blob, member, refusal, repacked

pytestmark = [pytest.mark.container, pytest.mark.usefixtures("home")]

HUGE = 10 * 2**30
ZEROS = gzip.compress(bytes(2**20)) * (HUGE // 2**20)
"""Ten gigabytes of them, in ten megabytes."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small image, saved as `gaplab share save` does it."""
    folder = tmp_path_factory.mktemp("archive")
    with tarfile.open(folder / "root.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("empty"))
    name = docker("import", str(folder / "root.tar")).stdout.strip()
    making.save(daemon().images.get(name), folder / "image.tar")
    docker("image", "rm", name)
    return folder / "image.tar"


def _as_it_is(one: Member) -> Member:
    return one


def _header(name: str, kind: bytes = tarfile.REGTYPE, size: int = HUGE, pax: dict[str, str] | None = None) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.pax_headers = size, kind, pax or {}
    return info.tobuf(tarfile.PAX_FORMAT if pax else tarfile.GNU_FORMAT)


def test_an_image_that_is_no_lab_is_refused(archive: Path) -> None:
    assert "its labels name no lab" in refusal(str(archive))


def test_a_compressed_archive_is_read_as_well(archive: Path, tmp_path: Path) -> None:
    packed = tmp_path / "image.tar.gz"
    packed.write_bytes(gzip.compress(archive.read_bytes()))
    assert "its labels name no lab" in refusal(str(packed))


@pytest.mark.parametrize("name", ["blobs/sha256/", "index.json", "manifest.json"])
def test_a_flipped_byte_is_refused(archive: Path, tmp_path: Path, name: str) -> None:
    """The engine alone would skip a bad layer that it has already, and say `Loaded`."""

    def flip(one: Member) -> Member:
        info, content = one
        if info.isreg() and info.name.startswith(name):
            content = bytes([content[0] ^ 1]) + content[1:]
        return info, content

    said = refusal(str(repacked(archive, tmp_path / "flipped.tar", flip)))
    assert "altered" in said.splitlines()[0]
    assert "is not what its name says" in said or "cannot be read" in said


def test_a_byte_flipped_in_the_middle_of_a_layer_is_refused(archive: Path, tmp_path: Path) -> None:
    def flip(one: Member) -> Member:
        info, content = one
        if info.isreg() and content[:5] == b"empty":
            content = content[:200] + b"\1" + content[201:]
        return info, content

    said = refusal(str(repacked(archive, tmp_path / "flipped.tar", flip)))
    assert "is not what its name says" in said or "cannot be read" in said


def test_a_flipped_byte_in_a_compressed_archive_is_refused(archive: Path, tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(archive.read_bytes()))
    packed[len(packed) // 2] ^= 1
    path = tmp_path / "flipped.tar.gz"
    path.write_bytes(packed)
    assert str(path) in refusal(str(path))


def test_two_lists_that_name_different_images_are_refused(archive: Path, tmp_path: Path) -> None:
    """An engine with containerd's store goes by index.json, any other by manifest.json: both would be right."""

    def other(one: Member) -> Member:
        info, content = one
        if info.name == "index.json":
            content = re.sub(rb"[0-9a-f]{64}", b"0" * 64, content)
        return info, content

    said = refusal(str(repacked(archive, tmp_path / "two.tar", other)))
    assert "do not name the same image" in said


def test_another_image_than_the_digest_says_is_refused(archive: Path) -> None:
    assert "it holds image sha256:" in refusal(f"{archive}@sha256:{'0' * 64}")


@pytest.mark.parametrize(
    ("added", "why"),
    [
        (member("../escaped", content=b"x"), "outside the destination"),
        (member("/etc/escaped", content=b"x"), "does not belong|outside"),
        (member("link", tarfile.SYMTYPE, link="/etc/passwd"), "link to an absolute path"),
        (member("blobs/link", tarfile.SYMTYPE, link="../../../x"), "outside the destination"),
        (member("blobs/link", tarfile.SYMTYPE, link="sha256"), "does not belong into an image"),
        (member("blobs/sha256/" + "0" * 64, tarfile.LNKTYPE, link="index.json"), "does not belong into an image"),
        (member("disk", tarfile.BLKTYPE), "special file"),
        (member("pipe", tarfile.FIFOTYPE), "special file"),
        (member("notes.txt", content=b"x"), "does not belong into an image"),
        (member("\x1b[2Knotes", content=b"x"), "does not belong into an image"),
        (member("index.json", content=b"[" * 100_000), "cannot be read as an archive"),
        (blob(b"{ but no JSON"), "cannot be read as an archive"),
        (blob(b"neither JSON nor a layer" * 100), "cannot be read as an archive"),
    ],
    ids=lambda told: told[0].name if isinstance(told, tuple) else None,
)
def test_what_does_not_belong_into_an_archive_is_refused(
    archive: Path, tmp_path: Path, added: Member, why: str
) -> None:
    said = refusal(str(repacked(archive, tmp_path / "added.tar", _as_it_is, added)))
    assert any(part in said for part in why.split("|"))


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_ten_gigabytes_of_zeros_are_refused_by_their_header(tmp_path: Path, kind: bytes) -> None:
    """Nothing of them is unpacked, in memory either."""
    path = tmp_path / "zeros.tar.gz"
    path.write_bytes(gzip.compress(_header("blobs/sha256/" + "0" * 64, kind)) + ZEROS)
    said = refusal(str(path))
    assert "larger than any image" in said or f"announces {HUGE} bytes" in said


@pytest.mark.parametrize(
    "layer",
    [
        gzip.compress(_header("zeros")) + ZEROS,
        gzip.compress(_header("zeros", tarfile.XHDTYPE)) + ZEROS,
        _header("hole", size=0, pax={"GNU.sparse.size": str(HUGE), "GNU.sparse.map": f"{HUGE},0"}) + bytes(1024),
    ],
    ids=["zeros", "name", "hole"],
)
def test_ten_gigabytes_of_zeros_in_a_layer_are_refused(archive: Path, tmp_path: Path, layer: bytes) -> None:
    """The archive is small and each digest right; it is the engine that would write them all to the disk."""
    said = refusal(str(repacked(archive, tmp_path / "layer.tar", _as_it_is, blob(layer))))
    assert "larger than any image" in said or f"announces {HUGE} bytes" in said


def test_ten_gigabytes_of_zeros_after_an_archive_are_refused(archive: Path, tmp_path: Path) -> None:
    path = tmp_path / "after.tar.gz"
    path.write_bytes(gzip.compress(archive.read_bytes()) + ZEROS)
    assert "more follows on its end" in refusal(str(path))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda told: told.update(RepoTags=["gaplab-tabular:cpu"]), "without a name"),
        (lambda told: told.update(repotags=["gaplab-tabular:cpu"]), "without a name"),
        (lambda told: told.update(Layers=[*told["Layers"], "blobs/sha256/" + "0" * 64]), "a part of its image"),
        (lambda told: told.update(Config="../config.json"), "a part of its image"),
        (lambda told: told.update(Layers=5), "cannot be read as an archive"),
    ],
    ids=["named", "named by another spelling", "less", "elsewhere", "a number"],
)
def test_an_archive_whose_list_says_something_else_is_refused(
    archive: Path, tmp_path: Path, change: Callable[[dict[str, object]], None], why: str
) -> None:
    """An image with a name would, once loaded, take the place of the reader's own of that name."""

    def changed(one: Member) -> Member:
        info, content = one
        if info.name == "manifest.json":
            change((told := json.loads(content))[0])
            content = json.dumps(told).encode()
            info.size = len(content)
        return info, content

    assert why in refusal(str(repacked(archive, tmp_path / "listed.tar", changed)))


def test_an_archive_that_is_cut_short_is_refused(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.tar").write_bytes(archive.read_bytes()[:3000])
    assert "cut.tar" in refusal(str(tmp_path / "cut.tar"))
