"""What `gaplab share verify` does not take in: each refused in three sentences before anything of it is started."""

import gzip
import json
import tarfile
from pathlib import Path

import pytest

from labs.kit import catalogue
from labs.kit.containers.daemon import daemon
from labs.kit.errors import LabError
from labs.kit.share import making, quarantine, signature, telling
from tests.images.conftest import LAB, docker
from tests.images.sharing import Member, lines_of, manifest_of, member, new_key, pushed_from, refusal, repacked

pytestmark = [pytest.mark.container, pytest.mark.usefixtures("home")]

HUGE = 10 * 2**30


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


@pytest.fixture
def name(address: str) -> str:
    """Where the altered images are pushed to."""
    return f"{address}/you/intervals"


def _as_it_is(one: Member) -> Member:
    return one


def test_an_image_that_is_no_lab_is_refused(archive: Path) -> None:
    assert "its labels name no lab" in refusal(str(archive))


@pytest.mark.parametrize("name", ["blobs/sha256/", "index.json", "manifest.json"])
def test_a_flipped_byte_is_refused(archive: Path, tmp_path: Path, name: str) -> None:
    """The engine alone would skip a bad layer that it has already, and say `Loaded`."""

    def flip(one: Member) -> Member:
        info, content = one
        if info.isreg() and info.name.startswith(name):
            content = bytes([content[0] ^ 1]) + content[1:]
        return info, content

    said = refusal(str(repacked(archive, tmp_path / "flipped.tar", flip)))
    assert "is not what its name says" in said or "cannot be read" in said


def test_a_flipped_byte_in_a_compressed_archive_is_refused(archive: Path, tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(archive.read_bytes()))
    packed[len(packed) // 2] ^= 1
    path = tmp_path / "flipped.tar.gz"
    path.write_bytes(packed)
    assert str(path) in refusal(str(path))


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
        (member("disk", tarfile.BLKTYPE), "special file"),
        (member("pipe", tarfile.FIFOTYPE), "special file"),
        (member("notes.txt", content=b"x"), "does not belong into an image"),
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
    """Compressed they are ten megabytes. Nothing of them is unpacked, in memory either."""
    info = tarfile.TarInfo("blobs/sha256/" + "0" * 64)
    info.size, info.type = HUGE, kind
    path = tmp_path / "zeros.tar.gz"
    path.write_bytes(gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + bytes(2**20)))
    said = refusal(str(path))
    assert "larger than any image" in said or f"announces {HUGE} bytes" in said


def test_an_archive_that_names_its_image_is_refused(archive: Path, tmp_path: Path) -> None:
    """Loaded, it would take the place of the reader's own image of that name."""

    def named(one: Member) -> Member:
        info, content = one
        if info.name == "manifest.json":
            content = content.replace(b'"RepoTags":null', b'"RepoTags":["gaplab-tabular:cpu"]')
            info.size = len(content)
        return info, content

    assert "without a name" in refusal(str(repacked(archive, tmp_path / "named.tar", named)))


def test_an_archive_with_a_part_missing_is_refused(archive: Path, tmp_path: Path) -> None:
    def without_blobs(one: Member) -> Member | None:
        return None if one[0].name.startswith("blobs/sha256/") else one

    assert "a part of its image is missing" in refusal(str(repacked(archive, tmp_path / "less.tar", without_blobs)))


def test_another_image_under_the_lab_s_name_is_refused(lab_image: str, name: str) -> None:
    docker("tag", "gaplab-tabular:cpu", name)
    docker("push", "-q", name)
    told = docker("image", "inspect", "-f", "{{json .RepoDigests}}", name).stdout
    docker("image", "rm", name)
    what = next(one for one in json.loads(told) if one.startswith(name))
    assert "its labels name no lab" in refusal(what)
    docker("image", "rm", what)


def test_a_manifest_that_names_other_claims_is_refused(lab_image: str, name: str, tmp_path: Path) -> None:
    said = manifest_of(lab_image)
    said["claims"] = {"always_right": "Whatever is measured, it agrees."}
    what = pushed_from(lab_image, name, tmp_path, *lines_of(tmp_path, said))
    assert "do not say the same of `claims` (always_right" in refusal(what)


def test_a_manifest_that_names_other_verdicts_is_refused(lab_image: str, name: str, tmp_path: Path) -> None:
    said = manifest_of(lab_image)
    text = json.dumps(said["verdicts"]).replace('"holds"', '"gap"', 1)
    what = pushed_from(lab_image, name, tmp_path, *lines_of(tmp_path, {**said, "verdicts": json.loads(text)}))
    assert "do not say the same of `verdicts`" in refusal(what)


def test_a_manifest_that_its_label_does_not_name_is_refused(lab_image: str, name: str, tmp_path: Path) -> None:
    copy, _ = lines_of(tmp_path, {**manifest_of(lab_image), "title": "Another"})
    assert "not the one that its label names" in refusal(pushed_from(lab_image, name, tmp_path, copy))


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (f"RUN echo 1 >>/gaplab/labs/{LAB}/practice.py", f"`files` (labs/{LAB}/practice.py)"),
        ("RUN echo 1 >/gaplab/labs/kit/extra.py", "`files` (labs/kit/extra.py)"),
        (f"RUN ln -sf /etc/passwd /gaplab/labs/{LAB}/notes", "link to an absolute path"),
        ("RUN ln -sf ../../../etc/passwd /gaplab/labs/notes", "outside the destination"),
        ("RUN mkfifo /gaplab/labs/pipe", "special file"),
        ("RUN head -c 100000000 /dev/zero >/gaplab/zeros", "larger than any lab"),
        ("RUN echo 'numpy==1.0' >>/opt/stack/lock", "name different packages"),
        ("LABEL org.gaplab.lab=../../etc", "its labels name no lab"),
    ],
)
def test_an_image_that_was_altered_is_refused(lab_image: str, name: str, tmp_path: Path, line: str, why: str) -> None:
    assert why in refusal(pushed_from(lab_image, name, tmp_path, line))


def test_a_forged_signature_is_refused(lab_image: str, name: str, tmp_path: Path) -> None:
    """Signed once, changed since."""
    key, signers = new_key(tmp_path, "me@example.org")
    said = manifest_of(lab_image)
    lines_of(tmp_path, {**said, "title": "As it was signed"}, key)
    lines = (*lines_of(tmp_path, said), f"COPY {signature.NAME} /opt/gaplab/")
    what = pushed_from(lab_image, name, tmp_path, *lines)
    assert "incorrect signature" in refusal(what)
    assert "incorrect signature" in refusal(what, signers)


def test_a_stranger_s_signature_is_refused_where_signers_are_named(lab_image: str, name: str, tmp_path: Path) -> None:
    """And no signature as well. Without --signers both are told in the first line."""
    key, _ = new_key(tmp_path, "stranger@example.org")
    (other := tmp_path / "other").mkdir()
    _, signers = new_key(other, "me@example.org")
    what = pushed_from(lab_image, name, tmp_path, *lines_of(tmp_path, manifest_of(lab_image), key))
    assert f"{signers} names nobody with that key" in refusal(what, signers)
    with quarantine.taken_in(what) as guest:
        assert next(telling.head(guest)).startswith("signed by SHA256:")
    unsigned = pushed_from(lab_image, name, other, "LABEL again=1")
    assert "it has none, and --signers asks for one" in refusal(unsigned, signers)
    with quarantine.taken_in(unsigned) as guest:
        assert next(telling.head(guest)).startswith("unsigned: nothing says who made it; the very image")


def test_a_key_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("no key")
    with pytest.raises(LabError, match="could not be signed"):
        making.build(catalogue.pick([LAB])[0], tmp_path / "key")
