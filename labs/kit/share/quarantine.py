"""Somebody's image in this machine's engine: checked against its own manifest before anything of it runs."""

import hashlib
import json
import re
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docker.errors import APIError, ImageNotFound

from labs.kit import places, reading
from labs.kit.containers.daemon import daemon
from labs.kit.containers.images import DIGEST
from labs.kit.errors import LabError
from labs.kit.share import manifest, signature
from labs.kit.share.archive import LARGEST, image_of, refused
from labs.kit.share.making import LAB, MANIFEST, PATIENCE
from labs.kit.words import Lab

_BY_DIGEST = re.compile(r"(?P<name>.+)@(?P<digest>sha256:[0-9a-f]{64})")
_NEEDED = 64 * 2**20
"""Bytes that the lab, the kit and the locks may take when they are taken out."""


@dataclass(frozen=True)
class Guest:
    """An image that is what its manifest says."""

    image: Any
    lab: Lab
    """Read from the image's files, not from this checkout."""
    said: dict[str, Any]
    """The manifest."""
    room: Path
    """A folder for everything that comes of it, removed at the end."""
    vouched: bool
    """Whether the caller named the digest, so that nobody can have changed it on its way."""
    signer: str
    """Who signed its manifest, in words; empty where nobody did."""


@contextmanager
def taken_in(what: str, signers: Path | None = None) -> Iterator[Guest]:
    """Fetch NAME@sha256:… or load FILE, check it, and remove it again. Raises LabError for what is not in order."""
    daemon().api.timeout = PATIENCE
    before = {image.id for image in daemon().images.list(all=True)}
    places.home().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=places.home(), prefix="share-") as folder:
        image, vouched = _fetched(what)
        try:
            lab, said = _examined(what, image, Path(folder))
            signer = signature.signer(Path(folder, "opt-gaplab", manifest.NAME), signers)
            yield Guest(image, lab, said, Path(folder), vouched, signer)
        finally:
            if image.id not in before:
                with suppress(APIError):  # a container of somebody else's uses it meanwhile
                    daemon().images.remove(image.id, force=True)


def _fetched(what: str) -> tuple[Any, bool]:
    named = _BY_DIGEST.fullmatch(what)
    path = Path(named["name"] if named else what)
    if path.is_file():
        return _loaded(path, named["digest"] if named else ""), bool(named)
    if not named:
        raise LabError(
            f"{what} is no file here, and names an image without its digest.\n"
            "Under a mere name anybody who may push there can put another image, at any time.\n"
            "Type NAME@sha256:… as `gaplab share push` printed it."
        )
    try:
        return daemon().images.pull(what), True
    except APIError as problem:
        raise LabError(
            f"{what} could not be fetched: {problem.explanation}.\nNothing was verified.\n"
            "Look whether the registry answers, holds that digest, and lets you in (`docker login REGISTRY`)."
        ) from problem


def _loaded(path: Path, wanted: str) -> Any:
    found = image_of(path)
    if wanted and found != wanted:
        raise refused(path, f"it holds image {found[:19]}, not {wanted[:19]}")
    try:
        with path.open("rb") as file:
            daemon().images.load(file)
        return daemon().images.get(found)
    except (APIError, ImageNotFound) as problem:
        raise refused(path, f"the engine does not take it: {problem.explanation}") from problem


def _examined(what: str, image: Any, room: Path) -> tuple[Lab, dict[str, Any]]:
    """The lab in the image and its manifest, once labels, manifest and files say the same."""
    labels = image.labels or {}
    if image.attrs["Size"] > LARGEST:
        raise refused(what, "it is larger than any image of this project")
    if not (MANIFEST in labels and re.fullmatch("[a-z]+/[a-z0-9_]+", labels.get(LAB, ""))):
        raise refused(what, "its labels name no lab, so it is not an image that `gaplab share` made")
    with _unstarted(image) as container:
        for place in ("/gaplab", "/opt/gaplab", "/opt/stack"):
            _take_out(what, container, place, room / place.strip("/").replace("/", "-"))
    path = room / "opt-gaplab" / manifest.NAME
    said = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(said).hexdigest() != labels[MANIFEST]:
        raise refused(what, "its manifest is not the one that its label names")
    told = json.loads(said)
    lab = reading.read(room / "gaplab/labs" / labels[LAB])
    _compare(what, told, manifest.describe(lab, labels["org.gaplab.device"], manifest.files(room / "gaplab")))
    lock = hashlib.sha256((room / "opt-stack/lock").read_bytes()).hexdigest()
    if not lock == labels.get(DIGEST) == told["stack"]["lock"]:
        raise refused(what, "the lock that it was built from, its label and its manifest name different packages")
    return lab, told


def _compare(what: str, told: dict[str, Any], found: dict[str, Any]) -> None:
    """The manifest as it was written, and as the files of the image say it."""
    for key in sorted(told.keys() | found.keys()):
        if told.get(key) != found.get(key):
            names = _apart(told.get(key), found.get(key))
            raise refused(what, f"its manifest and its files do not say the same of `{key}`{names}")


def _apart(one: Any, other: Any) -> str:
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return ""
    names = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
    return f" ({', '.join(names[:3])}{' and more' if len(names) > 3 else ''})"


@contextmanager
def _unstarted(image: Any) -> Iterator[Any]:
    """A container whose files can be read, and that is never started."""
    container = daemon().containers.create(image.id, ["true"], network_mode="none")
    try:
        yield container
    finally:
        container.remove(force=True)


def _take_out(what: str, container: Any, place: str, to: Path) -> None:
    """Copy a folder of the image, past the data filter: nothing leaves `to`, and no device or link out comes in."""
    if not hasattr(tarfile, "data_filter"):
        raise LabError(
            "This Python unpacks archives without looking where their parts go.\n"
            "A stranger's image could write anywhere.\n"
            "Use Python 3.11.4 or newer: `gaplab stack build services` fetches one."
        )
    with tempfile.TemporaryFile() as file:
        try:
            for chunk in container.get_archive(place)[0]:
                file.write(chunk)
                if file.tell() > _NEEDED:
                    raise refused(what, f"{place} in it is larger than any lab")
            file.seek(0)
            with tarfile.open(fileobj=file) as tar:
                tar.extractall(to, filter=_inner)
        except (APIError, tarfile.TarError) as problem:
            raise refused(what, f"{place} in it cannot be taken out: {problem}") from problem


def _inner(member: tarfile.TarInfo, to: str) -> tarfile.TarInfo | None:
    """Without the folder's own name in front."""
    name = member.name.partition("/")[2]
    return tarfile.data_filter(member.replace(name=name, deep=False), to) if name else None
