"""The trials' records on this disk, and the runs in MLflow that stand for them."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from labs.kit import folders, services, spool, standing, tracking
from labs.kit.backlog import Backlog
from labs.kit.errors import LabError
from labs.kit.examine.finding import Finding, State
from labs.kit.services.known import MLFLOW

if TYPE_CHECKING:
    from mlflow.entities import Run


def records() -> Iterator[Finding]:
    """Damage first; then what MLflow lacks is sent, if it answers, and what died is ended."""
    yield _damage()
    if not any(state.name == MLFLOW.name and state.state == "healthy" for state in standing.status()):
        waiting = len(Backlog().records())
        state = State.NOTE if waiting else State.WELL
        yield Finding("recording", state, f"{waiting} attempts wait for MLflow", standing.again() if waiting else "")
        return
    yield _send()
    yield _left_running()


def _damage() -> Finding:
    every = _every()
    damaged = [problem for path in every if (problem := _problem_of(path))]
    if not damaged:
        return Finding("records", State.WELL, f"{len(every)} attempts on this disk, every checksum fits")
    told = Finding.of_error("records", damaged[0])
    more = f" ({len(damaged)} such records)" if len(damaged) > 1 else ""
    return replace(told, told=told.told + more)


def _problem_of(record: Path) -> str:
    try:
        for _ in spool.read(record):
            pass
    except LabError as problem:
        return str(problem)
    except OSError as problem:
        return f"{record}: cannot be read: {problem.strerror}, so its numbers count nowhere.\nType: chmod u+r {record}"
    return ""


def _send() -> Finding:
    from labs.kit.shipper import ship_all

    waiting = len(Backlog().records())
    done = ship_all(services.tracking_uri())
    told = f"{waiting} attempts waited for MLflow; {done.ended} were sent to their end now, {done.waiting} wait or run"
    if done.problems:
        problem = Finding.of_error("recording", done.problems[0])
        return replace(problem, told=f"{told}. {problem.told}")
    return Finding("recording", State.WELL, told if waiting else "MLflow has every attempt")


def _left_running() -> Finding:
    lost = left_running()
    if not lost:
        return Finding("running", State.WELL, "every run that MLflow calls RUNNING is a living trial of this machine")
    told = f"{len(lost)} runs stand as RUNNING in MLflow whose records are not on this machine"
    return Finding("running", State.NOTE, told, "Unless another machine runs them: gaplab clean runs")


def left_running() -> "list[Run]":
    """Gaplab's runs that MLflow calls RUNNING and that no record on this machine accounts for."""
    mlflow = tracking.client(services.tracking_uri())
    known = {begin["attempt"] for begin in map(_begin, _every()) if begin}
    return [
        run
        for home in tracking.experiments(mlflow)
        for run in mlflow.search_runs([home], "attributes.status = 'RUNNING'", max_results=1000)
        if run.data.tags.get(tracking.ATTEMPT, "") not in {"", *known}
    ]


def _every() -> list[Path]:
    return [path for folder in folders.every() for path in spool.attempts(Path(folder.path))]


def _begin(record: Path) -> spool.Entry | None:
    with suppress(OSError, LabError):
        return spool.first(record)
    return None
