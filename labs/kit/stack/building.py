"""A stack's venv, whole or not at all."""

import os
import shutil
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

from labs.kit import places
from labs.kit.errors import LabError
from labs.kit.sizes import of_stacks
from labs.kit.stack import uv
from labs.kit.stack.alone import alone, beside
from labs.kit.stack.found import MARKER, Stack
from labs.kit.stack.trouble import explain

_VENV = ("venv", "--quiet", "--no-project", "--relocatable")
"""Relocatable: scripts look for their interpreter beside themselves, so the folder may be renamed."""
_INSTALL = ("pip", "install", "--require-hashes", "--no-deps", "--compile-bytecode")


def build(stack: Stack, on_line: uv.Told = lambda line: None) -> Path:
    """Make the stack's venv from its lock, try it with its smoke.py, and return the venv; at once if it is there.

    It grows in a folder beside its place, under a file lock, and is renamed when complete. Whoever comes second waits;
    what a killed build has left is removed by the next one.
    """
    if stack.built:
        return stack.venv
    try:
        with alone(stack.venv, on_line) as held:
            if not stack.built:
                _make(stack, on_line, held)
    except OSError as problem:
        raise explain([str(problem)], stack.lock) from problem
    return stack.venv


def _make(stack: Stack, on_line: uv.Told, held: int) -> None:
    new, old = beside(stack.venv, "building"), beside(stack.venv, "old")
    for left in (new, old):
        shutil.rmtree(left, ignore_errors=True)
    try:
        uv.run([*_VENV, "--python", _interpreter(), new], stack.lock, on_line, [held])
        links = uv.find_links(stack.lock, stack.device)
        uv.run([*_INSTALL, "--python", new / "bin" / "python", *links, "-r", stack.lock], stack.lock, on_line, [held])
        if not stack.for_labs:
            _add_command(new)
        _smoke(stack, new, on_line, held)
        shutil.copyfile(stack.lock, new / MARKER)
        if stack.venv.exists():
            stack.venv.rename(old)
        new.rename(stack.venv)
        if stack.for_labs:
            of_stacks(stack.venv.parent)  # counted while the disk has it at hand, for `gaplab status`
    finally:
        for left in (new, old):
            shutil.rmtree(left, ignore_errors=True)


def _interpreter() -> str:
    """The Python under this one where it is 3.11, as locks want it; else uv looks for one, or fetches it."""
    return os.path.realpath(sys.executable) if sys.version_info[:2] == (3, 11) else "cpython@3.11"


def _add_command(venv: Path) -> None:
    """Put this checkout on the venv's path and write pyproject's scripts: editable, without a build backend."""
    packages = next(venv.glob("lib/python3*/site-packages"))
    # relative, so that a checkout that is moved keeps working
    there = places.ROOT / ".venv" / packages.relative_to(venv)
    (packages / "gaplab.pth").write_text(os.path.relpath(places.ROOT, there) + "\n")
    project = tomllib.loads((places.ROOT / "pyproject.toml").read_text())["project"]
    for name, target in project["scripts"].items():
        module, function = target.split(":")
        script = venv / "bin" / name
        script.write_text(_SCRIPT.format(module=module, function=function))
        script.chmod(script.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


_SCRIPT = """#!/bin/sh
'''exec' "$(dirname -- "$(realpath -- "$0")")/python" "$0" "$@"
' '''
import sys

from {module} import {function}

sys.exit({function}())
"""


def _smoke(stack: Stack, venv: Path, on_line: uv.Told, held: int) -> None:
    """Run the stack's smoke.py in its new venv: a stack that cannot do what its labs do is not there."""
    env = {**uv.environment(), "OMP_NUM_THREADS": "1", "PYTHONPATH": str(places.ROOT)}
    on_line(f"Trying the {stack.name} stack: {stack.name}/smoke.py")
    tried = subprocess.run(
        [venv / "bin" / "python", "-W", "ignore", stack.folder / "smoke.py"],
        env=env,
        cwd=places.ROOT,
        pass_fds=[held],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    said = [line for line in tried.stdout.splitlines() if line.strip()]
    for line in said:
        on_line(line)
    if tried.returncode:
        last = said[-1] if said else f"exit code {tried.returncode}"
        raise LabError(
            f"{stack.folder / 'smoke.py'} failed in the new {stack.name} stack: {last}. It does in small "
            "what the labs do, so every trial would fail too, and the stack is not kept. What it printed says why; "
            f"then type: gaplab stack build {stack.name}"
        )
