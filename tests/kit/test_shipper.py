"""Records reach a real MLflow once, whatever is repeated, lost or deleted between."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from labs.kit import ack, places, spool, tracking
from labs.kit.ack import Ack
from labs.kit.plan import Trial
from labs.kit.shipment import NUMBERS, PAIRS
from labs.kit.shipper import Shipped, Shipper, ship_all
from tests.faults.server import Server
from tests.kit.records import header, trial, write

if TYPE_CHECKING:
    from mlflow.entities import Run

pytestmark = [pytest.mark.trial, pytest.mark.usefixtures("home")]


@pytest.fixture
def planned(request: pytest.FixtureRequest) -> Trial:
    """A trial of a lab that no other test on the same server has."""
    return trial(lab=f"foundations/{request.node.name}"[:200])


def _runs(server: Server, planned: Trial) -> "list[Run]":
    mlflow = tracking.client(server.uri)
    home = mlflow.get_experiment_by_name(planned.lab)
    assert home is not None
    return list(mlflow.search_runs([home.experiment_id], order_by=["attributes.start_time ASC"]))


def _history(server: Server, run: "Run", name: str) -> list[tuple[int, float]]:
    return sorted(
        (point.step, point.value) for point in tracking.client(server.uri).get_metric_history(run.info.run_id, name)
    )


def _entries(record: Path) -> list[spool.Entry]:
    return list(spool.read(record))


def test_a_finished_attempt_is_one_finished_run_with_all_it_recorded(server: Server, planned: Trial) -> None:
    record = write(planned, {"mean": 0.25, "predicted.mean": 0.3}, [(1, {"loss": 2.0}), (2, {"loss": 1.0})], base="abc")
    told = ship_all(server.uri)
    assert told == Shipped(ended=1, numbers=4)
    (run,) = _runs(server, planned)
    begin, *_, end = _entries(record)
    assert (run.info.status, run.info.start_time, run.info.end_time) == ("FINISHED", begin["t"], end["t"])
    assert run.info.run_name == "fair-0"
    assert run.data.metrics == {"mean": 0.25, "predicted.mean": 0.3, "loss": 1.0}
    assert run.data.params == {"rate": "0.3"}
    assert run.data.tags.items() >= {**header(planned)["tags"], "base": "abc", "gaplab.trial": planned.key}.items()
    assert run.data.tags["gaplab.attempt"] == f"{planned.key}.0"
    assert _history(server, run, "loss") == [(1, 2.0), (2, 1.0)]
    assert ship_all(server.uri) == Shipped()


@pytest.mark.parametrize("note", [None, "", '{"off": 10', "[]", '{"off": 0, "run": "", "done": false}'])
def test_a_lost_or_torn_note_repeats_the_work_and_changes_nothing(
    server: Server, planned: Trial, note: str | None
) -> None:
    record = write(planned, {"mean": 0.5}, [(step, {"loss": 1 / (step + 1)}) for step in range(50)])
    ship_all(server.uri)
    (before,) = _runs(server, planned)
    if note is None:
        ack.drop(record)
    else:
        ack.path_of(record).write_text(note)
    assert ship_all(server.uri).numbers == 51
    (after,) = _runs(server, planned)
    assert after.to_dictionary() == before.to_dictionary()
    assert len(_history(server, after, "loss")) == 50


def test_a_running_trial_is_followed_and_stays_running(server: Server, planned: Trial) -> None:
    """A slow trial is not a dead one, however long it says nothing."""
    with spool.hold(planned.folder):
        record = spool.begin(planned.folder, header(planned))
        record.point({"loss": 2.0}, 0)
        assert ship_all(server.uri) == Shipped(numbers=1, waiting=1)
        assert ship_all(server.uri) == Shipped(waiting=1)
        record.point({"loss": 1.0}, 1)
        assert ship_all(server.uri) == Shipped(numbers=1, waiting=1)
        (run,) = _runs(server, planned)
        assert (run.info.status, run.info.end_time) == ("RUNNING", None)
        record.end("FINISHED", {"mean": 0.5})
    assert ship_all(server.uri) == Shipped(ended=1, numbers=1)
    (run,) = _runs(server, planned)
    assert run.info.status == "FINISHED"
    assert _history(server, run, "loss") == [(0, 2.0), (1, 1.0)]


@pytest.mark.parametrize("tail", ["", '0123abcd {"i":2,"t":17'])
def test_a_dead_attempt_is_killed_at_its_last_whole_record(server: Server, planned: Trial, tail: str) -> None:
    record = write(planned, points=[(0, {"loss": 2.0})], status=None)
    with record.open("a") as file:
        file.write(tail)
    assert ship_all(server.uri) == Shipped(ended=1, numbers=1)
    (run,) = _runs(server, planned)
    assert (run.info.status, run.info.end_time) == ("KILLED", _entries(record)[-1]["t"])


def test_an_attempt_that_was_sent_while_it_lived_is_ended_when_it_died(server: Server, planned: Trial) -> None:
    with spool.hold(planned.folder):
        record = spool.begin(planned.folder, header(planned))
        record.point({"loss": 2.0}, 0)
        ship_all(server.uri)
    assert ship_all(server.uri) == Shipped(ended=1)
    (run,) = _runs(server, planned)
    assert (run.info.status, run.info.end_time) == ("KILLED", _entries(record.path)[-1]["t"])


def test_an_attempt_that_died_before_its_first_record_is_no_run(server: Server, planned: Trial) -> None:
    record = write(planned, {"mean": 1.0})
    record.write_bytes(record.read_bytes()[:30])
    assert ship_all(server.uri) == Shipped(ended=1)
    assert tracking.client(server.uri).get_experiment_by_name(planned.lab) is None


def test_a_failed_attempt_says_why(server: Server, planned: Trial) -> None:
    write(planned, status="FAILED", message="ZeroDivisionError: no flips")
    ship_all(server.uri)
    (run,) = _runs(server, planned)
    assert (run.info.status, run.data.tags["message"]) == ("FAILED", "ZeroDivisionError: no flips")


def test_a_number_that_is_not_finite_is_told_and_never_a_metric(server: Server, planned: Trial) -> None:
    """MLflow would keep an infinite value as the largest finite one."""
    record = spool.begin(planned.folder, header(planned))
    record.bad({"ratio": "inf"}, 3)
    record.bad({"loss": "nan"}, 4)
    record.end("FINISHED", {"mean": 0.5})
    ship_all(server.uri)
    (run,) = _runs(server, planned)
    assert run.data.metrics == {"mean": 0.5}
    assert run.data.tags["nonfinite"] == "ratio = inf at step 3, loss = nan at step 4"


def test_more_than_mlflow_takes_in_one_call(server: Server, planned: Trial) -> None:
    params = {f"param_{number}": "x" * 7000 for number in range(2 * PAIRS + 1)}
    record = spool.begin(planned.folder, {**header(planned, note="y" * 9000), "params": params})
    record.point({f"metric_{number}": float(number) for number in range(2 * NUMBERS + 1)}, 0)
    for step in range(1, NUMBERS + 2):
        record.point({"loss": float(step)}, step)
    record.end("FINISHED", {"mean": 0.5})
    assert ship_all(server.uri).numbers == 3 * NUMBERS + 3
    (run,) = _runs(server, planned)
    assert len(run.data.metrics) == 2 * NUMBERS + 3
    assert len(_history(server, run, "loss")) == NUMBERS + 1
    assert len(run.data.params) == 2 * PAIRS + 1
    assert run.data.params["param_0"].endswith("x…")
    assert run.data.tags["note"].endswith("y…")


def test_names_that_mlflow_refuses_are_replaced(server: Server, planned: Trial) -> None:
    """One bad name would otherwise hold back every number of its trial."""
    names = ["x;drop", "../../etc/passwd", "a//b", "/abs", "ключ", "n" * 300, "tail/", "."]
    write(planned, {name: float(place) for place, name in enumerate(names)})
    assert ship_all(server.uri).problems == []
    (run,) = _runs(server, planned)
    told = {"x_drop": 0, "_/_/etc/passwd": 1, "a/_/b": 2, "_/abs": 3, "ключ": 4, "n" * 250: 5, "tail/_": 6, "_": 7}
    assert run.data.metrics == told


def test_a_damaged_record_is_named_closed_and_holds_up_no_other(server: Server, planned: Trial) -> None:
    damaged = write(planned, {"mean": 0.5}, [(0, {"loss": 2.0})])
    content = damaged.read_bytes()
    damaged.write_bytes(content.replace(b'"loss":2.0', b'"loss":3.0'))
    whole = write(trial(lab=planned.lab, seed=1), {"mean": 0.5})
    told = ship_all(server.uri)
    assert told.ended == 1
    assert len(told.problems) == 1
    second = content.index(b"\n") + 1
    assert f"{damaged}: the record at byte {second} is damaged" in told.problems[0]
    closed, fine = _runs(server, planned)
    assert (closed.info.status, fine.info.status) == ("FAILED", "FINISHED")
    assert "is damaged" in closed.data.tags["message"]
    assert closed.data.metrics == {}
    assert ack.read(whole).done
    assert ship_all(server.uri) == Shipped()


def test_a_deleted_run_is_sent_anew(server: Server, planned: Trial) -> None:
    record = write(planned, {"mean": 0.5}, [(0, {"loss": 2.0})])
    ship_all(server.uri)
    write(trial(lab=planned.lab, seed=1), {"mean": 0.75})
    ship_all(server.uri)
    first, newest = _runs(server, planned)
    tracking.client(server.uri).delete_run(first.info.run_id)
    assert ship_all(server.uri) == Shipped(ended=1, numbers=2)
    second, other = _runs(server, planned)
    assert other.info.run_id == newest.info.run_id
    assert second.info.run_id != first.info.run_id
    assert second.data.metrics == first.data.metrics
    assert ack.read(record).run == second.info.run_id
    assert ship_all(server.uri) == Shipped()


def test_a_run_deleted_while_its_trial_runs_is_made_anew_with_the_whole_curve(server: Server, planned: Trial) -> None:
    with spool.hold(planned.folder):
        record = spool.begin(planned.folder, header(planned))
        record.point({"loss": 2.0}, 0)
        ship_all(server.uri)
        tracking.client(server.uri).delete_run(_runs(server, planned)[0].info.run_id)
        record.point({"loss": 1.0}, 1)
        assert ship_all(server.uri).problems == []
    (run,) = _runs(server, planned)
    assert _history(server, run, "loss") == [(0, 2.0), (1, 1.0)]


def test_a_deleted_experiment_is_taken_out_of_the_bin(server: Server, planned: Trial) -> None:
    write(planned, {"mean": 0.5})
    ship_all(server.uri)
    mlflow = tracking.client(server.uri)
    home = mlflow.get_experiment_by_name(planned.lab)
    assert home is not None
    mlflow.delete_experiment(home.experiment_id)
    write(trial(lab=planned.lab, seed=1), {"mean": 0.75})
    assert ship_all(server.uri).problems == []
    assert {run.data.tags["seed"]: run.data.metrics for run in _runs(server, planned)} == {
        "0": {"mean": 0.5},
        "1": {"mean": 0.75},
    }


def test_an_experiment_deleted_under_a_running_shipper_loses_nothing(server: Server, planned: Trial) -> None:
    """It knows the experiment's id, and MLflow takes no run for it any more: a trial is not FAILED for that."""
    shipper = Shipper(server.uri)
    write(planned, {"mean": 0.5})
    shipper.once()
    mlflow = tracking.client(server.uri)
    home = mlflow.get_experiment_by_name(planned.lab)
    assert home is not None
    mlflow.delete_experiment(home.experiment_id)
    write(trial(lab=planned.lab, seed=1), {"mean": 0.75})
    assert "must be in the 'active' state" in shipper.once().problems[0]
    assert shipper.once() == Shipped(ended=1, numbers=1)
    assert [run.info.status for run in _runs(server, planned) if run.data.tags["seed"] == "1"] == ["FINISHED"]


def test_a_trial_run_anew_after_a_clean_up_is_a_run_of_its_own(server: Server, planned: Trial) -> None:
    """Its first attempt has the number of the one that was cleaned away, and other times."""
    write(planned, {"mean": 0.5}, [(0, {"loss": 2.0})])
    ship_all(server.uri)
    shutil.rmtree(planned.folder)
    write(planned, {"mean": 0.5}, [(0, {"loss": 2.0})])
    ship_all(server.uri)
    runs = _runs(server, planned)
    assert [run.info.status for run in runs] == ["FINISHED", "FINISHED"]
    assert [len(_history(server, run, "loss")) for run in runs] == [1, 1]


def test_two_shippers_at_once_make_one_run_of_each_record(server: Server, planned: Trial) -> None:
    for seed in range(30):
        write(trial(lab=planned.lab, seed=seed), {"mean": float(seed)}, [(0, {"loss": 2.0})])
    code = f"from labs.kit.shipper import ship_all; print(ship_all({server.uri!r}).ended)"
    both = [
        subprocess.Popen([sys.executable, "-c", code], cwd=places.ROOT, stdout=subprocess.PIPE, text=True) for _ in "12"
    ]
    ended = [int(one.communicate(timeout=120)[0]) for one in both]
    runs = _runs(server, planned)
    assert sum(ended) == 30
    assert sorted(run.data.metrics["mean"] for run in runs) == [float(seed) for seed in range(30)]
    assert {run.info.status for run in runs} == {"FINISHED"}


def test_the_thread_sends_soon_after_a_nudge_and_the_rest_when_it_is_stopped(server: Server, planned: Trial) -> None:
    shipper = Shipper(server.uri)
    shipper.start()
    for seed in range(3):
        write(trial(lab=planned.lab, seed=seed), {"mean": 0.5})
        shipper.nudge()
    write(trial(lab=planned.lab, seed=3), {"mean": 0.5})
    assert shipper.stop(patience=60) == Shipped(ended=4, numbers=4)
    assert {run.info.status for run in _runs(server, planned)} == {"FINISHED"}


def test_a_note_is_read_as_it_was_written(tmp_path: Path) -> None:
    ack.write(tmp_path / "0.jsonl", Ack(12, "run", done=True))
    assert ack.read(tmp_path / "0.jsonl") == Ack(12, "run", done=True)
