"""One figure of the book, simulated once in a process of its own; prints the CPU seconds that it took.

    STACK/bin/python -m bench.inside.book ours LAB SETTINGS SMALL
    STACK/bin/python -m bench.inside.book theirs FILE FUNCTION

SETTINGS is a list in JSON, SMALL the numbers that make each of them small; FILE is a script of the replication.
Ours prints two numbers: the first, small call, which compiles or loads what is compiled, and the whole figure after it.
"""

import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

DRAWING = ("matplotlib", "matplotlib.pyplot", "mpl_toolkits", "mpl_toolkits.mplot3d", "mpl_toolkits.mplot3d.axes3d")


def main(way: str, *told: str) -> None:
    """Run one side."""
    taken = _ours(*told) if way == "ours" else _theirs(*told)
    sys.stdout.write(" ".join(f"{seconds:.6f}" for seconds in taken) + "\n")


def _ours(lab: str, settings: str, small: str) -> list[float]:
    from labs.kit.trial import Quiet

    practice, told = importlib.import_module(f"labs.{lab.replace('/', '.')}.practice"), json.loads(settings)

    def all_of(over: dict[str, Any]) -> None:
        for setting in told:
            practice.trial(0, Quiet(), **{**setting, **over})

    return [_cpu(lambda: all_of(json.loads(small))), _cpu(lambda: all_of({}))]


def _theirs(file: str, function: str) -> list[float]:
    """Plotting and progress bars are replaced by nothing, so that both sides do the same."""
    path = Path(file).resolve()
    for name in DRAWING:
        sys.modules[name] = _Nothing(name)
    bars = ModuleType("tqdm")
    bars.tqdm, bars.trange = (lambda items, *_, **__: items), range  # type: ignore[attr-defined]
    sys.modules["tqdm"] = bars
    os.chdir(path.parent)
    return [_cpu(getattr(_module(path), function))]


class _Nothing(ModuleType):
    """Takes every call and gives itself."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *_: object, **__: object) -> "_Nothing":
        return self

    def __iter__(self) -> Iterator["_Nothing"]:
        return iter((self, self))


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _cpu(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


if __name__ == "__main__":
    main(*sys.argv[1:])
