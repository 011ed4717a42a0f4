"""MLflow answering 500, hanging, gone, or lost on the way: nothing is lost, nothing is doubled, nobody waits long."""

import itertools
import time
from pathlib import Path

import pytest

from labs.kit import ack, rest
from labs.kit.plan import Trial
from labs.kit.shipper import Shipped, Shipper, ship_all
from tests.faults.audit import audit_lab
from tests.faults.proxy import Proxy, always, once, wait_for
from tests.faults.server import Server
from tests.kit.records import trial, write

POINTS = [(step, {"loss": 1 / (step + 1)}) for step in range(20)]


@pytest.fixture
def planned(request: pytest.FixtureRequest, home: Path) -> Trial:
    """A trial of a lab that no other test on the same server has."""
    return trial(lab=f"foundations/{request.node.name}"[:200])


@pytest.mark.parametrize("fault", ["deaf", "mute", "500", "page"])
def test_a_call_or_its_answer_lost_at_any_point_changes_nothing(server: Server, planned: Trial, fault: str) -> None:
    """`mute` is the hard one: the run was made, and the shipper never heard of it."""
    trials = []
    for number in itertools.count(1):
        trials.append(trial(lab=planned.lab, seed=number))
        write(trials[-1], {"mean": 0.5}, POINTS)
        with Proxy(server.port, once(fault, at=number)) as proxy:
            first = ship_all(proxy.uri)
            if proxy.calls < number:
                break
            assert first.away or first.ended, "the fault was met, or the call was one that does without an answer"
            assert ship_all(proxy.uri).problems == []
    assert number > 4, "every call that sends a record was lost once"
    assert ship_all(server.uri) == Shipped()
    audit_lab(server.uri, planned.lab, trials)


@pytest.mark.parametrize("fault", ["500", "page", "deaf"])
def test_a_server_that_only_errs_is_away_and_its_records_wait(server: Server, planned: Trial, fault: str) -> None:
    trials = [trial(lab=planned.lab, seed=seed) for seed in range(6)]
    records = [write(one, {"mean": 0.5}, POINTS) for one in trials]
    with Proxy(server.port, always(fault)) as proxy:
        told = ship_all(proxy.uri)
        assert (told.away, told.ended, told.waiting) == (True, 0, 6)
        assert proxy.calls == 2, "after two records without an answer the others are not tried"
        assert proxy.uri in told.problems[0]
        assert {"500": "HTTP 500", "page": "HTTP 200, and what it says is not MLflow's: <html>", "deaf": "Remote"}[
            fault
        ] in told.problems[0]
    assert not any(ack.read(record).done for record in records)
    assert ship_all(server.uri).ended == 6
    audit_lab(server.uri, planned.lab, trials)


def test_one_record_that_the_server_chokes_on_holds_up_no_other(server: Server, planned: Trial) -> None:
    trials = [trial(lab=planned.lab, seed=seed) for seed in range(5)]
    for one in trials:
        write(one, {"mean": 0.5}, POINTS)
    poison = trials[0].key.encode()
    with Proxy(server.port, lambda proxy, number, body: "500" if poison in body else "") as proxy:
        told = ship_all(proxy.uri)
    assert (told.ended, told.waiting, told.away) == (4, 1, False)
    assert "HTTP 500" in told.problems[0]
    assert ship_all(server.uri) == Shipped(ended=1, numbers=21)
    audit_lab(server.uri, planned.lab, trials)


def test_a_server_that_hangs_costs_two_waits(server: Server, planned: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "PATIENCE", 0.5)
    for seed in range(6):
        write(trial(lab=planned.lab, seed=seed), {"mean": 0.5})
    with Proxy(server.port, always("hang")) as proxy:
        began = time.monotonic()
        told = ship_all(proxy.uri)
        assert 1.0 <= time.monotonic() - began < 5.0
    assert (told.away, told.waiting) == (True, 6)
    assert "timed out" in told.problems[0]


def test_a_pass_with_nothing_to_send_asks_mlflow_nothing(server: Server, planned: Trial) -> None:
    """It is made every other second for as long as a command runs."""
    write(planned, {"mean": 0.5})
    with Proxy(server.port, always("")) as proxy:
        shipper = Shipper(proxy.uri)
        assert shipper.once().ended == 1
        asked = proxy.calls
        assert shipper.once() == Shipped()
        assert proxy.calls == asked


def test_a_command_does_not_wait_for_a_hanging_server_longer_than_it_says(server: Server, planned: Trial) -> None:
    write(planned, {"mean": 0.5})
    with Proxy(server.port, always("hang")) as proxy:
        shipper = Shipper(proxy.uri)
        shipper.start()
        wait_for(lambda: proxy.calls > 0)
        began = time.monotonic()
        assert shipper.stop(patience=0.5).away
        assert time.monotonic() - began < 2.0


def test_a_server_killed_while_trials_run_gets_all_of_it_when_it_is_back(broken: Server) -> None:
    lab = "foundations/gone"
    shipper = Shipper(broken.uri)
    shipper.start()
    trials = [trial(lab=lab, seed=seed) for seed in range(9)]
    for one in trials[:3]:
        write(one, {"mean": 0.5}, POINTS)
    shipper.nudge()
    wait_for(lambda: shipper.sent.ended == 3)
    broken.kill()
    for one in trials[3:6]:
        write(one, {"mean": 0.5}, POINTS)
    shipper.nudge()
    wait_for(lambda: shipper.sent.away)
    broken.start()
    for one in trials[6:]:
        write(one, {"mean": 0.5}, POINTS)
    assert shipper.stop(patience=60).ended == 9
    audit_lab(broken.uri, lab, trials)


def test_a_database_set_back_a_day_gets_what_it_lacks(broken: Server) -> None:
    lab = "foundations/back"
    trials = [trial(lab=lab, seed=seed) for seed in range(6)]
    for one in trials[:3]:
        write(one, {"mean": 0.5}, POINTS)
    assert ship_all(broken.uri).ended == 3
    broken.kill()
    copies = {path: path.read_bytes() for path in broken.home.glob("mlflow.db*")}
    broken.start()
    for one in trials[3:]:
        write(one, {"mean": 0.5}, POINTS)
    assert ship_all(broken.uri).ended == 3
    broken.kill()
    for path in broken.home.glob("mlflow.db*"):
        path.unlink()
    for path, content in copies.items():
        path.write_bytes(content)
    broken.start()
    assert ship_all(broken.uri).ended == 3
    audit_lab(broken.uri, lab, trials)
