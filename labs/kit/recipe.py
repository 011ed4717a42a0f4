"""What makes a trial stale: a hash over everything that can change its numbers, and over nothing else.

In it: the resolved setting, theory.py, practice.py, the kit modules that they import (as syntax trees, so a comment,
a docstring or a line break changes nothing), and the lock of the stack. Not in it: `within`, words, made weights
(they may differ between CPU types and stand on the trial as a tag).
"""

import ast
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from labs.kit import places
from labs.kit.errors import LabError
from labs.kit.words import Lab, Value

_RECORDING = {f"labs.kit.{name}" for name in ("trial", "errors", "places", "lock", "spool")}
"""Kit modules that carry numbers to the disk but have no part in making them."""


def recipe(lab: Lab, setting: Mapping[str, Value], stack: str, device: str | None = None) -> str:
    """16 hex digits that change when a trial's numbers could."""
    told = {
        "setting": dict(sorted(setting.items())),
        "code": _code(lab.folder),
        "lock": lock_digest(stack, device or places.device()),
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True, allow_nan=False).encode()).hexdigest()[:16]


def lock_digest(stack: str, device: str) -> str:
    """sha256 of the stack's lock; the same for the venv and for the image made from it."""
    path = places.IMAGES / stack / f"{device}.lock"
    if not path.is_file():
        raise LabError(
            f"{path}: there is no such lock (device {device!r}).\n"
            "A trial says to the byte which packages it ran with, so without a lock nothing can be run or judged.\n"
            "Set GAPLAB_DEVICE to cpu or gpu, or type `gaplab stack lock`."
        )
    return _file_digest(path, _stamp(path))


def _code(folder: Path) -> dict[str, str]:
    files = {name: folder / name for name in ("theory.py", "practice.py")}
    files |= {module: path for module, path in _kit_modules(files.values())}
    return {name: _tree_digest(path, _stamp(path)) for name, path in sorted(files.items())}


def kit_modules(folder: Path) -> set[str]:
    """The kit modules that a lab's theory and practice import, directly or through each other."""
    return {module for module, _ in _kit_modules([folder / "theory.py", folder / "practice.py"])}


def _kit_modules(roots: Iterable[Path]) -> Iterator[tuple[str, Path]]:
    """The kit modules that the files import, and those that these import."""
    waiting, seen = list(roots), set[str]()
    while waiting:
        path = waiting.pop()
        for module in _imports(path, _stamp(path)):
            found = _path_of(module)
            if module in seen or found is None:
                continue
            seen.add(module)
            waiting.append(found)
            yield module, found


def _path_of(module: str) -> Path | None:
    stem = places.ROOT.joinpath(*module.split("."))
    for path in (stem.with_suffix(".py"), stem / "__init__.py"):
        if path.is_file():
            return path
    return None


@lru_cache(maxsize=512)
def _imports(path: Path, stamp: tuple[int, int]) -> tuple[str, ...]:
    """The labs.kit modules that one file imports, packages above them included."""
    found: set[str] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[:2] == ["labs", "kit"]:
                found |= {".".join(parts[:end]) for end in range(3, len(parts) + 1)}
    return tuple(sorted(found - _RECORDING))


@lru_cache(maxsize=512)
def _tree_digest(path: Path, stamp: tuple[int, int]) -> str:
    r"""Hash of the file's syntax tree without docstrings.

    >>> a, b = ast.parse('def f():\n    "says"\n    return 1'), ast.parse("def f(): return 1  # why")
    >>> ast.dump(_without_docstrings(a)) == ast.dump(_without_docstrings(b))
    True
    """
    return hashlib.sha256(ast.dump(_without_docstrings(parsed(path))).encode()).hexdigest()


def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file. Raises LabError where it has none."""
    try:
        return ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, OSError) as problem:
        raise _unreadable(path, problem) from None


def _unreadable(path: Path, problem: Exception) -> LabError:
    return LabError(
        f"{path}: cannot be read: {problem}.\n"
        "What a trial is made from decides whether it counts, so nothing of the lab can be run or judged.\n"
        "Mend that line, or take the file back with `git checkout`."
    )


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [part for part in body if not _is_text(part)]  # type: ignore[attr-defined]
    return tree


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


@lru_cache(maxsize=64)
def _file_digest(path: Path, stamp: tuple[int, int]) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _stamp(path: Path) -> tuple[int, int]:
    try:
        told = path.stat()
    except OSError as problem:
        raise _unreadable(path, problem) from None
    return told.st_mtime_ns, told.st_size
