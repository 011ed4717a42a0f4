"""An image in a file, looked through before the engine sees it: nothing but blobs that are what their names say."""

import gzip
import hashlib
import json
import re
import tarfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from labs.kit.errors import LabError
from labs.kit.share.refusal import refused

LARGEST = 8 * 2**30
"""Bytes of an image: the largest stack, for a GPU, has 6 GB."""
_MEMBERS = 2000
_FILES = 300_000
"""In all layers together: a stack with torch has 50,000."""
_CHUNK = 2**20
_BLOB = re.compile(r"blobs/sha256/([0-9a-f]{64})")
_PAGES = {"index.json", "manifest.json", "oci-layout", "repositories"}
_FOLDERS = {"blobs", "blobs/sha256"}
_LISTED = {"Config", "RepoTags", "Layers", "LayerSources"}
"""What `docker save` says of an image. The engine takes `repotags` for RepoTags, so no other key is let through."""


@dataclass(frozen=True)
class Held:
    """The image in a file. Each of its digests vouches for all of it."""

    config: str
    """Of its configuration: its ID in an engine with a store of its own."""
    manifest: str
    """Of the page that names configuration and layers as they are packed: its ID in containerd's store."""


def image_of(path: Path) -> Held:
    """The image in the file. Raises LabError for anything that `gaplab share save` would not have written."""
    refuse_old_python()
    found = _Found(path)
    try:
        with path.open("rb") as file:
            outer = _unpacked(file)
            with tarfile.open(fileobj=outer, mode="r:") as tar:
                for member in tar:
                    found.take(tar, member)
            if len(outer.read(_CHUNK)) == _CHUNK:
                raise refused(path, "more follows on its end")
        return found.image()
    except (
        tarfile.TarError,
        OSError,
        EOFError,
        ValueError,
        LookupError,
        TypeError,
        RecursionError,
        zlib.error,
    ) as problem:
        raise refused(path, f"it cannot be read as an archive: {problem}") from problem


def refuse_old_python() -> None:
    """Raise LabError where tarfile has no filter against what leaves its folder."""
    if not hasattr(tarfile, "data_filter"):
        raise LabError(
            "This Python unpacks archives without looking where their parts go.\n"
            "A stranger's image could write anywhere.\n"
            "Use Python 3.11.4 or newer: `gaplab stack build services` fetches one."
        )


class _Forward:
    """A file that is read once, from front to back, and never in one gulp: a header may announce gigabytes."""

    def __init__(self, file: Any, digest: Any = None) -> None:
        self.file, self.digest, self.at = file, digest, 0

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= 16 * _CHUNK:
            raise tarfile.ReadError(f"a header announces {size} bytes")
        content = bytes(self.file.read(size))
        if self.digest:
            self.digest.update(content)
        self.at += len(content)
        return content

    def seek(self, to: int, whence: int = 0) -> int:
        if whence or to < self.at:
            raise tarfile.ReadError("a header points back")
        while self.at < to and self.read(min(_CHUNK, to - self.at)):
            pass
        return self.at

    def tell(self) -> int:
        return self.at


def _unpacked(file: IO[bytes], through: _Forward | None = None) -> Any:
    """The file's content, as the engine would read it: as it is, or out of gzip. Nothing else is ours."""
    packed = file.peek(2)[:2] == b"\x1f\x8b"  # type: ignore[attr-defined]
    source: Any = through or file
    return _Forward(gzip.GzipFile(fileobj=source) if packed else source)


@dataclass
class _Found:
    path: Path
    blobs: set[str] = field(default_factory=set)
    pages: dict[str, Any] = field(default_factory=dict)
    manifests: dict[str, str] = field(default_factory=dict)
    """Digest of a manifest -> that of the configuration that it names."""
    size: int = 0
    """Bytes of its members."""
    unpacked: int = 0
    """Bytes of the files in its layers, holes filled: what it would take on the disk."""
    files: int = 0
    members: int = 0

    def take(self, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        """Look at one member. The data filter refuses what leaves the folder, and what is neither file nor folder."""
        try:
            tarfile.data_filter(member, "/nowhere")
        except tarfile.FilterError as problem:
            raise refused(self.path, str(problem)) from None
        self.size, self.members = self.size + member.size, self.members + 1
        if member.size < 0 or self.size > LARGEST or self.members > _MEMBERS or member.issparse():
            raise refused(self.path, f"{member.name} makes it larger than any image of this project")
        if member.isdir() and member.name in _FOLDERS:
            return
        file = tar.extractfile(member) if member.isreg() else None
        if file and (named := _BLOB.fullmatch(member.name)):
            self._take_blob(named[1], file, member.size)
        elif file and member.name in _PAGES and member.size < _CHUNK:
            self.pages[member.name] = json.loads(file.read())
        else:
            raise refused(self.path, f"{member.name!r} does not belong into an image")

    def _take_blob(self, name: str, file: IO[bytes], size: int) -> None:
        """A page of JSON, or a layer."""
        whole = _Forward(file, digest := hashlib.sha256())
        if size < _CHUNK and file.peek(1)[:1] == b"{":  # type: ignore[attr-defined]
            told = json.loads(whole.read(size))
            if isinstance(told.get("config"), dict) and "digest" in told["config"]:
                self.manifests[f"sha256:{name}"] = str(told["config"]["digest"])
        else:
            self._look_through(_unpacked(file, whole))
            while whole.read(_CHUNK):
                pass
        if digest.hexdigest() != name:
            raise refused(self.path, f"blob {name[:12]} is not what its name says")
        self.blobs.add(name)

    def _look_through(self, layer: Any) -> None:
        """Count what the engine would write: ten gigabytes of zeros are ten megabytes of gzip, or one header."""
        with tarfile.open(fileobj=layer, mode="r:") as tar:
            while member := tar.next():
                tar.members.clear()  # type: ignore[attr-defined]  # it would keep them all
                self.unpacked, self.files = self.unpacked + member.size, self.files + 1
                if member.size < 0 or self.unpacked > LARGEST or self.files > _FILES:
                    raise refused(self.path, f"{member.name} in it makes it larger than any image of this project")

    def image(self) -> Held:
        """The one image that it holds, nameless: a name would replace the reader's own image of that name."""
        if self.pages.get("repositories") or re.search(r'"[\w.]*(image|ref)\.name"', json.dumps(self.pages)):
            raise refused(self.path, "its image brings a name along, which would take the place of one of yours")
        told = self.pages.get("manifest.json")
        listed = told[0] if isinstance(told, list) and len(told) == 1 and isinstance(told[0], dict) else {}
        if not listed or listed.get("RepoTags") or not listed.keys() <= _LISTED:
            raise refused(self.path, "it does not hold one image without a name")
        parts = [_BLOB.fullmatch(str(part)) for part in (listed.get("Config"), *listed.get("Layers", []))]
        if not all(part and part[1] in self.blobs for part in parts) or not parts[0]:
            raise refused(self.path, "a part of its image is missing")
        config = f"sha256:{parts[0][1]}"
        index = self.pages.get("index.json")
        named = [str(one["digest"]) for one in index["manifests"]] if isinstance(index, dict) else []
        if len(named) != 1 or self.manifests.get(named[0]) != config:
            raise refused(self.path, "its two lists, one for each kind of engine, do not name the same image")
        return Held(config, named[0])
