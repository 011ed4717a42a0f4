"""What has been recorded is found once, whether it is in MLflow, on this disk, or in both."""

import shutil
import time
from pathlib import Path

import pytest

from labs.kit import mirror_store as store
from labs.kit import spool
from labs.kit.rows import failed, row_of, rows, surplus
from tests.kit.records import header, trial, write

pytestmark = pytest.mark.usefixtures("home")


def _mirrored(run_id: str, seed: int = 0, status: str = "FINISHED", ended: int = 1000, mean: float = 0.25) -> store.Run:
    """A run as a sync leaves it in the mirror."""
    planned = trial(seed=seed)
    run = store.Run(
        run_id=run_id,
        experiment="1",
        key=planned.key,
        attempt=0,
        lab=planned.lab,
        variant=planned.variant,
        seed=seed,
        recipe=planned.recipe,
        preset=planned.preset,
        stack=planned.stack,
        status=status,
        start=ended - 500,
        ended=ended,
        numbers={"mean": mean, "curve.mean": 9.0},
        tags={"message": "why"},
    )
    with store.writing() as file:
        store.put(file, [run], 0)
        file.commit()
    return run


def test_nothing_recorded_is_no_row() -> None:
    assert rows() == rows("foundations/coin") == surplus() == []
    assert failed() == []


def test_a_record_that_mlflow_lacks_is_a_row() -> None:
    write(trial(), {"mean": 0.5, "predicted.mean": 0.3}, [(0, {"loss": 1.0})])
    (row,) = rows("foundations/coin")
    ended = spool.finished(trial().folder)
    assert ended is not None
    assert row == row_of(trial(), ended)
    assert (row.origin, row.run_id, row.numbers) == ("spool", None, {"mean": 0.5, "predicted.mean": 0.3})
    assert rows() == [row]
    assert rows("foundations/other") == []


def test_a_trial_in_both_is_one_row() -> None:
    write(trial(), {"mean": 0.25})
    _mirrored("a")
    (row,) = rows()
    assert (row.origin, row.run_id, row.numbers) == ("mlflow", "a", {"mean": 0.25})


def test_of_several_finished_runs_the_first_to_end_counts_and_the_others_are_listed() -> None:
    """Ended at the same millisecond: the smaller id, on every machine."""
    for run_id, ended in {"d": 2000, "c": 1000, "b": 1000, "e": 3000}.items():
        _mirrored(run_id, ended=ended)
    assert [row.run_id for row in rows()] == ["b"]
    assert [row.run_id for row in surplus()] == ["c", "d", "e"]


def test_a_trial_that_finished_here_while_mlflow_has_only_its_failure_is_a_row() -> None:
    _mirrored("a", status="KILLED")
    write(trial(), {"mean": 0.5})
    assert [row.origin for row in rows()] == ["spool"]
    assert failed() == []


def test_an_unfinished_trial_is_no_row() -> None:
    write(trial(), status=None)
    write(trial(seed=1), status="FAILED", message="why")
    _mirrored("a", seed=2, status="RUNNING")
    assert rows() == []


def test_what_was_read_once_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand records that MLflow never got must not take ten thousand files every time."""
    for seed in range(5):
        write(trial(seed=seed), {"mean": float(seed)})
    first = rows()
    monkeypatch.setattr(spool, "last", None)
    assert rows() == first


def test_a_trial_run_anew_after_a_clean_up_is_read_anew() -> None:
    write(trial(), {"mean": 0.5})
    rows()
    shutil.rmtree(trial().folder)
    assert rows() == []
    time.sleep(0.01)
    write(trial(), {"mean": 0.75})
    assert [row.numbers["mean"] for row in rows()] == [0.75]


def test_rows_are_read_while_another_process_writes_the_mirror() -> None:
    write(trial(), {"mean": 0.5})
    with store.writing() as file:
        store.put(file, [], 0)
        assert len(rows()) == 1


def test_a_failed_trial_says_why_until_it_has_finished() -> None:
    write(trial(), status="FAILED", message="ZeroDivisionError: no flips")
    _mirrored("a", seed=1, status="FAILED")
    _mirrored("b", seed=2, status="RUNNING")
    here, there = failed()
    assert (here.seed, here.status, here.message, here.run_id) == (0, "FAILED", "ZeroDivisionError: no flips", None)
    assert (there.seed, there.status, there.message, there.run_id) == (1, "FAILED", "why", "a")
    write(trial(), {"mean": 0.5})
    assert [fell.seed for fell in failed("foundations/coin")] == [1]


def test_a_dead_trial_is_killed_and_a_running_one_is_not() -> None:
    write(trial(), status=None)
    with spool.hold(trial(seed=1).folder):
        spool.begin(trial(seed=1).folder, header(trial(seed=1)))
        assert [(fell.seed, fell.status, fell.message) for fell in failed()] == [(0, "KILLED", "")]


def test_a_folder_without_a_whole_record_is_nothing(home: Path) -> None:
    record = write(trial())
    record.write_bytes(record.read_bytes()[:20])
    (home / "trials" / "foundations" / "coin" / "stray").mkdir()
    (home / "trials" / "note.txt").write_text("not a folder")
    assert rows() == []
    assert failed() == []
