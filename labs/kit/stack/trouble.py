"""What uv says when it fails, told so that a reader can act on it."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from labs.kit import places
from labs.kit.errors import LabError

_SIGNS = {
    "disk": ("no space left", "disk quota"),
    "hash": (
        *("hash mismatch", "require-hashes", "hash-checking", "no hashes were provided"),
        *("couldn't parse requirement", "start of a requirement"),
    ),
    "network": (
        *("client error (connect)", "dns error", "error sending request", "failed to lookup", "network is unreachable"),
        *("tcp connect error", "connection refused", "operation timed out", "network connectivity is disabled"),
    ),
    "python": ("no interpreter found", "no download found for request", "not compatible with the current python"),
    "wheel": (
        "there is no version of",
        "was not found in the package registry",
        "was not found in the provided package",
        "`--find-links` directory",
    ),
}
"""The words by which each kind of trouble is known; the first kind that fits is told."""

_TOLD = {
    "disk": (
        "The disk is full: {free:.0f} MB are free at {home}, and {where} cannot be built (uv: {last}). All stacks "
        "together take about 6 GB with uv's cache, and nothing half-made is left. Make room (gaplab clean, uv "
        "cache clean), or set GAPLAB_HOME and UV_CACHE_DIR to folders on another disk, and type the same command "
        "again."
    ),
    "hash": (
        "{where} does not fit the packages that it names (uv: {last}). A stack is what its lock says to the byte, "
        "or the trials of two machines could not be compared; an edit by hand breaks that. Undo the edit, or "
        "type: gaplab stack lock"
    ),
    "network": (
        "The packages of {where} cannot be fetched: no way leads to the package index (uv: {last}). Stacks that "
        "are there already keep working, and nothing half-made is left. Check the network, the proxy "
        "(HTTPS_PROXY) and the certificates (SSL_CERT_FILE), and type the same command again."
    ),
    "python": (
        "No Python 3.11 is here for {where}, and none could be fetched (uv: {last}). Locks are made for Python "
        "3.11, so that their hashes name one wheel of each package. Install python3.11, or type: uv python "
        "install 3.11"
    ),
    "wheel": (
        "{where} names a package that is offered nowhere (uv: {last}). PyTorch's CPU wheels are on no package index, "
        "only on a page or in a folder of its own. Set GAPLAB_TORCH_WHEELS to that folder or page and type the "
        "same command again."
    ),
    "other": (
        "{where} could not be built ({last}). The stack is not there, and nothing half-made is left. What was "
        "printed above says why; then type the same command again."
    ),
}


def explain(said: Sequence[str], about: Path) -> LabError:
    """The LabError for a failed uv: its kind is known from all of its lines, and its last line is always shown."""
    whole = " ".join(" ".join(said).lower().split())
    kind = next((kind for kind, signs in _SIGNS.items() if any(sign in whole for sign in signs)), "other")
    lines = [
        line.strip().removeprefix("cause: ").removeprefix("error: ") for line in said if not line.startswith("hint")
    ]
    address = [line for line in lines if "://" in line][-1:]
    home = next(path for path in (places.home(), *places.home().parents) if path.exists())
    return LabError(
        _TOLD[kind].format(
            where=about.relative_to(places.ROOT) if about.is_relative_to(places.ROOT) else about,
            last=": ".join(dict.fromkeys([*address, lines[-1]])).rstrip("."),
            home=home,
            free=shutil.disk_usage(home).free / 2**20,
        )
    )
