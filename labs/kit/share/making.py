"""A lab as an image: built by bake on the layers of its stack, pushed to a registry or saved as a file."""

import gzip
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from docker.errors import APIError
from docker.utils import parse_repository_tag
from requests.exceptions import RequestException

from labs.kit import places, reference
from labs.kit.containers import images
from labs.kit.containers.daemon import daemon
from labs.kit.errors import LabError
from labs.kit.share import manifest, signature
from labs.kit.stack import Stack, uv
from labs.kit.words import Lab

PATIENCE = 1800
"""Seconds that the engine may take over one image: it says nothing while it packs and unpacks gigabytes."""
_PUSHED = re.compile(r"digest: (sha256:[0-9a-f]{64}) size")


def build(lab: Lab, key: Path | None = None, on_line: uv.Told = lambda line: None) -> Any:
    """Build the lab's image, signed if a key is given. Raises LabError where its reference is stale or missing."""
    stack = Stack(lab.stack)
    _refuse_stale(lab)
    held = manifest.files(places.ROOT, ["labs/__init__.py", "labs/kit", f"labs/{lab.id}", f"images/{lab.stack}"])
    said = manifest.describe(lab, stack.device, held)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, manifest.NAME)
        path.write_bytes(manifest.encode(said))
        if key:
            signature.sign(path, key)
        changed = {"target": "share", "tags": tag_of(lab, stack), "contexts.manifest": folder, "args.LAB": lab.id}
        changed |= {f"labels.{label}": value for label, value in manifest.labels(said).items()}
        images.build([stack], (), on_line, [f"{stack.name}.{place}={value}" for place, value in changed.items()])
    return daemon().images.get(tag_of(lab, stack))


def name_of(lab: Lab) -> str:
    """What images of the lab are called here."""
    return f"{manifest.OURS}{lab.name}"


def tag_of(lab: Lab, stack: Stack) -> str:
    """What the one that was built here is called."""
    return f"{name_of(lab)}:{stack.device}"


def push(image: Any, name: str) -> str:
    """Push the image under a name of a registry; NAME@sha256:… that whoever is to get it needs."""
    repository, tag = parse_repository_tag(name)
    daemon().api.timeout = PATIENCE
    digest = ""
    try:
        image.tag(repository, tag or "latest")
        for line in daemon().api.push(repository, tag or "latest", stream=True, decode=True):
            if "error" in line:
                raise _not_pushed(name, str(line["error"]))
            told = _PUSHED.search(line.get("status", ""))  # every engine's last line; `aux` is not in all
            digest = told[1] if told else digest
    except (APIError, RequestException) as problem:
        raise _not_pushed(name, str(getattr(problem, "explanation", None) or problem)) from problem
    finally:
        with suppress(APIError):  # the registry has it under that name; here it would hide a newer one
            daemon().api.remove_image(f"{repository}:{tag or 'latest'}", noprune=True)
    return f"{repository}@{digest}"


def refuse_nowhere(path: Path) -> None:
    """Raise LabError where no file can be written: found out by save(), it costs minutes."""
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise LabError(
            f"{path}: no file can be written there.\nThe image would have nowhere to go, so nothing was begun.\n"
            "Name a file in a folder that is there and that you may write to, for example: intervals.tar.gz"
        )


def save(image: Any, path: Path) -> str:
    """Write the image to one file, without a name that would replace one of the reader's; FILE@sha256:… of it."""
    daemon().api.timeout = PATIENCE
    part = path.with_name(f"{path.name}.part")
    try:
        with gzip.open(part, "wb", 1) if path.name.endswith("gz") else part.open("wb") as file:
            for chunk in image.save():
                file.write(chunk)
        part.replace(path)
    except OSError as problem:  # the disk's, or the engine's
        raise LabError(
            f"{path} could not be written: {problem}.\nHalf an image is no image, so nothing was left there.\n"
            f"Make room ({image.attrs['Size'] // 10**6} MB are wanted) or name another place, and type it again."
        ) from problem
    finally:
        part.unlink(missing_ok=True)
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
