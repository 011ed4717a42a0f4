"""Judge the labs again, but only those that something happened to."""

import logging
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from labs.kit import catalogue, mirror_store, places, reference, results
from labs.kit.errors import LabError
from labs.kit.results import Failure, Judged, Row
from labs.kit.words import MECHANISMS, Lab

FILES = ("lab.toml", "theory.py", "practice.py", "reference.json")
EVERYTHING = 60.0
"""Seconds after which every lab is judged again, seen to change or not: somebody may have edited a kit module."""
Curves = Mapping[str, Mapping[str, tuple[Sequence[int], Sequence[float]]]]
"""trial key -> name -> (steps, values)"""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Known:
    """One lab as it was judged last."""

    lab: Lab | None
    """None where lab.toml could not be read."""
    judged: Sequence[Judged] = ()
    failures: Sequence[Failure] = ()
    curves: Curves = field(default_factory=dict)
    """Those of the reference."""
    names: Mapping[str, str] = field(default_factory=dict)
    """run id -> what the run is called in MLflow: anybody's words"""
    finished: int = 0
    newest_ms: int = 0
    wrong: str = ""
    """Why what stands here is from before, or missing."""
    open: frozenset[str] = frozenset()
    """Folders of trials that have not finished: what is written there decides whether to look again."""


class Judging:
    """Every lab, judged; look() again as often as you like."""

    def __init__(self) -> None:
        self.known: dict[str, Known] = {}
        self._stamps: dict[str, object] = {}
        self._mirrored: dict[str, object] = {}
        self._all_at = -EVERYTHING

    def look(self, stirred: bool) -> bool:
        """Judge what changed on this disk, and in the mirror if that `stirred`; whether anything is different now."""
        before, names = self.known, _names()
        everything = time.monotonic() - self._all_at > EVERYTHING
        if stirred or everything:
            self._mirrored = _mirrored()
        if everything:
            self._all_at = time.monotonic()
        self.known = {name: before[name] for name in names if name in before}
        for name, folder in names.items():
            old = self.known.get(name)
            if everything or self._stamps.get(name) != self._stamp(name, folder, old):
                self.known[name] = new = _judge(name, folder, old)
                self._stamps[name] = self._stamp(name, folder, new)
        self.known = _in_order(self.known)
        return self.known != before

    def _stamp(self, name: str, folder: Path, known: Known | None) -> object:
        return self._mirrored.get(name), _stamp(name, folder, known)


def _mirrored() -> dict[str, object]:
    """What differs, lab by lab, when a run that has ended came, went or was edited: a judgement knows no others."""
    told = "SELECT lab, COUNT(*), SUM(ended), SUM(LENGTH(numbers)), SUM(LENGTH(tags)), GROUP_CONCAT(DISTINCT status)"
    return {str(row[0]): row for row in mirror_store.read(f"{told} FROM runs WHERE status != 'RUNNING' GROUP BY lab")}


def _names() -> dict[str, Path]:
    """mechanism/name -> folder, in the order of the five mechanisms."""
    found = (path.parent for name in MECHANISMS for path in sorted(places.labs().glob(f"{name}/*/lab.toml")))
    return {f"{folder.parent.name}/{folder.name}": folder for folder in found}


def _in_order(known: Mapping[str, Known]) -> dict[str, Known]:
    """In the order of the learning path; those that cannot be read come last."""
    read = catalogue.in_order([one.lab for one in known.values() if one.lab])
    return {name: known[name] for name in [*(lab.id for lab in read), *known]}


def _judge(name: str, folder: Path, old: Known | None) -> Known:
    """The lab judged anew; what was known before, with the reason, where it cannot be."""
    try:
        lab = catalogue.read(folder)
        rows, failures, told = results.rows(lab.id), results.failed(lab.id), reference.load(lab)
        return Known(
            lab,
            judged=results.gaps(lab, rows, told.rows if told else [], failures),
            failures=failures,
            curves=told.curves if told else {},
            names=_run_names(lab.id),
            finished=len(rows),
            newest_ms=max((row.end_ms for row in rows), default=0),
            open=_open(name, rows),
        )
    except LabError as problem:
        return replace(old or Known(None), wrong=str(problem))
    except Exception as problem:  # a lab being edited must not take the others off the page
        _log.exception("%s could not be judged", name)
        return replace(old or Known(None), wrong=_unforeseen(name, problem))


def _run_names(lab: str) -> dict[str, str]:
    told = "SELECT run_id, json_extract(tags, '$.\"mlflow.runName\"') FROM runs WHERE lab = ?"
    return {str(run_id): str(name) for run_id, name in mirror_store.read(told, (lab,)) if name}


def _unforeseen(name: str, problem: Exception) -> str:
    return (
        f"{name} could not be judged: {type(problem).__name__}: {problem}.\n"
        "What the page shows of it is from before, or missing.\n"
        f"Type `gaplab check {name}` to see what is amiss."
    )


def _open(name: str, rows: Iterable[Row]) -> frozenset[str]:
    """The folders on this disk whose trial has not finished."""
    done = {f"{row.variant}-{row.seed}-{row.recipe[:8]}" for row in rows}
    return frozenset(_folders(name) - done)


def _folders(name: str) -> set[str]:
    with suppress(FileNotFoundError), os.scandir(places.trials() / name) as entries:
        return {entry.name for entry in entries}
    return set()


def _stamp(name: str, folder: Path, known: Known | None) -> object:
    """Differs when the lab's words, formulas or reference, or its trials on this disk, have changed."""
    files = [_size_and_time(folder / file) for file in FILES]
    home = places.trials() / name
    waiting = known.open if known else frozenset()
    records = [_size_and_time(path) for trial in sorted(waiting) for path in sorted((home / trial).glob("*.jsonl"))]
    return files, _size_and_time(home), records


def _size_and_time(path: Path) -> tuple[int, int]:
    try:
        told = path.stat()
    except FileNotFoundError:
        return 0, 0
    return told.st_size, told.st_mtime_ns
