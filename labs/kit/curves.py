"""The curves of one finished trial, thin enough to draw: from its record on this disk, or from MLflow, once."""

import json
from collections.abc import Iterable, Mapping, Sequence

from labs.kit import mirror_store as store
from labs.kit import places, spool
from labs.kit.folders import name_of
from labs.kit.lock import Busy
from labs.kit.rest import Mlflow
from labs.kit.rows import CURVES, Row

POINTS = 200
"""As many as a figure can show."""

Curve = tuple[list[int], list[float]]
"""Steps, values."""


def of(row: Row, uri: str) -> dict[str, Curve]:
    """Every curve that belongs to a claim, measured and predicted, under the name it was logged with.

    A finished trial's curves never change, so what MLflow was asked for once is kept. Raises rest.Away where it
    must be asked and does not answer.
    """
    folder = places.trials() / row.lab / name_of(row.variant, row.seed, row.recipe)
    if ended := spool.finished(folder):
        return of_points(ended.points)
    return _kept(row.run_id) or _asked(row.run_id, uri) if row.run_id else {}


def of_points(points: Iterable[tuple[int, Mapping[str, float]]], most: int = POINTS) -> dict[str, Curve]:
    """The curves among a trial's points."""
    made: dict[str, list[tuple[int, float]]] = {}
    for step, values in points:
        for name, value in values.items():
            if name.startswith(CURVES):
                made.setdefault(name, []).append((step, value))
    return {name: thin(found, most) for name, found in sorted(made.items())}


def thin(points: Sequence[tuple[int, float]], most: int = POINTS) -> Curve:
    """At most so many of the points, evenly, the first and the last among them.

    >>> thin([(step, step / 2) for step in range(101)], most=3)
    ([0, 50, 100], [0.0, 25.0, 50.0])
    """
    last = len(points) - 1
    places = sorted({round(i * last / (most - 1)) for i in range(most)}) if len(points) > most else range(len(points))
    return [points[place][0] for place in places], [points[place][1] for place in places]


def _kept(run_id: str) -> dict[str, Curve]:
    told = store.read("SELECT name, steps, numbers FROM curves WHERE run_id = ?", (run_id,))
    return {str(name): (json.loads(str(steps)), json.loads(str(values))) for name, steps, values in told}


def _asked(run_id: str, uri: str) -> dict[str, Curve]:
    mlflow = Mlflow(uri)
    run = mlflow.run(run_id)
    names = {metric["key"] for metric in run["data"].get("metrics", [])} if run else set()
    made = {name: _history(mlflow, run_id, name) for name in sorted(names) if name.startswith(CURVES)}
    try:
        with store.writing(patience=1.0) as file:
            rows = [(run_id, name, json.dumps(steps), json.dumps(values)) for name, (steps, values) in made.items()]
            file.executemany("INSERT OR REPLACE INTO curves VALUES (?, ?, ?, ?)", rows)
            file.commit()
    except Busy:  # a sync is writing: it is asked for once more next time
        return made
    return made


def _history(mlflow: Mlflow, run_id: str, name: str) -> Curve:
    points = sorted(mlflow.history(run_id, name), key=lambda point: (point["step"], point["timestamp"]))
    return thin([(point["step"], point["value"]) for point in points])
