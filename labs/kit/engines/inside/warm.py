"""Imported once by the process that trials are forked from: whatever the labs of the stack import, is imported here.

A cold process spends 6 to 12 seconds importing trl; a fork of one that has it starts in a tenth of a second. Nothing
but the import lines of their files is run, so nothing of a trial is computed before it begins.
"""

import ast
import gc
import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from labs.kit import catalogue, places
from labs.kit.engines.inside import leash
from labs.kit.errors import LabError


def _sources(stack: str) -> Iterator[Path]:
    """Where the imports are written: in the labs that run in this stack."""
    for path in sorted(places.labs().glob("*/*/lab.toml")):
        try:
            lab = catalogue.read(path.parent)
        except LabError:  # nobody can plan a trial of it
            continue
        if stack in lab.stacks:
            yield lab.folder / "practice.py"
            yield lab.folder / "theory.py"


def _import_all(stack: str) -> None:
    """Run the import lines. One that fails is told on stderr and left to the trial, which raises it with its place."""
    for path in filter(Path.is_file, _sources(stack)):
        try:
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.Import | ast.ImportFrom):
                    exec(compile(ast.Module([node], []), str(path), "exec"), {})
        except Exception:
            traceback.print_exc()
    _call_compiled()
    gc.collect()
    gc.freeze()  # trials then share these pages instead of copying them at their first collection


def _call_compiled() -> None:
    """Call one compiled function: the first one takes Numba a quarter of a second, which every fork would pay anew."""
    if numba := sys.modules.get("numba"):
        numba.njit(cache=True)(_draw)(sys.modules["numpy"].random.default_rng(0))


def _draw(rng: Any) -> float:
    return float(rng.random())


if leash.tie_by_environment():
    _import_all(os.environ["GAPLAB_STACK"])
