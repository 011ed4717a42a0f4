"""Images that `gaplab share` did not make, or that were altered: refused in three sentences, before any of it runs."""

import hashlib
import json
import tarfile
from pathlib import Path

import pytest

from labs.kit import catalogue
from labs.kit.errors import LabError
from labs.kit.share import making, quarantine, telling
from tests.images.conftest import LAB, docker
from tests.images.registry import registry
from tests.images.sharing import altered, lines_of, manifest_of, new_key, refusal

pytestmark = [pytest.mark.container, pytest.mark.usefixtures("home")]


def _pushed(name: str, folder: Path) -> str:
    """A small image that is no lab, in a registry and gone from here; NAME@sha256:… of it."""
    with tarfile.open(folder / "root.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("empty"))
    docker("import", str(folder / "root.tar"), name)
    docker("push", "-q", name)
    what = docker("image", "inspect", "-f", "{{index .RepoDigests 0}}", name).stdout.strip()
    docker("image", "rm", name)
    return what


def test_another_image_under_the_lab_s_name_is_refused(address: str, tmp_path: Path) -> None:
    """Re-tagged in the registry: pushed where the lab's image was."""
    what = _pushed(f"{address}/me/intervals", tmp_path)
    assert "altered, or not made by `gaplab share`: its labels name no lab" in refusal(what).splitlines()[0]


def test_a_byte_flipped_in_the_registry_is_told(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    with registry(tmp_path / "kept") as address:
        what = _pushed(f"{address}/me/intervals", tmp_path)
        for path in (tmp_path / "kept").glob("docker/registry/v2/blobs/sha256/*/*/data"):
            content = path.read_bytes()
            if content[:2] == b"\x1f\x8b":
                path.write_bytes(content[:40] + bytes([content[40] ^ 1]) + content[41:])
        assert "could not be fetched" in refusal(what)


def test_a_manifest_that_names_other_claims_is_refused(lab_image: str, tmp_path: Path) -> None:
    said = manifest_of(lab_image)
    said["claims"] = {"always_right": "Whatever is measured, it agrees."}
    with altered(lab_image, tmp_path, *lines_of(tmp_path, said)) as what:
        assert "do not say the same of `claims` (always_right" in refusal(what).splitlines()[0]


def test_a_manifest_that_names_other_verdicts_is_refused(lab_image: str, tmp_path: Path) -> None:
    said = manifest_of(lab_image)
    text = json.dumps(said["verdicts"]).replace('"holds"', '"gap"', 1)
    with altered(lab_image, tmp_path, *lines_of(tmp_path, {**said, "verdicts": json.loads(text)})) as what:
        assert "do not say the same of `verdicts`" in refusal(what)


@pytest.mark.parametrize("content", ["[]", "no JSON", "[" * 100_000])
def test_a_manifest_that_is_none_is_refused(lab_image: str, tmp_path: Path, content: str) -> None:
    (tmp_path / "manifest.json").write_text(content)
    label = f"LABEL org.gaplab.manifest-digest={hashlib.sha256(content.encode()).hexdigest()}"
    with altered(lab_image, tmp_path, "COPY manifest.json /opt/gaplab/", label) as what:
        assert "its files cannot be read" in refusal(what)


def test_a_manifest_of_another_format_is_named(lab_image: str, tmp_path: Path) -> None:
    """What a later Gaplab writes is nobody's forgery."""
    with altered(lab_image, tmp_path, *lines_of(tmp_path, {**manifest_of(lab_image), "format": 2})) as what:
        assert "made by another version of Gaplab (manifest format 2, here 1)" in refusal(what)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (f"RUN echo 1 >>/gaplab/labs/{LAB}/practice.py", f"`files` (labs/{LAB}/practice.py)"),
        ("RUN echo 1 >/gaplab/labs/kit/extra.py", "`files` (labs/kit/extra.py)"),
        (f"RUN echo 1 >>/gaplab/labs/{LAB}/lab.toml", "not TOML"),
        (f"RUN rm /gaplab/labs/{LAB}/reference.json", "has no reference.json"),
        (f"RUN ln -sf /etc/passwd /gaplab/labs/{LAB}/notes", "is neither a file nor a folder"),
        ("RUN ln -sf ../../../etc/passwd /gaplab/labs/notes", "is neither a file nor a folder"),
        ("RUN mkfifo /gaplab/labs/pipe", "is neither a file nor a folder"),
        ("RUN head -c 100000000 /dev/zero >/gaplab/zeros", "larger than any lab"),
        ("RUN echo 'numpy==1.0' >>/opt/stack/lock", "name different packages"),
        ("RUN rm -r /opt/stack", "cannot be taken out"),
        ("RUN echo >>/opt/gaplab/manifest.json", "not the one that its label names"),
        ("RUN echo >/opt/gaplab/notes", "'notes' does not belong beside its manifest"),
        ("LABEL org.gaplab.lab=../../etc", "its labels name no lab"),
        ("LABEL org.gaplab.claims='[\"always_right\"]'", "its label org.gaplab.claims and its manifest"),
        ("LABEL org.gaplab.stack-digest=0", "name different packages"),
    ],
)
def test_an_image_that_was_altered_is_refused(lab_image: str, tmp_path: Path, line: str, why: str) -> None:
    with altered(lab_image, tmp_path, line) as what:
        said = refusal(what)
    assert why in said
    assert "altered" in said.splitlines()[0]


def test_a_forged_signature_is_refused(lab_image: str, tmp_path: Path) -> None:
    """Signed once, changed since."""
    key, signers = new_key(tmp_path, "me@example.org")
    said = manifest_of(lab_image)
    lines_of(tmp_path, {**said, "title": "As it was signed"}, key)
    lines = (*lines_of(tmp_path, said), "COPY manifest.json.sig /opt/gaplab/")
    with altered(lab_image, tmp_path, *lines) as what:
        for named in (None, signers):
            assert "altered: its signature does not fit" in refusal(what, named).splitlines()[0]


def test_a_stranger_s_signature_is_refused_where_signers_are_named(lab_image: str, tmp_path: Path) -> None:
    """Without --signers it is told in the first line that nobody vouches for the key."""
    key, _ = new_key(tmp_path, "stranger@example.org")
    _, signers = new_key(tmp_path, "me@example.org")
    with altered(lab_image, tmp_path, *lines_of(tmp_path, manifest_of(lab_image), key)) as what:
        assert f"{signers} names nobody with that key" in refusal(what, signers).splitlines()[0]
        with quarantine.taken_in(what) as guest:
            assert next(telling.head(guest)).startswith("signed by SHA256:")


def test_an_unsigned_image_is_refused_where_signers_are_named(lab_image: str, tmp_path: Path) -> None:
    """Without --signers it is told in the first line."""
    _, signers = new_key(tmp_path, "me@example.org")
    with altered(lab_image, tmp_path, "LABEL again=1") as what:
        assert "unsigned, and --signers asks for a signature" in refusal(what, signers).splitlines()[0]
        with quarantine.taken_in(what) as guest:
            assert next(telling.head(guest)).startswith("unsigned: nothing says who made it; the very image")


def test_a_key_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("no key")
    with pytest.raises(LabError, match="Nothing could be signed"):
        making.build(catalogue.pick([LAB])[0], tmp_path / "key")
