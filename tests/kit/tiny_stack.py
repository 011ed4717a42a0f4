"""A stack of one small package, in a folder of its own: everything real but its size."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from labs.kit import places
from labs.kit.stack import Stack, uv

PACKAGE = "iniconfig"
SMOKE = "import iniconfig\nprint('tiny: ok')\n"


def pinned(package: str = PACKAGE) -> str:
    """The lines of the tabular stack's lock that pin a package: true hashes, written nowhere twice."""
    found = re.search(
        rf"^{package}==(.*\\\n)+.*\n", (places.ROOT / "images/tabular/cpu.lock").read_text(), re.MULTILINE
    )
    assert found
    return found[0]


def write(images: Path, name: str = "tiny", requirements: str = PACKAGE, smoke: str = SMOKE) -> Path:
    """Write a stack's folder and return it."""
    folder = images / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "requirements.in").write_text(requirements + "\n")
    (folder / "cpu.lock").write_text(pinned())
    (folder / "smoke.py").write_text(smoke)
    return folder


def settle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """Point the kit at a home and images of the test's own, which hold one small stack, and return that."""
    monkeypatch.setenv("GAPLAB_UV", str(uv.find()))
    monkeypatch.setenv("GAPLAB_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(places, "IMAGES", tmp_path / "images")
    write(tmp_path / "images")
    return Stack("tiny")


def building(images: Path, on_line: str = "print(line, flush=True)") -> list[str]:
    """A command that builds the stack; `on_line` is what it does with each `line`. It ends with the error."""
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom labs.kit import places\n"
        f"places.IMAGES = Path({str(images)!r})\nfrom labs.kit.errors import LabError\n"
        f"from labs.kit.stack import Stack, build\ndef on_line(line):\n    {on_line}\n"
        "try:\n    build(Stack('tiny'), on_line)\nexcept LabError as problem:\n    sys.exit(str(problem))\n"
    )
    return [sys.executable, "-c", code]


def start(command: list[str]) -> subprocess.Popen[str]:
    """The command, running in the checkout, with what it prints kept."""
    return subprocess.Popen(
        command, cwd=places.ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )


def sentences(problem: object) -> list[str]:
    """The sentences of an error; what uv said stands in brackets and is none of them."""
    return re.split(r"\. (?=[A-Z])", re.sub(r" \(uv: .*?\)(?=\. [A-Z])", "", str(problem)))
