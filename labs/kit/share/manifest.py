"""What a lab image says of itself. Whoever gets it writes the same page anew from the image's files and compares."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from labs.kit import reference
from labs.kit.compare import compare
from labs.kit.errors import LabError
from labs.kit.reference import Reference
from labs.kit.results import Row
from labs.kit.words import Lab

NAME = "manifest.json"
OURS = "gaplab-lab-"
"""How the names of lab images begin in this machine's engine."""
LAB = "org.gaplab.lab"
"""The label that names the lab."""
DIGEST = "org.gaplab.manifest-digest"
"""The label that holds the digest of the manifest."""
FORMAT = 1
_IN_LABELS = {"recipe": "recipes", "hardware": "cpu", "seeds": "seeds", "verdicts": "verdicts"}
"""Label -> what of the manifest it says, for those who look before they fetch."""


def describe(lab: Lab, device: str, files: Mapping[str, str]) -> dict[str, Any]:
    """The lab, its claims with the verdicts of its reference, what it was made from, and the digest of every file."""
    told = recorded(lab)
    return {
        "format": FORMAT,
        "lab": lab.id,
        "title": lab.title,
        "stack": {"name": lab.stack, "device": device, "lock": files[f"images/{lab.stack}/{device}.lock"]},
        "base": told.base,
        "cpu": dict(told.cpu),
        "seeds": {name: preset.seeds for name, preset in lab.presets.items()},
        "recipes": {preset: dict(of) for preset, of in told.recipes.items()},
        "claims": {claim.name: " ".join(claim.statement.split()) for claim in lab.claims.values()},
        "verdicts": {preset: _verdicts(lab, told, preset) for preset in told.recipes},
        "files": dict(sorted(files.items())),
    }


def labels(said: Mapping[str, Any]) -> dict[str, str]:
    """What the image's labels repeat of the manifest: `docker image inspect` and registries show them."""
    made = {f"org.gaplab.{label}": said[key] for label, key in _IN_LABELS.items()}
    made["org.gaplab.claims"] = sorted(said["claims"])
    told = {name: json.dumps(value, sort_keys=True, separators=(",", ":")) for name, value in made.items()}
    return {LAB: said["lab"], DIGEST: hashlib.sha256(encode(said)).hexdigest(), **told}


def encode(said: Mapping[str, Any]) -> bytes:
    """As it is written: the same manifest has the same bytes."""
    return (json.dumps(said, indent=1, sort_keys=True) + "\n").encode()


def recorded(lab: Lab) -> Reference:
    """The lab's reference. Raises LabError where there is none: an image without one could not be verified."""
    if told := reference.load(lab):
        return told
    raise LabError(
        f"{lab.id} has no reference.json.\nWhoever gets its image would have nothing to hold a new run against.\n"
        f"Type `gaplab record {lab.id}` to make this machine's run the reference."
    )


def rows_of(told: Reference, preset: str) -> list[Row]:
    """The recorded trials of one preset."""
    recipes = told.recipes.get(preset, {})
    return [row for row in told.rows if row.recipe == recipes.get(row.variant)]


def files(root: Path, under: Iterable[str] = (".",)) -> dict[str, str]:
    """Path below the root -> sha256, of every file but byte code, which the image leaves out as well."""
    found = (path for name in under for path in ((root / name).rglob("*") if (root / name).is_dir() else [root / name]))
    kept = (path for path in found if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in kept}


def _verdicts(lab: Lab, told: Reference, preset: str) -> dict[str, str]:
    rows = rows_of(told, preset)
    return {f"{one.claim.name} {one.variant}": str(one.then) for one in compare(lab, rows, rows, same_class=True)}
