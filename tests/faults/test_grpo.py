"""Real GRPO trials killed at random steps, the server too: the same bits, the same points. Only in `make faults`."""

import logging
import os
import time
from pathlib import Path

import pytest

from labs.kit import catalogue, spool
from labs.kit.plan import plan
from labs.kit.run import run
from labs.kit.shipper import ship_all
from tests.faults import grpo
from tests.faults.audit import audit_lab
from tests.faults.server import Server
from tests.faults.storm import Storm

FAULTS = int(os.environ["GAPLAB_GRPO_FAULTS"])
SHARES = {"kill_trial": 8, "kill_server": 2}


def test_killed_trainings_end_with_the_bits_of_those_that_were_not(
    broken: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trials = plan([catalogue.read(grpo.write(tmp_path / "labs"))], "full", seeds=2)
    monkeypatch.setenv("GAPLAB_TRIALS", str(tmp_path / "undisturbed"))
    assert run(trials, ship=False).failed == []
    whole = {trial.key: spool.finished(trial.folder) for trial in trials}
    monkeypatch.delenv("GAPLAB_TRIALS")
    storm = Storm(broken, grpo.LAB, seeds=2, seed=time.time_ns(), shares=SHARES, pause=25.0, workers=2)
    storm.blow(FAULTS)
    logging.getLogger(__name__).warning("%d trials; %s", 2 * storm.seeds, dict(storm.struck))
    assert ship_all(broken.uri).problems == []
    audit_lab(broken.uri, grpo.LAB, plan([catalogue.read(tmp_path / "labs" / grpo.LAB)], "full", seeds=storm.seeds))
    for trial in trials:
        undisturbed, ended = whole[trial.key], spool.finished(trial.folder)
        assert undisturbed is not None
        assert ended is not None
        assert ended.values == undisturbed.values, f"{trial.name}, attempt {ended.number}"
        assert ended.points == undisturbed.points
