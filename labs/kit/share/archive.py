"""An image in a file, looked through before the engine sees it: nothing but blobs that are what their names say."""

import gzip
import hashlib
import io
import json
import re
import tarfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from labs.kit.errors import LabError

LARGEST = 8 * 2**30
"""Bytes of an image: the largest stack, for a GPU, has 6 GB."""
_MEMBERS = 2000
_CHUNK = 2**20
_BLOB = re.compile(r"blobs/sha256/([0-9a-f]{64})")
_PAGES = {"index.json", "manifest.json", "oci-layout", "repositories"}
_FOLDERS = {"blobs", "blobs/sha256"}


def image_of(path: Path) -> str:
    """The ID of the image in the file. Raises LabError for anything that `gaplab share save` would not have written."""
    found = _Found(path)
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            careful: Any = _Careful(gzip.GzipFile(fileobj=file) if packed else file)
            with tarfile.open(fileobj=careful, mode="r:") as tar:
                for member in tar:
                    found.take(tar, member)
    except (tarfile.TarError, OSError, EOFError, ValueError, zlib.error) as problem:
        raise refused(path, f"it cannot be read as an archive: {problem}") from problem
    return found.image()


def refused(what: object, why: str) -> LabError:
    """Three sentences on why something was not taken in."""
    return LabError(
        f"{what}: {why}.\n"
        "It was altered on its way, or was never written by `gaplab share`; nothing of it was started.\n"
        "Fetch it again, and ask who gave it to you for NAME@sha256:… as their `gaplab share` printed it."
    )


@dataclass
class _Careful:
    """A file that is never read in one gulp: a header may announce gigabytes to be held in memory."""

    file: Any

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= 16 * _CHUNK:
            raise tarfile.ReadError(f"a header announces {size} bytes")
        return bytes(self.file.read(size))

    def seek(self, *to: int) -> int:
        return int(self.file.seek(*to))

    def tell(self) -> int:
        return int(self.file.tell())


@dataclass
class _Found:
    path: Path
    blobs: set[str] = field(default_factory=set)
    pages: dict[str, Any] = field(default_factory=dict)
    size: int = 0
    members: int = 0

    def take(self, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        """Look at one member. The data filter refuses what leaves the folder, and what is neither file nor folder."""
        try:
            tarfile.data_filter(member, "/nowhere")
        except tarfile.FilterError as problem:
            raise refused(self.path, str(problem)) from None
        self.size, self.members = self.size + member.size, self.members + 1
        if self.size > LARGEST or self.members > _MEMBERS or member.issparse():
            raise refused(self.path, f"{member.name} makes it larger than any image of this project")
        if member.isdir() and member.name in _FOLDERS:
            return
        file = tar.extractfile(member) if member.isreg() else None
        if file and (named := _BLOB.fullmatch(member.name)):
            self._take_blob(named[1], file)
        elif file and member.name in _PAGES and member.size < _CHUNK:
            self.pages[member.name] = json.load(io.BytesIO(file.read()))
        else:
            raise refused(self.path, f"{member.name!r} does not belong into an image")

    def _take_blob(self, name: str, file: IO[bytes]) -> None:
        digest = hashlib.sha256()
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
        if digest.hexdigest() != name:
            raise refused(self.path, f"blob {name[:12]} is not what its name says (sha256 {digest.hexdigest()[:12]})")
        self.blobs.add(name)

    def image(self) -> str:
        """The one image that it holds, nameless: a name would replace the reader's own image of that name."""
        if self.pages.get("repositories") or re.search(r'"[\w.]*(image|ref)\.name"', json.dumps(self.pages)):
            raise refused(self.path, "its image brings a name along, which would take the place of one of yours")
        told = self.pages.get("manifest.json")
        if not (isinstance(told, list) and len(told) == 1 and not told[0].get("RepoTags")):
            raise refused(self.path, "it does not hold one image without a name")
        parts = [_BLOB.fullmatch(str(part)) for part in (told[0].get("Config"), *told[0].get("Layers", []))]
        if not all(part and part[1] in self.blobs for part in parts) or not parts[0]:
            raise refused(self.path, "a part of its image is missing")
        return f"sha256:{parts[0][1]}"
