"""What must be true when the storm is over, whatever happened in it."""

from pathlib import Path

from labs.kit import folders, rest, spool
from labs.kit.plan import Trial
from labs.kit.spool import Entry

Number = tuple[str, int, int, float]
"""Name, step, time, value."""


def audit_lab(uri: str, lab: str, trials: list[Trial]) -> None:
    """Every trial finished once; every attempt one run, equal to its record to the last bit; nothing runs."""
    mlflow = rest.Mlflow(uri)
    runs = _runs(mlflow, mlflow.experiment(lab))
    records = [record for folder in folders.of_lab(lab) for record in spool.attempts(Path(folder.path))]
    told = {entries[0]["attempt"]: entries for record in records if (entries := list(spool.read(record)))}
    assert sorted(runs) == sorted(told), "every attempt that began is one run, and every run is an attempt"
    for attempt, entries in told.items():
        _equal(mlflow, runs[attempt], entries)
    finished = [_tags(run)[rest.KEY] for run in runs.values() if run["info"]["status"] == "FINISHED"]
    assert sorted(finished) == sorted(trial.key for trial in trials), "each trial finished, and finished once"


def _runs(mlflow: rest.Mlflow, home: str) -> dict[str, rest.Run]:
    """Attempt -> run; no attempt has two."""
    found = [run for page in mlflow.runs([home]) for run in page]
    runs = {_tags(run)[rest.ATTEMPT]: run for run in found}
    assert len(runs) == len(found), "an attempt has two runs"
    return runs


def _equal(mlflow: rest.Mlflow, run: rest.Run, entries: list[Entry]) -> None:
    begin, end, info = entries[0], entries[-1], run["info"]
    status = end["status"] if end["is"] == "end" else "KILLED"
    assert (info["status"], info["start_time"], info["end_time"]) == (status, begin["t"], end["t"])
    assert rest.pairs(run["data"]["params"]) == begin["params"]
    assert _tags(run).items() >= begin["tags"].items()
    recorded = {
        (name, entry["step"], entry["t"], value)
        for entry in entries
        if entry["is"] in ("point", "end")
        for name, value in entry["v"].items()
    }
    assert _numbers(mlflow, run) == sorted(recorded)


def _numbers(mlflow: rest.Mlflow, run: rest.Run) -> list[Number]:
    """Every number of the run, each as often as MLflow has it."""
    names = [metric["key"] for metric in run["data"].get("metrics", [])]
    points = [point for name in names for point in mlflow.history(run["info"]["run_id"], name)]
    return sorted((point["key"], point["step"], point["timestamp"], point["value"]) for point in points)


def _tags(run: rest.Run) -> dict[str, str]:
    return rest.pairs(run["data"]["tags"])
