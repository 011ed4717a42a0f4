"""The curves of one finished trial, thin enough to draw: from its record on this disk, or from MLflow, once."""

import json
from collections.abc import Iterable, Mapping, Sequence

from labs.kit import mirror_store as store
from labs.kit import places, spool, tracking
from labs.kit.folders import name_of
from labs.kit.lock import Busy
from labs.kit.rows import CURVES, Row

POINTS = 200
"""As many as a figure can show."""

Curve = tuple[list[int], list[float]]
"""Steps, values."""


def of(row: Row, uri: str) -> dict[str, Curve]:
    """Every curve that belongs to a claim, measured and predicted, by its name without `curve.`… as it was logged.

    A finished trial's curves never change, so what MLflow was asked for once is kept. Raises tracking.Away where it
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
    with tracking.answers():
        mlflow = tracking.client(uri)
        run = tracking.run_or_none(mlflow, run_id)
        names = sorted(name for name in run.data.metrics if name.startswith(CURVES)) if run else []
        found = {name: mlflow.get_metric_history(run_id, name) for name in names}
    made = {name: thin([(p.step, p.value) for p in sorted(points, key=_order)]) for name, points in found.items()}
    try:
        with store.writing(patience=1.0) as file:
            rows = [(run_id, name, json.dumps(steps), json.dumps(values)) for name, (steps, values) in made.items()]
            file.executemany("INSERT OR REPLACE INTO curves VALUES (?, ?, ?, ?)", rows)
            file.commit()
    except Busy:  # a sync is writing: it is asked for once more next time
        return made
    return made


def _order(point: object) -> tuple[int, int]:
    return point.step, point.timestamp  # type: ignore[attr-defined]
