"""The mirror says what MLflow says, whatever happened there between two syncs.

The runs here are made with MLflow's own client, as another machine, a user or a clock that is wrong makes them.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from labs.kit import curves, mirror, tracking
from labs.kit import mirror_store as store
from labs.kit.errors import LabError
from labs.kit.lock import Busy
from labs.kit.mirror import sync
from labs.kit.rest import Away
from labs.kit.rows import rows
from labs.kit.shipper import ship_all
from tests.faults.server import Server
from tests.kit.records import header, trial, write

if TYPE_CHECKING:
    from mlflow import MlflowClient

pytestmark = [pytest.mark.trial, pytest.mark.usefixtures("home")]
HOUR = 3_600_000


class Elsewhere:
    """Somebody else who writes to the same MLflow, in a lab of one test alone."""

    def __init__(self, mlflow: "MlflowClient", lab: str) -> None:
        self.mlflow, self.lab = mlflow, lab
        self.home = mlflow.create_experiment(lab)

    def begin(self, seed: int = 0, at: int = 0, tags: Mapping[str, str] = MappingProxyType({})) -> str:
        """A running run of a trial."""
        planned = trial(lab=self.lab, seed=seed)
        own = {"gaplab.trial": planned.key, "gaplab.attempt": f"{planned.key}.0"}
        told = {**header(planned)["tags"], **own, **tags}
        made = self.mlflow.create_run(self.home, start_time=at or _now(), tags=told, run_name="![x](http://evil)")
        return str(made.info.run_id)

    def end(self, run_id: str, mean: float = 0.5, at: int = 0, status: str = "FINISHED") -> str:
        """Its measurement and its end."""
        self.mlflow.log_metric(run_id, "mean", mean)
        self.mlflow.set_terminated(run_id, status, end_time=at or _now())
        return run_id


def _now() -> int:
    return int(time.time() * 1000)


@pytest.fixture
def other(server: Server, request: pytest.FixtureRequest) -> Elsewhere:
    return Elsewhere(tracking.client(server.uri), f"foundations/{request.node.name}")


@pytest.fixture
def long_round(other: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many runs that the round over all of them does not come to the newest ones in this test."""
    monkeypatch.setattr(mirror, "PART", 1)
    for seed in range(100, 106):
        other.end(other.begin(seed=seed, at=_now() - 3 * HOUR), at=_now() - 2 * HOUR)


def _known(lab: str) -> dict[str, store.Run]:
    return {run.run_id: run for run in [*store.finished(lab), *store.unfinished(lab)]}


def test_case_1_a_new_run(server: Server, other: Elsewhere) -> None:
    sync(server.uri)
    run_id = other.end(other.begin(seed=3), mean=0.25)
    assert sync(server.uri).changed == 1
    run = _known(other.lab)[run_id]
    assert (run.status, run.seed, run.attempt, run.numbers) == ("FINISHED", 3, 0, {"mean": 0.25})
    assert (run.variant, run.preset, run.stack, run.recipe) == ("fair", "quick", "tabular", "a" * 16)


def test_case_2_a_value_of_a_running_run(server: Server, other: Elsewhere) -> None:
    run_id = other.begin()
    sync(server.uri)
    other.mlflow.log_metric(run_id, "loss", 0.75)
    sync(server.uri)
    assert (_known(other.lab)[run_id].status, _known(other.lab)[run_id].numbers) == ("RUNNING", {"loss": 0.75})


def test_case_3_a_run_that_ended_with_a_clock_an_hour_behind(server: Server, other: Elsewhere) -> None:
    """No search by time of end would find it."""
    run_id = other.begin()
    other.end(other.begin(seed=1))
    sync(server.uri)
    other.end(run_id, at=_now() - HOUR)
    sync(server.uri)
    assert _known(other.lab)[run_id].status == "FINISHED"


def test_case_4_a_run_born_and_ended_between_two_syncs_with_such_a_clock(server: Server, other: Elsewhere) -> None:
    other.end(other.begin())
    sync(server.uri)
    run_id = other.end(other.begin(seed=1, at=_now() - 2 * HOUR), at=_now() - HOUR)
    _until(server, lambda: run_id in _known(other.lab))


@pytest.mark.usefixtures("long_round")
def test_case_5_a_deleted_run(server: Server, other: Elsewhere) -> None:
    run_id = other.end(other.begin(), at=_now() - HOUR)
    other.end(other.begin(seed=1))
    sync(server.uri)
    other.mlflow.delete_run(run_id)
    assert sync(server.uri, thorough=True).removed == 1
    assert run_id not in _known(other.lab)


@pytest.mark.usefixtures("long_round")
def test_case_6_a_run_taken_out_of_the_bin(server: Server, other: Elsewhere) -> None:
    run_id = other.end(other.begin(), at=_now() - HOUR)
    sync(server.uri)
    other.mlflow.delete_run(run_id)
    sync(server.uri, thorough=True)
    other.mlflow.restore_run(run_id)
    sync(server.uri, thorough=True)
    assert _known(other.lab)[run_id].status == "FINISHED"


def test_case_7_a_tag_edited_long_after_the_end(server: Server, other: Elsewhere) -> None:
    run_id = other.end(other.begin(), at=_now() - HOUR)
    sync(server.uri)
    other.mlflow.set_tag(run_id, "note", "seen")
    _until(server, lambda: _known(other.lab)[run_id].tags.get("note") == "seen")


def _until(server: Server, seen: Callable[[], bool]) -> None:
    """Sync thoroughly until the round over all runs has come to it."""
    for _ in range(20):
        if seen():
            return
        sync(server.uri, thorough=True)
    raise AssertionError("a whole round over all runs did not find it")


@pytest.mark.usefixtures("long_round")
def test_a_run_that_arrives_after_one_that_ended_later(server: Server, other: Elsewhere) -> None:
    """Two machines send, and one is slower."""
    other.end(other.begin())
    sync(server.uri)
    slow = other.end(other.begin(seed=1, at=_now() - 120_000), at=_now() - 60_000)
    other.end(other.begin(seed=2))
    sync(server.uri)
    assert slow in _known(other.lab)


def test_a_clock_that_is_ahead_does_not_hide_what_follows(server: Server, other: Elsewhere) -> None:
    other.end(other.begin(), at=_now() + 48 * HOUR)
    sync(server.uri)
    run_id = other.end(other.begin(seed=1))
    sync(server.uri)
    assert run_id in _known(other.lab)


def test_a_running_run_that_was_deleted_is_gone_at_once(server: Server, other: Elsewhere) -> None:
    run_id = other.begin()
    sync(server.uri)
    other.mlflow.delete_run(run_id)
    assert sync(server.uri).removed == 1
    assert _known(other.lab) == {}


def test_runs_of_others_and_broken_tags_are_left_out(server: Server, other: Elsewhere) -> None:
    """MLflow is open to every program on the machine; one odd run must not end the sync."""
    mine = other.end(other.begin())
    other.end(str(other.mlflow.create_run(other.home).info.run_id))
    other.end(other.begin(seed=1, tags={"gaplab.attempt": "no number"}))
    other.end(other.begin(seed=2, tags={"seed": "<img src=x>"}))
    other.end(other.begin(seed=3, tags={"gaplab.attempt": "key.²"}))
    sync(server.uri)
    assert list(_known(other.lab)) == [mine]


def test_more_runs_than_one_page(server: Server, other: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also such as ended in the same millisecond: a page that began behind the last time seen would lose some."""
    monkeypatch.setattr(mirror, "PAGE", 3)
    at = _now()
    made = {other.end(other.begin(seed=seed), at=at) for seed in range(10)}
    sync(server.uri)
    assert set(_known(other.lab)) == made


def test_only_one_process_syncs_at_a_time(server: Server) -> None:
    with store.writing():
        assert sync(server.uri).busy
        with pytest.raises(Busy), store.writing():
            pass
    assert not sync(server.uri).busy


def test_another_mlflow_is_mirrored_from_nothing(server: Server, other: Elsewhere) -> None:
    """Another address is another MLflow, for all that can be known."""
    run_id = other.end(other.begin(), at=_now() - HOUR)
    sync(server.uri)
    with store.writing() as file:
        store.put(file, [replace(_known(other.lab)[run_id], run_id="of another", ended=_now())], 0)
        file.commit()
    assert sync(f"http://localhost:{server.port}").changed > 0
    assert list(_known(other.lab)) == [run_id]


def test_a_database_that_was_set_back_is_mirrored_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What came after the copy is not there any more, and no search says so."""
    monkeypatch.setattr(mirror, "PART", 1)
    began = Server(tmp_path / "back").start()
    try:
        other = Elsewhere(tracking.client(began.uri), "foundations/back")
        old = other.end(other.begin())
        began.kill()
        copies = {path: path.read_bytes() for path in (tmp_path / "back").glob("mlflow.db*")}
        began.start()
        for seed in range(1, 4):
            other.end(other.begin(seed=seed))
        sync(began.uri)
        began.kill()
        for path in (tmp_path / "back").glob("mlflow.db*"):
            path.unlink()
        for path, content in copies.items():
            path.write_bytes(content)
        began.start()
        assert sync(began.uri, thorough=True).removed == 3
        assert list(_known(other.lab)) == [old]
    finally:
        began.kill()


def test_a_server_that_is_away_is_said_to_be_and_what_is_known_stays(server: Server, other: Elsewhere) -> None:
    other.end(other.begin())
    sync(server.uri)
    with store.writing() as file:  # the same address as before, so that this is no other MLflow
        store.remember(file, uri="http://127.0.0.1:9")
        file.commit()
    with pytest.raises(Away, match=r"MLflow at http://127\.0\.0\.1:9 does not answer"):
        sync("http://127.0.0.1:9")
    assert len(_known(other.lab)) == 1


def test_a_damaged_mirror_is_named_with_its_remedy(server: Server) -> None:
    store.path().parent.mkdir(parents=True)
    store.path().write_bytes(b"this is no database" * 1000)
    with pytest.raises(LabError, match=r"mirror\.db: cannot be used"):
        sync(server.uri)
    with pytest.raises(LabError, match=r"rm .*mirror\.db"):
        rows()


def test_curves_are_asked_for_once_and_kept(server: Server, other: Elsewhere) -> None:
    run_id = other.begin()
    for step in range(5):
        other.mlflow.log_metric(run_id, "curve.mean", step / 2, step=step)
        other.mlflow.log_metric(run_id, "loss", 1.0, step=step)
    other.end(run_id)
    sync(server.uri)
    (row,) = rows(other.lab)
    assert row.numbers == {"loss": 1.0, "mean": 0.5}
    drawn = {"curve.mean": ([0, 1, 2, 3, 4], [0.0, 0.5, 1.0, 1.5, 2.0])}
    assert curves.of(row, server.uri) == drawn
    assert curves.of(row, "http://127.0.0.1:9") == drawn


def test_a_trial_on_this_disk_needs_no_mlflow_for_its_curves(home: Path) -> None:
    write(trial(), {"mean": 0.5}, [(step, {"curve.mean": 1.0 * step, "loss": 2.0}) for step in range(1000)])
    (row,) = rows()
    drawn = curves.of(row, "http://127.0.0.1:9")
    assert list(drawn) == ["curve.mean"]
    steps, values = drawn["curve.mean"]
    assert (len(steps), steps[0], steps[-1], values[-1]) == (200, 0, 999, 999.0)


def test_what_the_shipper_sends_the_mirror_shows(server: Server, request: pytest.FixtureRequest) -> None:
    lab = f"foundations/{request.node.name}"
    for seed in range(3):
        write(trial(lab=lab, seed=seed), {"mean": float(seed)}, [(0, {"curve.mean": 1.0})])
    before = {row.key: row.numbers for row in rows(lab)}
    ship_all(server.uri)
    sync(server.uri)
    after = rows(lab)
    assert {row.key: row.numbers for row in after} == before
    assert {row.origin for row in after} == {"mlflow"}
