"""What others measured in a lab's image, carried along in it: trials as numbers; verdicts are worked out on reading."""

import datetime
import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docker.errors import APIError

from labs.kit import hardware
from labs.kit.containers.daemon import daemon
from labs.kit.results import Row
from labs.kit.share import manifest, signature
from labs.kit.share.refusal import refused
from labs.kit.words import Lab

FOLDER = "results"
_FORMAT = 1
_MANY = 1000


@dataclass(frozen=True)
class Result:
    """One run of a preset in the image, on somebody's machine."""

    preset: str
    cpu: Mapping[str, Any]
    day: str
    signer: str
    """Who signed it, in words; empty where nobody did."""
    rows: Sequence[Row]


def encoded(said: Mapping[str, Any], preset: str, rows: Sequence[Row]) -> bytes:
    """A run as it is attached: which image, which machine, every number."""
    told = {
        "format": _FORMAT,
        "manifest": hashlib.sha256(manifest.encode(said)).hexdigest(),
        "preset": preset,
        "cpu": hardware.cpu(),
        "day": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "trials": [{"variant": row.variant, "seed": row.seed, "numbers": dict(row.numbers)} for row in rows],
    }
    return manifest.encode(told)


@contextmanager
def image_with(image: Any, content: bytes, key: Path | None) -> Iterator[Any]:
    """The image with one more run in it, signed if a key is given. Nothing of it is started."""
    container = daemon().containers.create(image.id, network_mode="none")
    made = None
    try:
        container.put_archive("/opt/gaplab", _packed(content, key))
        made = container.commit(
            f"{manifest.OURS}attached", container.id[:12]
        )  # a name: else a push would take its last
        yield made
    finally:
        container.remove(force=True, v=True)
        if made:
            with suppress(APIError):
                daemon().images.remove(made.id, force=True)


def _packed(content: bytes, key: Path | None) -> bytes:
    """The file and its signature as an archive, named by its own digest."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"{hashlib.sha256(content).hexdigest()}.json")
        path.write_bytes(content)
        if key:
            signature.sign(path, key)
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            tar.add(folder, FOLDER, filter=_readable)
    return packed.getvalue()


def _readable(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Root's, and everybody's to read; the day is in the file."""
    mode = 0o755 if member.isdir() else 0o644
    return member.replace(uid=0, gid=0, uname="", gname="", mtime=0, mode=mode, deep=False)


def read(what: str, folder: Path, digest: str, lab: Lab, said: Mapping[str, Any], signers: Path | None) -> list[Result]:
    """The runs that an image carries beside its manifest. Raises LabError for what does not belong there."""
    expected = {manifest.NAME, f"{manifest.NAME}.sig", FOLDER}
    results = sorted(path for path in folder.glob(f"{FOLDER}/*") if path.suffix != ".sig")
    expected |= {f"{FOLDER}/{path.name}{end}" for path in results for end in ("", ".sig")}
    for path in folder.rglob("*"):
        if (name := str(path.relative_to(folder))) not in expected or len(expected) > _MANY:
            raise refused(what, f"{name!r} does not belong beside its manifest")
    return [_result(what, path, digest, lab, said, signers) for path in results]


def _result(what: str, path: Path, digest: str, lab: Lab, said: Mapping[str, Any], signers: Path | None) -> Result:
    content = path.read_bytes()
    told = json.loads(content)
    if path.stem != hashlib.sha256(content).hexdigest():
        raise refused(what, f"the attached result {path.stem[:12]} is not what its name says")
    if told["format"] != _FORMAT or told["manifest"] != digest:
        raise refused(what, f"the attached result {path.stem[:12]} is of another image")
    preset = lab.presets[told["preset"]]
    rows = [_row(lab, said, preset.name, entry) for entry in told["trials"]]
    wanted = {(variant, seed) for variant in preset.variants for seed in range(preset.seeds)}
    if {(row.variant, row.seed) for row in rows} != wanted or len(rows) != len(wanted):
        raise refused(what, f"the attached result {path.stem[:12]} does not hold each trial of {preset.name} once")
    who = signature.signer(path, signers, strict=False)
    return Result(preset.name, dict(told["cpu"]), str(told["day"]), who, rows)


def _row(lab: Lab, said: Mapping[str, Any], preset: str, entry: Mapping[str, Any]) -> Row:
    variant, seed = str(entry["variant"]), int(entry["seed"])
    numbers = {str(name): float(value) for name, value in entry["numbers"].items()}
    recipe, stack = said["recipes"][preset][variant], said["stack"]["name"]
    key = f"attached-{lab.id}-{variant}-{seed}"
    return Row(key, lab.id, variant, seed, recipe, preset, stack, None, 0, 0, numbers, "reference")
