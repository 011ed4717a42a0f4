"""What has been recorded: one row a finished trial, from the mirror of MLflow and from the records that MLflow lacks.

Ten thousand folders are listed, not opened: a folder's name says which trial it holds, so only those whose trial the
mirror does not know as finished are read, and what was read once is kept beside the mirror.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from labs.kit import folders, spool
from labs.kit import mirror_store as store
from labs.kit.lock import Busy
from labs.kit.plan import Trial

CURVES = ("curve.", "predicted.curve.")
"""How the names of curves begin; a curve's latest value is no measurement."""


@dataclass(frozen=True)
class Row:
    """One finished trial."""

    key: str
    lab: str
    variant: str
    seed: int
    recipe: str
    preset: str
    stack: str
    run_id: str | None
    """MLflow's; None for a record that is not there (yet)."""
    attempt: int
    end_ms: int
    numbers: Mapping[str, float]
    """Claims, `predicted.<claim>`, observations."""
    origin: Literal["mlflow", "spool", "reference"]


@dataclass(frozen=True)
class Failure:
    """A trial that has not finished and that nobody runs: how its last attempt ended."""

    key: str
    lab: str
    variant: str
    seed: int
    recipe: str
    attempt: int
    status: str
    """FAILED, or KILLED."""
    message: str
    end_ms: int
    run_id: str | None


def rows(lab: str | None = None) -> list[Row]:
    """One row for every finished trial, of one lab or of all: the run that ended first, where there are several."""
    found: dict[str, Row] = {}
    for run in store.finished(lab):
        found.setdefault(run.key, _row_of_run(run))
    for row in _recorded(lab, list(found.values())):
        found.setdefault(row.key, row)
    return list(found.values())


def surplus(lab: str | None = None) -> list[Row]:
    """Finished runs of a trial that another run finished before: listed, never counted."""
    seen: set[str] = set()
    left = []
    for run in store.finished(lab):
        if run.key in seen:
            left.append(_row_of_run(run))
        seen.add(run.key)
    return left


def row_of(trial: Trial, ended: spool.Attempt) -> Row:
    """A finished attempt as a row."""
    told = (trial.key, trial.lab, trial.variant, trial.seed, trial.recipe, trial.preset, trial.stack)
    return Row(*told, None, ended.number, ended.end_ms, dict(ended.values), "spool")


def failed(lab: str | None = None) -> list[Failure]:
    """Trials that raised or were killed, and have not finished since."""
    finished = rows(lab)
    done = {row.key for row in finished}
    last: dict[str, Failure] = {}
    for run in store.unfinished(lab):
        if run.status != "RUNNING" and run.key not in done:
            last[run.key] = _failure_of_run(run)
    known = {_name_of(row) for row in finished}
    for home, folder in _folders(lab):
        if (home, folder.name) not in known and (fallen := _failure_of_record(Path(folder.path))):
            last[fallen.key] = fallen
    return sorted(last.values(), key=lambda fallen: (fallen.lab, fallen.variant, fallen.seed))


def _folders(lab: str | None) -> "Iterator[tuple[str, os.DirEntry[str]]]":
    for home in [lab] if lab else folders.labs():
        for folder in folders.of_lab(home):
            yield home, folder


def _name_of(row: Row) -> tuple[str, str]:
    return row.lab, folders.name_of(row.variant, row.seed, row.recipe)


def _recorded(lab: str | None, mirrored: list[Row]) -> list[Row]:
    """The finished trials among the folders whose trial the mirror does not know as finished."""
    known = {_name_of(row) for row in mirrored}
    kept = {str(path): str(told) for path, told in store.read("SELECT folder, told FROM records")}
    found, fresh = [], {}
    for home, folder in _folders(lab):
        if (home, folder.name) in known:
            continue
        stamp = f"{home}/{folder.name} {folder.stat().st_mtime_ns}"
        if stamp in kept:
            found.append(Row(**json.loads(kept[stamp])))
        elif row := _row_of_record(Path(folder.path)):
            found.append(row)
            fresh[stamp] = json.dumps(asdict(row))
    _keep(fresh)
    return found


def _keep(fresh: Mapping[str, str]) -> None:
    """Spare the next reader the reading. Only a saving: where another process writes the mirror, it is left out."""
    if fresh:
        try:
            with store.writing() as file:
                file.executemany("INSERT OR REPLACE INTO records VALUES (?, ?)", fresh.items())
                file.commit()
        except Busy:
            return


def _row_of_record(folder: Path) -> Row | None:
    for path in spool.attempts(folder):
        end = spool.last(path)
        begin = spool.first(path) if end and end["is"] == "end" and end["status"] == "FINISHED" else None
        if begin and end:
            told = begin["tags"]
            return Row(
                key=begin["trial"],
                lab=told["lab"],
                variant=told["variant"],
                seed=int(told["seed"]),
                recipe=told["recipe"],
                preset=told["preset"],
                stack=told["stack"],
                run_id=None,
                attempt=int(path.stem),
                end_ms=end["t"],
                numbers=end["v"],
                origin="spool",
            )
    return None


def _failure_of_record(folder: Path) -> Failure | None:
    """How the last attempt ended; None where it runs, or where nothing was begun."""
    records = spool.attempts(folder)
    begin = spool.first(records[-1]) if records else None
    if begin is None or spool.is_held(folder):
        return None
    end: Mapping[str, Any] = spool.last(records[-1]) or {}
    tags, dead = begin["tags"], end.get("is") != "end"
    return Failure(
        key=begin["trial"],
        lab=tags["lab"],
        variant=tags["variant"],
        seed=int(tags["seed"]),
        recipe=tags["recipe"],
        attempt=int(records[-1].stem),
        status="KILLED" if dead else end["status"],
        message="" if dead else end["message"],
        end_ms=int(end.get("t", begin["t"])),
        run_id=None,
    )


def _row_of_run(run: store.Run) -> Row:
    numbers = {name: value for name, value in run.numbers.items() if not name.startswith(CURVES)}
    told = (run.key, run.lab, run.variant, run.seed, run.recipe, run.preset, run.stack)
    return Row(*told, run.run_id, run.attempt, run.ended, numbers, "mlflow")


def _failure_of_run(run: store.Run) -> Failure:
    told = (run.key, run.lab, run.variant, run.seed, run.recipe)
    return Failure(*told, run.attempt, run.status, run.tags.get("message", ""), run.ended, run.run_id)
