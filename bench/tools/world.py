"""Ten thousand recorded trials of the labs that are here, as they lie on disk and in MLflow after months.

Records are written by the spool. MLflow makes its database; its rows are put in as the shipper would leave them, which
takes seconds instead of a quarter of an hour. The mirror is read from that MLflow. Made once for a state of the labs.
"""

import hashlib
import shutil
import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from bench.tools.figures import progress
from bench.tools.home import scratch
from labs.kit import ack, catalogue, mirror, mirror_store, places, results, services, spool, tracking
from labs.kit.plan import Trial, plan
from labs.kit.services import database
from labs.kit.trial import _header as header
from labs.kit.words import Lab

TRIALS = 10_000
CURVED, STEPS = 10, 200
"""Every tenth trial has a curve of so many steps, which is what an average of labs has."""
Rows = dict[str, list[tuple[Any, ...]]]


def world(count: int = TRIALS) -> Path:
    """A home that holds `count` finished trials; made where it is missing. Copy it before changing it."""
    labs = catalogue.pick([])
    variants = sum(len(lab.variants) for lab in labs)
    trials = plan(labs, "full", seeds=-(-count // variants))[:count]
    digest = hashlib.sha256("".join(trial.key for trial in trials).encode()).hexdigest()[:12]
    made = places.home() / "bench" / f"world-{count}-{digest}"
    if not made.is_dir():
        for old in made.parent.glob(f"world-{count}-*"):
            shutil.rmtree(old)
        with scratch() as home:
            _make({lab.id: lab for lab in labs}, trials)
            services.stop()
            home.rename(made)
    return made


def point_mirror_at_mlflow() -> None:
    """A copied world's MLflow has another address, and the mirror of another MLflow would be read anew."""
    with mirror_store.writing() as file:
        mirror_store.remember(file, uri=services.tracking_uri())
        file.commit()


def _make(labs: dict[str, Lab], trials: Sequence[Trial]) -> None:
    services.start(["mlflow"])
    client = tracking.client(services.tracking_uri())
    homes = {name: int(tracking.experiment(client, name)) for name in labs}
    rows: Rows = {name: [] for name in ("runs", "tags", "params", "metrics", "latest_metrics")}
    for at, trial in enumerate(trials):
        if at % 1000 == 0:
            progress(f"recording trial {at} of {len(trials)}")
        run = uuid.UUID(int=at).hex
        record = _write(labs[trial.lab], trial, curved=at % CURVED == 0)
        ack.write(record, ack.Ack(record.stat().st_size, run, done=True))
        for table, row in _as_shipped(record, run, homes[trial.lab]):
            rows[table].append(row)
    with closing(sqlite3.connect(database.path())) as file:
        for table, found in rows.items():
            file.executemany(f"INSERT INTO {table} {COLUMNS[table]}", found)
        file.commit()
    progress("reading the mirror from MLflow")
    mirror.sync(services.tracking_uri())
    if {row.origin for row in results.rows()} != {"mlflow"} or len(results.rows()) != len(trials):
        raise AssertionError("MLflow or its mirror lacks trials, so this is no picture of life")


def _write(lab: Lab, trial: Trial, curved: bool) -> Path:
    """A finished trial's record, near what theory says."""
    rng = np.random.default_rng(int(trial.key, 16))
    claims = [claim.name for claim in lab.measured_in(trial.variant)]
    with spool.hold(trial.folder):
        record = spool.begin(trial.folder, header(trial))
        for step in range(STEPS if curved else 0):
            record.point({f"curve.{name}": float(rng.random()) for name in claims[:1]}, step)
        record.end("FINISHED", numbers(lab, trial.variant, rng))
    return record.path


def numbers(lab: Lab, variant: str, rng: np.random.Generator, off: float = 0.0) -> dict[str, float]:
    """Predictions and, `off` tolerances away, measurements; in a control, where the claim must fail, four more."""
    made = {"seconds": float(rng.random())}
    for claim in lab.measured_in(variant):
        within = claim.within if isinstance(claim.within, float) else 0.01
        away = off + 4.0 * (variant == claim.control) + 0.3 * float(rng.normal())
        made |= {claim.name: 0.5 + within * away, f"predicted.{claim.name}": 0.5}
    return made


COLUMNS = {
    "runs": "(run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, end_time,"
    " source_version, lifecycle_stage, artifact_uri, experiment_id)"
    " VALUES (?, ?, 'UNKNOWN', '', '', 'unknown', 'FINISHED', ?, ?, '', 'active', ?, ?)",
    "tags": "(key, value, run_uuid) VALUES (?, ?, ?)",
    "params": "(key, value, run_uuid) VALUES (?, ?, ?)",
    "metrics": "(key, value, timestamp, step, is_nan, run_uuid) VALUES (?, ?, ?, ?, 0, ?)",
    "latest_metrics": "(key, value, timestamp, step, is_nan, run_uuid) VALUES (?, ?, ?, ?, 0, ?)",
}


def _as_shipped(record: Path, run: str, home: int) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Table and row, for all that MLflow holds of a record."""
    begin, *entries = spool.read(record)
    yield "runs", (run, begin["name"], begin["t"], entries[-1]["t"], f"mlflow-artifacts:/{home}/{run}/artifacts", home)
    own = {tracking.KEY: begin["trial"], tracking.ATTEMPT: begin["attempt"], "mlflow.runName": begin["name"]}
    yield from (("tags", (*pair, run)) for pair in (begin["tags"] | own).items())
    yield from (("params", (*pair, run)) for pair in begin["params"].items())
    last: dict[str, tuple[Any, ...]] = {}
    for entry in entries:
        for name, value in entry["v"].items():
            last[name] = (name, value, entry["t"], entry["step"], run)
            yield "metrics", last[name]
    yield from (("latest_metrics", row) for row in last.values())
