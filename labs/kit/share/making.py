"""A lab as an image: built by bake on the layers of its stack, pushed to a registry or saved as a file."""

import gzip
import hashlib
import tempfile
from pathlib import Path
from typing import Any

from docker.errors import APIError
from docker.utils import parse_repository_tag

from labs.kit import places, reference
from labs.kit.containers import images
from labs.kit.containers.daemon import daemon
from labs.kit.errors import LabError
from labs.kit.share import manifest, signature
from labs.kit.stack import Stack, uv
from labs.kit.words import Lab

LAB = "org.gaplab.lab"
MANIFEST = "org.gaplab.manifest-digest"
"""The label that holds the digest of the manifest."""
PATIENCE = 1800
"""Seconds that the engine may take over one image: it says nothing while it packs and unpacks gigabytes."""


def build(lab: Lab, key: Path | None = None, on_line: uv.Told = lambda line: None) -> Any:
    """Build the lab's image, signed if a key is given. Raises LabError where its reference is stale or missing."""
    stack = Stack(lab.stack)
    _refuse_stale(lab)
    held = manifest.files(places.ROOT, ["labs/__init__.py", "labs/kit", f"labs/{lab.id}", f"images/{lab.stack}"])
    said = manifest.encode(manifest.describe(lab, stack.device, held))
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, manifest.NAME).write_bytes(said)
        if key:
            signature.sign(Path(folder, manifest.NAME), key)
        changed = {
            "target": "share",
            "tags": name_of(lab, stack),
            "contexts.manifest": folder,
            "args.LAB": lab.id,
            "args.MANIFEST_DIGEST": hashlib.sha256(said).hexdigest(),
        }
        images.build([stack], (), on_line, [f"{stack.name}.{key}={value}" for key, value in changed.items()])
    return daemon().images.get(name_of(lab, stack))


def name_of(lab: Lab, stack: Stack) -> str:
    """What the lab's image is called here."""
    return f"gaplab-lab-{lab.name}:{stack.device}"


def push(image: Any, name: str) -> str:
    """Push the image under a name of a registry; NAME@sha256:… that whoever is to get it needs."""
    repository, tag = parse_repository_tag(name)
    if not image.tag(repository, tag or "latest"):
        raise _not_pushed(name, "the engine does not take that name")
    daemon().api.timeout = PATIENCE
    digest = ""
    try:
        for line in daemon().api.push(repository, tag or "latest", stream=True, decode=True):
            if "error" in line:
                raise _not_pushed(name, str(line["error"]))
            digest = line.get("aux", {}).get("Digest", digest)
    except APIError as problem:
        raise _not_pushed(name, str(problem.explanation)) from problem
    return f"{repository}@{digest}"


def save(image: Any, path: Path) -> str:
    """Write the image to one file, without a name that would replace one of the reader's; FILE@sha256:… of it."""
    daemon().api.timeout = PATIENCE
    part = path.with_name(f"{path.name}.part")
    try:
        with gzip.open(part, "wb", 1) if path.name.endswith("gz") else part.open("wb") as file:
            for chunk in image.save():
                file.write(chunk)
        part.replace(path)
    except OSError as problem:
        part.unlink(missing_ok=True)
        raise LabError(
            f"{path} could not be written: {problem}.\nHalf an image is no image, so nothing was left there.\n"
            f"Make room ({image.attrs['Size'] // 10**6} MB are wanted) or name another place, and type it again."
        ) from None
    return f"{path}@{image.id}"


def _refuse_stale(lab: Lab) -> None:
    manifest.recorded(lab)
    if old := reference.stale(lab):
        raise LabError(
            f"{lab.id}: the reference was recorded with other code or numbers (variant {', '.join(old)}).\n"
            "Its image would fail its own verification.\n"
            f"Type `gaplab record {lab.id}`, then the same command again."
        )


def _not_pushed(name: str, why: str) -> LabError:
    return LabError(
        f"The image could not be pushed to {name}: {why}.\nIt is built and whole on this machine; nobody else has it.\n"
        "Log in (`docker login REGISTRY`), look whether the registry answers, or hand on a file: `gaplab share save`."
    )
