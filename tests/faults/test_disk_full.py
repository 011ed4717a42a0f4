"""A full disk under a real run: its trials fail and name the path, and nothing of it counts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from labs.kit import catalogue, places, spool
from labs.kit.plan import plan
from labs.kit.rows import rows
from labs.kit.shipper import ship_all
from tests.faults import light
from tests.faults.audit import audit_lab
from tests.faults.disk import Disk, nearly_full
from tests.faults.server import Server


def _run(disk: Disk) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "labs.kit.cli", "run", light.LAB, "--preset", "full", "--seeds", "4"]
    return subprocess.run(
        words,
        cwd=places.ROOT,
        env={**os.environ, "COLUMNS": "1000"},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=disk.limit,
    )


def test_a_full_disk_fails_its_trials_by_name_and_with_room_they_run(
    broken: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trials = plan([catalogue.read(tmp_path / "labs" / light.LAB)], "full", seeds=4)
    with nearly_full(tmp_path / "disk") as disk:
        monkeypatch.setenv("GAPLAB_TRIALS", str(disk.folder / "trials"))
        told = _run(disk)
        assert told.returncode == 1, told.stdout + told.stderr
        assert "the disk is full" in told.stdout + told.stderr
        assert str(disk.folder / "trials" / light.LAB) in told.stdout + told.stderr
        finished = {trial.key for trial in trials if spool.is_finished(trial.folder)}
        assert len(finished) < len(trials)
        assert {row.key for row in rows(light.LAB)} == finished
        disk.make_room()
        told = _run(disk)
        assert told.returncode == 0, told.stdout + told.stderr
        assert ship_all(broken.uri).problems == []
        assert len(rows(light.LAB)) == len(trials)
        audit_lab(broken.uri, light.LAB, trials)
