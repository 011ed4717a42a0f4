"""Locks for all stacks from one resolution: what stacks share has one version, unless two of them pin it apart."""

import re
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from labs.kit import places
from labs.kit.stack import uv
from labs.kit.stack.found import Stack, find

_COMPILE = (
    *("pip", "compile", "--quiet", "--generate-hashes", "--no-header", "--no-annotate", "--no-emit-find-links"),
    *("--python-version", "3.11", "--python-platform", "x86_64-manylinux_2_28"),
)


def lock(
    stacks: Sequence[Stack] = (), device: str = "cpu", upgrade: bool = False, on_line: uv.Told = lambda line: None
) -> list[Path]:
    """Write the locks of the stacks (all, and those of images/*.in that have one, if none is given) and return them.

    Versions stay as they are unless a requirement says otherwise, or `upgrade` does. A failure changes no lock.
    """
    known = [Stack(stack.name, device) for stack in find()]
    wanted = {Stack(stack.name, device).lock: stack.folder / "requirements.in" for stack in stacks or known}
    if not stacks:
        wanted |= {own.with_suffix(".lock"): own for own in _tools()}
    links = uv.find_links(None, device)
    with tempfile.TemporaryDirectory() as folder:
        together, asked = Path(folder, "together.lock"), Path(folder, "together.in")
        agreed, apart = _agreeable(known)
        asked.write_text("\n".join(agreed))
        together.write_text("" if upgrade else _present(known))
        left_out = [word for name in apart for word in ("--no-emit-package", name)]
        uv.run([*_COMPILE, *links, *left_out, asked, "-o", together], places.IMAGES, on_line)
        for number, (path, requirements) in enumerate(wanted.items()):
            made = Path(folder, f"{number}.lock")
            made.write_text(path.read_text() if path.exists() and not upgrade else "")
            uv.run([*_COMPILE, *links, "-c", together, requirements, "-o", made], path, on_line)
        for number, path in enumerate(wanted):
            _replace(path, Path(folder, f"{number}.lock").read_text())
    return list(wanted)


def _tools() -> list[Path]:
    """What is locked beside the stacks: uv, which makes every venv, and the Jupyter server of containers."""
    return sorted(path for path in places.IMAGES.glob("*.in") if path.with_suffix(".lock").exists())


def _agreeable(stacks: Sequence[Stack]) -> tuple[list[str], list[str]]:
    """What all stacks ask for, and the packages that two of them pin to different versions: there they may differ."""
    lines = {line for stack in stacks for line in _requirements(stack.folder / "requirements.in")}
    pins = defaultdict(set)
    for line in lines:
        name, _, version = line.partition("==")
        pins[name].add(version)
    apart = sorted(name for name, versions in pins.items() if len(versions) > 1)
    return sorted(line for line in lines if line.partition("==")[0] not in apart), apart


def _requirements(path: Path) -> set[str]:
    """The lines of a requirements file and of those it includes."""
    lines: set[str] = set()
    for line in (raw.partition("#")[0].strip() for raw in path.read_text().splitlines()):
        lines |= _requirements(path.parent / line[2:].strip()) if line.startswith("-r") else {line} - {""}
    return lines


def _present(stacks: Sequence[Stack]) -> str:
    """The versions that the locks hold now, each package once: uv keeps to them where it can."""
    texts = [stack.lock.read_text() for stack in stacks if stack.lock.exists()]
    pins = [re.match(r"[\w.\-\[\]]+==\S+", line) for text in texts for line in text.splitlines()]
    found = {pin[0].partition("==")[0]: pin[0] for pin in pins if pin}
    return "\n".join(sorted(found.values())) + "\n"


def _replace(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)
