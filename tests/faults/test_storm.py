"""Sixty faults in a real run of light trials; GAPLAB_FAULTS=500 for more, GAPLAB_STORM to repeat one of them."""

import logging
import os
import time
from pathlib import Path

from labs.kit import catalogue, folders, spool
from labs.kit.mirror import sync
from labs.kit.plan import plan
from labs.kit.rows import failed, rows, surplus
from labs.kit.shipper import Shipped, ship_all
from tests.faults import light
from tests.faults.audit import audit_lab
from tests.faults.server import Server
from tests.faults.storm import Storm

LOG = logging.getLogger(__name__)
FAULTS = int(os.environ.get("GAPLAB_FAULTS", "60"))


def test_after_every_fault_each_trial_is_recorded_once_and_nothing_runs(broken: Server, tmp_path: Path) -> None:
    seed = int(os.environ.get("GAPLAB_STORM", time.time_ns() % 1_000_000))
    storm = Storm(broken, light.LAB, seeds=max(FAULTS // 2, 5), seed=seed)
    LOG.warning("GAPLAB_STORM=%d repeats the order of these faults", seed)
    storm.blow(FAULTS)
    attempts = sum(len(spool.attempts(Path(folder.path))) for folder in folders.every())
    LOG.warning("%d trials in %d attempts; %s", 2 * storm.seeds, attempts, dict(storm.struck))
    trials = plan([catalogue.read(tmp_path / "labs" / light.LAB)], "full", seeds=storm.seeds)
    assert ship_all(broken.uri).problems == []
    assert ship_all(broken.uri) == Shipped(), "nothing is left to send, and nothing waits"
    audit_lab(broken.uri, light.LAB, trials)
    sync(broken.uri)
    found = {(row.variant, row.seed): row for row in rows(light.LAB)}
    assert len(found) == len(trials)
    assert {row.origin for row in found.values()} == {"mlflow"}
    assert (surplus(), failed()) == ([], [])
    for trial in trials:
        whole = light.curve(trial.variant, trial.seed)
        assert found[trial.variant, trial.seed].numbers["total"] == whole[-1], "resumed, to the last bit"
        ended = spool.finished(trial.folder)
        assert ended is not None
        drawn = [(step, numbers["curve.total"]) for step, numbers in ended.points]
        assert drawn == list(enumerate(whole)), "the attempt that finished holds the whole curve once"
