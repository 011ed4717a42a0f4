"""What uv says when it fails, told so that a reader can act on it."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from labs.kit import places
from labs.kit.errors import LabError

_HASH = ("hash mismatch", "require-hashes", "hash-checking", "couldn't parse requirement", "no hashes were provided")
_NETWORK = ("client error (connect)", "dns error", "error sending request", "failed to lookup", "network is unreachable",
            "tcp connect error", "connection refused", "operation timed out")  # fmt: skip
_WHEEL = ("there is no version of", "was not found in the package registry", "was not found in the provided package locations")
_PYTHON = ("no interpreter found", "no download found for request", "requires-python", "not compatible with the current python")


def explain(said: Sequence[str], about: Path) -> LabError:
    """The LabError for a failed uv: its kind is told from all of its lines, and its last line is always shown."""
    whole, last = " ".join(" ".join(said).lower().split()), said[-1].strip(" │╰─▶×├")
    where = about.relative_to(places.ROOT) if about.is_relative_to(places.ROOT) else about
    if "no space left" in whole or "disk quota" in whole:
        return LabError(_disk_full(where, last))
    if any(words in whole for words in _HASH):
        return LabError(
            f"{where} does not fit the packages it names (uv: {last}). A stack is what its lock says to the byte, or trials "
            "of two machines cannot be compared; an edit by hand breaks that. Undo the edit, or write it anew: gaplab stack lock"
        )
    if any(words in whole for words in _NETWORK):
        return LabError(
            f"The packages of {where} cannot be fetched: there is no way to the package index (uv: {last}). Stacks that "
            "are built already keep working. Check network, proxy (HTTPS_PROXY) and certificates (SSL_CERT_FILE), then type "
            "the same command again; nothing half-made is left"
        )
    if any(words in whole for words in _PYTHON):
        return LabError(
            f"No Python 3.11 is here for {where} and none could be fetched (uv: {last}). Every lock is made for Python "
            "3.11, so that its hashes name one wheel each. Install python3.11, or type: uv python install 3.11"
        )
    if any(words in whole for words in _WHEEL):
        return LabError(
            f"{where} names a package that is offered nowhere (uv: {last}). torch's CPU build is on no package index, "
            "only on a page or in a folder of its own. Type: GAPLAB_TORCH_WHEELS=FOLDER-OR-PAGE and the same command again"
        )
    return LabError(
        f"uv failed on {where}: {last}. The stack is not there, and nothing half-made is left. "
        "What uv printed above says why; then type the same command again"
    )


def _disk_full(where: Path, last: str) -> str:
    home = next(path for path in (places.home(), *places.home().parents) if path.exists())
    free = shutil.disk_usage(home).free / 2**20
    return (
        f"The disk is full while building {where}: {free:.0f} MB are free at {home} (uv: {last}). All stacks together take "
        "about 5 GB, with the cache. Make room (gaplab clean, uv cache clean), or set GAPLAB_HOME and UV_CACHE_DIR to another disk"
    )
