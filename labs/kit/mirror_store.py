"""The file behind the mirror: SQLite in WAL mode, read by anybody at any time, written under a lock by one at a time.

It holds nothing that cannot be had again from MLflow and the trials' records, so it may be deleted.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labs.kit import places
from labs.kit.errors import LabError
from labs.kit.lock import lock

VERSION = 1
_TABLES = """
CREATE TABLE runs (run_id TEXT PRIMARY KEY, experiment TEXT, key TEXT, attempt INTEGER, lab TEXT, variant TEXT,
    seed INTEGER, recipe TEXT, preset TEXT, stack TEXT, status TEXT, start INTEGER, ended INTEGER, numbers TEXT,
    tags TEXT, round INTEGER);
CREATE INDEX runs_of_lab ON runs (lab, status);
CREATE INDEX runs_by_end ON runs (ended);
CREATE TABLE gone (run_id TEXT PRIMARY KEY);
CREATE TABLE curves (run_id TEXT, name TEXT, steps TEXT, numbers TEXT, PRIMARY KEY (run_id, name));
CREATE TABLE records (folder TEXT PRIMARY KEY, told TEXT);
CREATE TABLE state (name TEXT PRIMARY KEY, told TEXT);
"""


@dataclass(frozen=True)
class Run:
    """One attempt at a trial, as MLflow has it."""

    run_id: str
    experiment: str
    """MLflow's id of it, for links."""
    key: str
    attempt: int
    lab: str
    variant: str
    seed: int
    recipe: str
    preset: str
    stack: str
    status: str
    start: int
    ended: int
    """Unix milliseconds; 0 while it runs."""
    numbers: Mapping[str, float]
    """The latest value of every metric."""
    tags: Mapping[str, str]


_FIELDS = tuple(Run.__dataclass_fields__)
_INSERT = f"INSERT OR REPLACE INTO runs VALUES ({', '.join('?' * (len(_FIELDS) + 1))})"


def path() -> Path:
    """Where the mirror stands."""
    return places.home() / "mirror.db"


@contextmanager
def writing(patience: float = 0.0) -> Iterator[sqlite3.Connection]:
    """The file, for its one writer; made if it is not there. Raises Busy where another process writes."""
    path().parent.mkdir(parents=True, exist_ok=True)
    with lock(path().with_name("mirror.lock"), patience), _open() as file:
        if file.execute("PRAGMA user_version").fetchone()[0] != VERSION:
            _begin_anew(file)
        yield file


@contextmanager
def _open() -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(path(), timeout=10)) as file:
            file.execute("PRAGMA synchronous = NORMAL")
            yield file
    except sqlite3.DatabaseError as problem:
        raise LabError(
            f"{path()}: cannot be used: {problem}.\nThe page and `gaplab show` read it instead of MLflow.\n"
            f"It holds nothing of its own: make sure there is room on the disk, then rm {path()}*"
        ) from problem


def _begin_anew(file: sqlite3.Connection) -> None:
    file.execute("PRAGMA journal_mode = WAL")
    tables = file.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    drops = "".join(f"DROP TABLE {name};" for (name,) in tables)
    file.executescript(f"BEGIN; {drops} {_TABLES} PRAGMA user_version = {VERSION}; COMMIT;")


def finished(lab: str | None = None) -> list[Run]:
    """Every finished run, of one lab or of all, the earliest first; none where nothing was mirrored yet."""
    return _select("status = 'FINISHED'", lab)


def unfinished(lab: str | None = None) -> list[Run]:
    """Every other run: RUNNING, FAILED, KILLED."""
    return _select("status != 'FINISHED'", lab)


def _select(where: str, lab: str | None) -> list[Run]:
    told = f"SELECT {', '.join(_FIELDS)} FROM runs WHERE {where}{' AND lab = ?' if lab else ''} ORDER BY ended, run_id"
    return [_run(row) for row in read(told, (lab,) if lab else ())]


def read(told: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
    """The rows of a query; none where there is no mirror, or one of another version."""
    if not path().is_file():
        return []
    with _open() as file:
        if file.execute("PRAGMA user_version").fetchone()[0] != VERSION:
            return []
        return file.execute(told, values).fetchall()


def _run(row: Sequence[object]) -> Run:
    *plain, numbers, tags = row
    told: list[Any] = [*plain, json.loads(str(numbers)), json.loads(str(tags))]
    return Run(*told)


def put(file: sqlite3.Connection, runs: Iterable[Run], round_: int) -> int:
    """Write the runs, seen in this round of the sweep, and say how many are new or differ."""
    rows = {run.run_id: tuple(_row(run)) for run in runs}
    told = f"SELECT {', '.join(_FIELDS)} FROM runs WHERE run_id IN ({', '.join('?' * len(rows))})"
    known = {row[0]: row for row in file.execute(told, list(rows))}
    file.executemany(_INSERT, [(*row, round_) for row in rows.values()])
    return sum(known.get(run_id) != row for run_id, row in rows.items())


def _row(run: Run) -> Iterator[object]:
    for name in _FIELDS:
        value = getattr(run, name)
        yield json.dumps(dict(value), separators=(",", ":")) if isinstance(value, Mapping) else value


def drop(file: sqlite3.Connection, run_id: str) -> int:
    """Forget a run and its curves, and say whether it was there."""
    file.execute("DELETE FROM curves WHERE run_id = ?", (run_id,))
    return file.execute("DELETE FROM runs WHERE run_id = ?", (run_id,)).rowcount


def state(file: sqlite3.Connection, name: str, default: str = "") -> str:
    """A word that the last sync left for the next."""
    found = file.execute("SELECT told FROM state WHERE name = ?", (name,)).fetchone()
    return str(found[0]) if found else default


def remember(file: sqlite3.Connection, **told: object) -> None:
    """Leave words for the next sync."""
    file.executemany("INSERT OR REPLACE INTO state VALUES (?, ?)", [(name, str(value)) for name, value in told.items()])
