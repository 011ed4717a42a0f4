"""A registry of this test's own, and a lab's image with something about it changed."""

import io
import json
import subprocess
import tarfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from labs.kit.errors import LabError
from labs.kit.share import quarantine
from tests.faults.server import free_port
from tests.images.conftest import docker

LAB = "validation/intervals"
"""The lab whose quick trials take the least."""
Member = tuple[tarfile.TarInfo, bytes]


@contextmanager
def registry(folder: Path) -> Iterator[str]:
    """Debian's docker-registry, for this machine alone; yields host:port."""
    address = f"127.0.0.1:{free_port()}"
    told = {"version": 0.1, "storage": {"filesystem": {"rootdirectory": str(folder)}}, "http": {"addr": address}}
    (folder / "config.yml").write_text(json.dumps(told))  # JSON is YAML
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["docker-registry", "serve", folder / "config.yml"], stdout=log, stderr=log)
    try:
        _wait_for(f"http://{address}/v2/")
        yield address
    finally:
        process.terminate()
        process.wait()


def _wait_for(address: str) -> None:
    for _ in range(100):
        try:
            urllib.request.urlopen(address, timeout=2).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"{address} does not answer")


def image_from(image: str, name: str, *lines: str) -> str:
    """An image made from another, without the kit's help; its ID."""
    said = "\n".join([f"FROM {image}", *lines])
    docker("build", "-q", "-t", name, "-", said=said)
    return docker("image", "inspect", "-f", "{{.Id}}", name).stdout.strip()


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


def refusal(what: str) -> str:
    """Why an image is not taken in. In three sentences, and nothing of it stays in the engine."""
    labs = ("image", "ls", "-aq", "--filter", "label=org.gaplab.lab")
    before = docker(*labs).stdout
    try:
        with quarantine.taken_in(what):
            raise AssertionError(f"{what} was taken in")
    except LabError as problem:
        said = str(problem)
    assert len(said.splitlines()) == 3
    assert docker(*labs).stdout == before
    return said
