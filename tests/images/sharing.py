"""A lab's image, or an archive of one, with something about it changed."""

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from labs.kit import places
from labs.kit.errors import LabError
from labs.kit.share import manifest, quarantine, signature
from tests.images.conftest import docker

Member = tuple[tarfile.TarInfo, bytes]


def gaplab(*words: str, home: Path, **told: str) -> "subprocess.CompletedProcess[str]":
    """The command, with a home of its own and the environment that is told."""
    env = {**os.environ, "GAPLAB_HOME": str(home), "PYTHONPATH": str(places.ROOT), **told}
    command = [sys.executable, "-m", "labs.kit.cli", *words]
    return subprocess.run(command, cwd=places.ROOT, env=env, capture_output=True, text=True)


@contextmanager
def altered(image: str, folder: Path, *lines: str) -> Iterator[str]:
    """An image made from another without the kit's help, with the folder's files at hand; its ID."""
    (folder / "Dockerfile").write_text("\n".join([f"FROM {image}", "USER 0", *lines, "USER 1000"]))
    made = docker("build", "-q", str(folder)).stdout.strip()
    yield made
    docker("image", "rm", "-f", made)


def slim(image: str, folder: Path, *more: str) -> str:
    """The same lab without its packages, a thousandth of the size: it is taken in, but could not be run; its ID."""
    labels = json.loads(docker("image", "inspect", "-f", "{{json .Config.Labels}}", image).stdout)
    lines = [f"COPY --from={image} {place} {place}" for place in ("/gaplab", "/opt/gaplab", "/opt/stack")]
    lines += [f"LABEL {name}={json.dumps(value)}" for name, value in labels.items()]
    (folder / "Dockerfile").write_text("\n".join(["FROM scratch", *lines, *more, 'CMD ["true"]']))
    return docker("build", "-q", str(folder)).stdout.strip()


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


def blob(content: bytes) -> Member:
    """One entry whose name is its digest."""
    return member(f"blobs/sha256/{hashlib.sha256(content).hexdigest()}", content=content)


def manifest_of(image: str) -> dict[str, Any]:
    """What an image says of itself; to say it is all that it does when it is started without a command."""
    told: dict[str, Any] = json.loads(docker("run", "--rm", "--network", "none", image).stdout)
    return told


def lines_of(folder: Path, said: dict[str, Any], key: Path | None = None) -> list[str]:
    """Lines of a Dockerfile that put another manifest into an image, with its labels, and the signature of a key."""
    path = folder / manifest.NAME
    path.write_bytes(manifest.encode(said))
    lines = [f"LABEL {name}={json.dumps(value)}" for name, value in manifest.labels(said).items()]
    lines.append(f"COPY {path.name} /opt/gaplab/")
    if key:
        signature.beside(path).unlink(missing_ok=True)
        signature.sign(path, key)
        lines.append(f"COPY {signature.beside(path).name} /opt/gaplab/")
    return lines


def new_key(folder: Path, owner: str) -> tuple[Path, Path]:
    """An SSH key, and a file that names its owner as an allowed signer."""
    key, signers = folder / f"{owner}.key", folder / f"{owner}.signers"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    signers.write_text(f"{owner} {Path(f'{key}.pub').read_text()}")
    return key, signers


def lab_images() -> set[str]:
    """The images in the engine that say that they hold a lab."""
    return set(docker("image", "ls", "-aq", "--filter", "label=org.gaplab.lab").stdout.split())


def refusal(what: str, signers: Path | None = None) -> str:
    """Why an image is not taken in. In three sentences, and nothing of it stays in the engine."""
    before = lab_images()
    try:
        with quarantine.taken_in(what, signers):
            raise AssertionError(f"{what} was taken in")
    except LabError as problem:
        said = str(problem)
    assert len(said.splitlines()) == 3
    assert "\x1b" not in said, "a stranger's text steers the reader's terminal"
    assert lab_images() == before
    return said
