"""Images whose every time stamp says the same moment: whoever builds one of the same parts gets the same digest.

Only an engine that keeps images in containerd's store can write such an image, and only into an archive: it takes it in
again from there.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from labs.kit import places
from labs.kit.containers.daemon import daemon
from labs.kit.errors import LabError

MOMENT = "SOURCE_DATE_EPOCH"
"""Seconds since 1970, as reproducible-builds.org has it; the builder reads it as well."""
_STORE = ["driver-type", "io.containerd.snapshotter.v1"]


def in_containerd() -> bool:
    """Whether the engine keeps images in containerd's store: IDs are then digests of manifests."""
    return _STORE in (daemon().info().get("DriverStatus") or [])


def asked_for() -> bool:
    """Whether a moment is given and the engine can write it; where it cannot, images are built with today's dates."""
    return bool(os.environ.get(MOMENT)) and in_containerd()


def in_vain() -> bool:
    """Whether a moment is given to an engine that cannot write it."""
    return bool(os.environ.get(MOMENT)) and not in_containerd()


@contextmanager
def outputs(tool: str, targets: Sequence[str]) -> Iterator[list[str]]:
    """Settings of bake that write dated archives; at the end the engine takes them in, named as they are tagged."""
    if not asked_for():
        yield []
        return
    places.home().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=places.home(), prefix="dated-") as folder:
        files = {target: Path(folder, f"{target}.tar") for target in targets}
        yield [f"{name}.output=type=oci,dest={file},rewrite-timestamp=true" for name, file in files.items()]
        for file in files.values():
            _take_in(tool, file)
            file.unlink()


def _take_in(tool: str, file: Path) -> None:
    loaded = subprocess.run([tool, "load", "-q", "-i", file], capture_output=True, text=True, check=False)
    if loaded.returncode:
        raise LabError(
            f"The engine does not take in the image that it wrote ({loaded.stderr.strip()}).\n"
            "It was built, and its archive is gone again.\n"
            f"Look whether its disk has room (`docker system df`), or build without {MOMENT}."
        )
