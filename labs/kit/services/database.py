"""MLflow's database: SQLite in write-ahead mode, so that the page reads while trials are recorded."""

import sqlite3
from contextlib import closing
from pathlib import Path

from labs.kit import places
from labs.kit.errors import LabError

PATIENCE = 5.0
"""Seconds to wait for a program that is writing."""


def path() -> Path:
    """The one file that holds every recorded trial."""
    return places.home() / "mlflow.db"


def prepare() -> None:
    """Make the database where there is none and put it into write-ahead mode.

    MLflow leaves SQLite in rollback mode, in which one open reader makes every writer fail after 20 s.
    Raises LabError where the file is locked, read-only, damaged, or on a disk that cannot do it.
    """
    places.home().mkdir(parents=True, exist_ok=True)
    problem = problem_of(path())
    if problem:
        raise LabError(problem)


def problem_of(database: Path) -> str:
    """What is wrong with the database, in three sentences; empty where it can be written and is in write-ahead mode."""
    try:
        with closing(sqlite3.connect(database, timeout=PATIENCE, isolation_level=None)) as link:
            mode = link.execute("PRAGMA journal_mode=WAL").fetchone()[0]
            link.execute("BEGIN IMMEDIATE")
            link.execute("ROLLBACK")
    except sqlite3.Error as problem:
        return _in_words(database, problem)
    if mode != "wal":
        return (
            f"{database}: this disk cannot hold a database in write-ahead mode (it stays in {mode!r}).\n"
            "Without that mode a page that reads makes the trials that write fail.\n"
            "Put it on a local Linux disk: type `make up GAPLAB_HOME=$HOME/gaplab`."
        )
    return ""


def _in_words(database: Path, problem: sqlite3.Error) -> str:
    said = str(problem)
    if "locked" in said:
        return (
            f"{database}: the database is locked: another program has been writing to it for {PATIENCE:.0f} s.\n"
            "MLflow could record nothing while that lasts; no finished trial is lost.\n"
            f"End that program (`fuser {database}` names it), then type `make up` again."
        )
    if "readonly" in said or "unable to open" in said:
        return (
            f"{database}: the database cannot be written ({said}).\n"
            "MLflow could then record no trial, and the page would never change.\n"
            f"Give yourself the right to write there: type `chmod u+w {database.parent} {database}`."
        )
    if "full" in said or "disk I/O" in said:
        return (
            f"{database}: the disk does not take what is written to it ({said}).\n"
            "MLflow could then record no trial; those that are recorded are safe.\n"
            "Make room (`gaplab clean` says what can go), or type `make up GAPLAB_HOME=/another/disk`."
        )
    return (
        f"{database}: SQLite cannot use this file ({said}).\n"
        "MLflow keeps every recorded trial in it; the trials' own records stand apart and are sent again.\n"
        f"Type `cd {database.parent} && mkdir damaged && mv {database.name}* damaged/`, then `make up`."
    )
