"""A lab's image, or an archive of one, with something about it changed."""

import hashlib
import io
import json
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from labs.kit.errors import LabError
from labs.kit.share import making, manifest, quarantine, signature
from tests.images.conftest import docker

Member = tuple[tarfile.TarInfo, bytes]


def pushed_from(image: str, name: str, folder: Path, *lines: str) -> str:
    """An image made from another without the kit's help, with the folder's files at hand; NAME@sha256:… of it."""
    (folder / "Dockerfile").write_text("\n".join([f"FROM {image}", "USER 0", *lines, "USER 1000"]))
    docker("build", "-q", "-t", name, str(folder))
    docker("push", "-q", name)
    told = docker("image", "inspect", "-f", "{{index .RepoDigests 0}}", name).stdout.strip()
    docker("image", "rm", name)
    return told


def repacked(old: Path, new: Path, change: Callable[[Member], Member | None], *added: Member) -> Path:
    """The archive with each member changed, or left out, and others added at the end."""
    with tarfile.open(old) as source, tarfile.open(new, "w") as target:
        for info in source:
            file = source.extractfile(info)
            if kept := change((info, file.read() if file else b"")):
                _put(target, kept)
        for member in added:
            _put(target, member)
    return new


def _put(target: tarfile.TarFile, member: Member) -> None:
    info, content = member
    target.addfile(info, io.BytesIO(content) if info.isreg() else None)


def member(name: str, kind: bytes = tarfile.REGTYPE, content: bytes = b"", link: str = "") -> Member:
    """One entry of an archive."""
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, len(content), link
    return info, content


def manifest_of(image: str) -> dict[str, Any]:
    """What an image says of itself; to say it is all that it does when it is started without a command."""
    told: dict[str, Any] = json.loads(docker("run", "--rm", "--network", "none", image).stdout)
    return told


def lines_of(folder: Path, said: dict[str, Any], key: Path | None = None) -> list[str]:
    """Lines of a Dockerfile that put another manifest into an image, with the label, and the signature of a key."""
    content = manifest.encode(said)
    path = folder / manifest.NAME
    path.write_bytes(content)
    lines = [f"LABEL {making.MANIFEST}={hashlib.sha256(content).hexdigest()}", f"COPY {path.name} /opt/gaplab/"]
    if key:
        (folder / signature.NAME).unlink(missing_ok=True)
        signature.sign(path, key)
        lines.append(f"COPY {signature.NAME} /opt/gaplab/")
    return lines


def new_key(folder: Path, owner: str) -> tuple[Path, Path]:
    """An SSH key, and a file that names its owner as an allowed signer."""
    key, signers = folder / "key", folder / "signers"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    signers.write_text(f"{owner} {key.with_suffix('.pub').read_text()}")
    return key, signers


def refusal(what: str, signers: Path | None = None) -> str:
    """Why an image is not taken in. In three sentences, and nothing of it stays in the engine."""
    labs = ("image", "ls", "-aq", "--filter", "label=org.gaplab.lab")
    before = set(docker(*labs).stdout.split())
    try:
        with quarantine.taken_in(what, signers):
            raise AssertionError(f"{what} was taken in")
    except LabError as problem:
        said = str(problem)
    assert len(said.splitlines()) == 3
    assert set(docker(*labs).stdout.split()) <= before
    return said
