"""Somebody's image in this machine's engine: checked against its own manifest before anything of it runs."""

import errno
import hashlib
import json
import re
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docker.errors import APIError

from labs.kit import places
from labs.kit import reading as folder_of
from labs.kit.containers.daemon import daemon, otherwise
from labs.kit.containers.images import DIGEST
from labs.kit.errors import LabError
from labs.kit.share import attached, manifest, signature
from labs.kit.share.archive import LARGEST, refuse_old_python
from labs.kit.share.fetching import fetched, refuse_misnamed
from labs.kit.share.making import PATIENCE, name_of
from labs.kit.share.refusal import no_room, reading, refused
from labs.kit.words import Lab

_LAB = re.compile("[a-z]+/[a-z0-9]+(_[a-z0-9]+)*")
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
    results: Sequence[attached.Result]
    """What others measured in it."""


@contextmanager
def taken_in(what: str, signers: Path | None = None, keep: bool = False) -> Iterator[Guest]:
    """Fetch what is named and check it; removed again unless it was here before, or is to be kept.

    Raises LabError for what is not in order: then nothing of it is kept, whatever was asked for. What can be told
    without the engine is told first.
    """
    refuse_misnamed(what)
    if signers:
        signature.refuse_unread(signers, "signers")
    with otherwise("`gaplab verify LAB` needs none: it holds a lab of this checkout against its recorded trials."):
        daemon().api.timeout = PATIENCE
    before = set(daemon().api.images(all=True, quiet=True))
    places.home().mkdir(parents=True, exist_ok=True)
    image, vouched = fetched(what)
    try:
        with tempfile.TemporaryDirectory(dir=places.home(), prefix="share-") as folder:
            yield _examined(what, image, Path(folder), vouched, signers)
        if keep:
            before.add(image.id)
    except OSError as problem:
        if problem.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise no_room(what, places.home()) from problem
    finally:
        if image.id not in before:
            with suppress(APIError):  # a container of somebody else's uses it meanwhile
                daemon().images.remove(image.id, force=True)


def kept(guest: Guest) -> str:
    """Give a guest that stays a name, so that tidying up does not take it; its ID, by which it is verified."""
    guest.image.tag(name_of(guest.lab), guest.image.id[7:19])
    return str(guest.image.id)


def _examined(what: str, image: Any, room: Path, vouched: bool, signers: Path | None) -> Guest:
    """The image, once labels, manifest, files and signatures say the same."""
    labels = image.labels or {}
    if image.attrs["Size"] > LARGEST:
        raise refused(what, "it is larger than any image of this project")
    if not (manifest.DIGEST in labels and _LAB.fullmatch(labels.get(manifest.LAB, ""))):
        raise refused(what, "its labels name no lab")
    with _unstarted(what, image) as container:
        for place in ("/gaplab", "/opt/gaplab", "/opt/stack"):
            _take_out(what, container, place, room / place.strip("/").replace("/", "-"))
    path = room / "opt-gaplab" / manifest.NAME
    digest = hashlib.sha256(path.read_bytes() if path.is_file() else b"").hexdigest()
    if digest != labels[manifest.DIGEST]:
        raise refused(what, "its manifest is not the one that its label names")
    with reading(what):
        lab, said = _agreed(what, room, labels, json.loads(path.read_bytes()))
    signer = signature.signer(path, signers)
    with reading(what):
        results = attached.read(what, path.parent, digest, lab, said, signers)
    return Guest(image, lab, said, room, vouched, signer, results)


def _agreed(what: str, room: Path, labels: dict[str, str], said: dict[str, Any]) -> tuple[Lab, dict[str, Any]]:
    """The lab and its manifest, which files, labels and lock have to bear out."""
    if said["format"] != manifest.FORMAT:
        raise LabError(
            f"{what}: made by another version of Gaplab (manifest format {said['format']}, here {manifest.FORMAT}).\n"
            "What this one would compare might not be what that one wrote, so nothing of it was started.\n"
            "Verify it with the version that made it, or ask for an image of today's."
        )
    try:
        lab = folder_of.read(room / "gaplab/labs" / labels[manifest.LAB])
        found = manifest.describe(lab, labels["org.gaplab.device"], manifest.files(room / "gaplab"))
    except LabError as problem:
        raise refused(what, str(problem).partition("\n")[0].replace(f"{room}/", "").rstrip(".")) from problem
    for key in sorted(said.keys() | found.keys()):
        if said.get(key) != found.get(key):
            names = _apart(said.get(key), found.get(key))
            raise refused(what, f"its manifest and its files do not say the same of `{key}`{names}")
    for name, value in manifest.labels(said).items():
        if labels.get(name) != value:
            raise refused(what, f"its label {name} and its manifest do not say the same")
    lock = hashlib.sha256((room / "opt-stack/lock").read_bytes()).hexdigest()
    if not lock == labels.get(DIGEST) == said["stack"]["lock"]:
        raise refused(what, "the lock that it was built from, its label and its manifest name different packages")
    return lab, said


def _apart(one: Any, other: Any) -> str:
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return ""
    names = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
    return f" ({', '.join(names[:3])}{' and more' if len(names) > 3 else ''})"


@contextmanager
def _unstarted(what: str, image: Any) -> Iterator[Any]:
    """A container whose files can be read, and that is never started."""
    try:
        container = daemon().containers.create(image.id, ["true"], network_mode="none")
    except APIError as problem:
        raise refused(what, f"the engine makes no container of it: {problem.explanation}") from problem
    try:
        yield container
    finally:
        container.remove(force=True, v=True)


def _take_out(what: str, container: Any, place: str, to: Path) -> None:
    """Copy a folder of the image, past the data filter: nothing leaves `to`, and only files and folders come in."""
    refuse_old_python()
    with tempfile.TemporaryFile(dir=to.parent) as file:
        try:
            for chunk in container.get_archive(place)[0]:
                file.write(chunk)
                if file.tell() > _NEEDED:
                    raise refused(what, f"{place} in it is larger than any lab")
            file.seek(0)
            with tarfile.open(fileobj=file) as tar:
                tar.extractall(to, [_inner(what, member) for member in tar], filter="data")
        except (APIError, tarfile.TarError) as problem:
            raise refused(what, f"{place} in it cannot be taken out: {problem}") from problem


def _inner(what: str, member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without the folder's own name in front."""
    if not (member.isreg() or member.isdir()) or member.issparse():
        raise refused(what, f"/{member.name} in it is neither a file nor a folder")
    return member.replace(name=member.name.partition("/")[2] or ".", deep=False)
