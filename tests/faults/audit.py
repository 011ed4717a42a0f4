"""What must be true when the storm is over, whatever happened in it."""

from pathlib import Path
from typing import TYPE_CHECKING

from labs.kit import folders, spool, tracking
from labs.kit.plan import Trial
from labs.kit.spool import Entry

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

Number = tuple[str, int, int, float]
"""Name, step, time, value."""


def audit(uri: str, trials: list[Trial]) -> None:
    """Every trial finished once; every attempt one run, equal to its record to the last bit; nothing runs."""
    mlflow = tracking.client(uri)
    runs = _runs(mlflow)
    records = [record for folder in folders.every() for record in spool.attempts(Path(folder.path))]
    told = {entries[0]["attempt"]: entries for record in records if (entries := list(spool.read(record)))}
    assert sorted(runs) == sorted(told), "every attempt that began is one run, and every run is an attempt"
    for attempt, entries in told.items():
        _equal(mlflow, runs[attempt], entries)
    finished = [run.data.tags["gaplab.trial"] for run in runs.values() if run.info.status == "FINISHED"]
    assert sorted(finished) == sorted(trial.key for trial in trials), "each trial finished, and finished once"


def _runs(mlflow: "MlflowClient") -> "dict[str, Run]":
    """Attempt -> run; no attempt has two."""
    found: list[Run] = []
    token = None
    while True:
        page = mlflow.search_runs(tracking.experiments(mlflow), max_results=200, page_token=token)
        found += page
        token = page.token
        if not token:
            break
    runs = {run.data.tags["gaplab.attempt"]: run for run in found}
    assert len(runs) == len(found), "an attempt has two runs"
    return runs


def _equal(mlflow: "MlflowClient", run: "Run", entries: list[Entry]) -> None:
    begin, end = entries[0], entries[-1]
    status = end["status"] if end["is"] == "end" else "KILLED"
    assert (run.info.status, run.info.start_time, run.info.end_time) == (status, begin["t"], end["t"])
    assert run.data.params == begin["params"]
    assert run.data.tags.items() >= begin["tags"].items()
    recorded = {
        (name, entry["step"], entry["t"], value)
        for entry in entries
        if entry["is"] in ("point", "end")
        for name, value in entry["v"].items()
    }
    assert _numbers(mlflow, run) == sorted(recorded)


def _numbers(mlflow: "MlflowClient", run: "Run") -> list[Number]:
    """Every number of the run, each as often as MLflow has it."""
    histories = [mlflow.get_metric_history(run.info.run_id, name) for name in run.data.metrics]
    return sorted((p.key, p.step, p.timestamp, p.value) for points in histories for p in points)
