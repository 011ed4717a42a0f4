"""A whole run: what is missing is made, what is measured is recorded, and what was not is said."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs.kit import catalogue, console, places, preparing, reference, spool, tracking
from labs.kit.compare import Agreement
from labs.kit.engines import Event, Notice, Status
from labs.kit.errors import LabError
from labs.kit.making import Venvs
from labs.kit.plan import plan
from labs.kit.progress import run_and_tell
from labs.kit.run import run
from labs.kit.stack import Stack, uv
from labs.kit.verify import verify
from tests.faults.server import Server, free_port
from tests.kit import tiny_stack
from tests.kit.engines.deeds import planned
from tests.kit.folders import write_lab

CHECKOUT = places.home()


@pytest.fixture
def labs(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for labs, in a home with the stacks of the checkout and with no MLflow."""
    home.mkdir()
    for name in ("stacks", "bootstrap"):
        (home / name).symlink_to(CHECKOUT / name)
    monkeypatch.setenv("GAPLAB_LABS", str(home / "labs"))
    monkeypatch.setenv("GAPLAB_TRACKING_URI", f"http://127.0.0.1:{free_port()}")
    return home / "labs"


@pytest.fixture
def hanging() -> Iterator[str]:
    """The address of a server that takes what it is asked and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as deaf:
        yield f"http://127.0.0.1:{deaf.getsockname()[1]}"


def _statuses(server: Server) -> list[str]:
    mlflow = tracking.client(server.uri)
    home = mlflow.get_experiment_by_name("foundations/deeds")
    assert home is not None
    return sorted(found.info.status for found in mlflow.search_runs([home.experiment_id]))


def test_an_unknown_engine_is_told_the_near_name_before_anything_is_run(labs: Path) -> None:
    trials = planned(labs, ["measure"])
    with pytest.raises(LabError, match=r"No engine is called 'proces'\. Is 'process' meant"):
        run(trials, engine="proces")
    assert not trials[0].folder.exists()


@pytest.mark.trial
def test_with_mlflow_away_trials_run_and_the_next_run_sends_them(labs: Path, server: Server) -> None:
    trials = planned(labs, ["measure", "raise"], seeds=3)
    report = run(trials)
    assert (report.done, len(report.failed), report.waiting, report.exit_code) == (3, 3, 6, 1)
    assert "make up" in report.problems[0]
    assert report.failed[0].status is Status.FAILED
    fine = [trial for trial in trials if trial.variant == "measure"]
    report = run(fine, uri=server.uri)
    assert (report.done, report.skipped, report.waiting, report.exit_code) == (0, 3, 0, 0)
    assert _statuses(server) == ["FAILED"] * 3 + ["FINISHED"] * 3


@pytest.mark.trial
def test_verify_runs_labs_together_and_leaves_the_readers_trials_alone(
    labs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one run, since a stack takes seconds to import: eighteen labs would wait for it eighteen times.

    In a pipe each claim stands in one line, however long its lab's name.
    """
    both = [catalogue.read(write_lab(labs, name)) for name in ("foundations/coin", f"foundations/{'die_' * 15}")]
    assert run(plan(both, "quick"), ship=False).exit_code == 0
    for lab in both:
        reference.write(lab, ["quick"])
    before = sorted(places.trials().rglob("*.jsonl"))
    found = verify(both)
    assert [one.claim.lab for one in found] == [lab.id for lab in both for _ in lab.presets["quick"].variants]
    assert {one.agreement for one in found} == {Agreement.BITS}
    assert sorted(places.trials().rglob("*.jsonl")) == before
    console.out().print(console.comparison_table(found))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [one.claim.id for one in found]
    assert all("equal to the last bit" in line for line in lines)


@pytest.mark.trial
def test_with_mlflow_hanging_the_run_ends_all_the_same(labs: Path, hanging: str) -> None:
    begin = time.monotonic()
    report = run(planned(labs, ["measure"]), uri=hanging)
    assert time.monotonic() - begin < 30
    assert (report.done, report.waiting, report.exit_code) == (1, 1, 0)


@pytest.mark.trial
def test_a_missing_stack_is_built_and_one_that_cannot_be_harms_only_its_own_trials(
    labs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GAPLAB_UV", str(uv.find()))
    monkeypatch.setenv("GAPLAB_HOME", str(tmp_path / "fresh"))
    monkeypatch.setattr(places, "IMAGES", tmp_path / "images")
    for name, lock in {"tiny": tiny_stack.pinned("pebble"), "broken": "nothing==1.0 --hash=sha256:00\n"}.items():
        (tiny_stack.write(tmp_path / "images", name, smoke="import pebble\n") / "cpu.lock").write_text(lock)
    events: list[Event] = []
    trials = [*planned(labs / "a", ["measure"], stack="tiny"), *planned(labs / "b", ["measure"], stack="broken")]
    report = run(trials, on_event=events.append, ship=False)
    assert report.done == 1
    assert [failure.status for failure in report.failed] == [Status.FAILED]
    assert "broken" in report.failed[0].message
    assert Stack("tiny").built
    assert "building stack tiny" in {event.text for event in events if isinstance(event, Notice)}


@pytest.mark.trial
def test_the_base_model_is_made_before_the_first_trial_that_starts_from_it(labs: Path) -> None:
    """And once only: asking the stack where it stands takes seconds, so that is noted."""
    (places.home() / "base").mkdir()
    for made in (CHECKOUT / "base").glob("[0-9]-*"):
        (places.home() / "base" / made.name).symlink_to(made)
    trials = planned(labs, ["measure"], stack="grpo")
    practice = Path(trials[0].lab_folder) / "practice.py"
    practice.write_text(f"from labs.kit.policy.base import base\n{practice.read_text()}")
    texts = []
    for _ in range(2):
        told: list[Event] = []
        ready = preparing.Preparing(trials, told.append, Venvs())
        while not ready.ready(trials[0]):
            time.sleep(0.1)
        texts.append([event.text for event in told if isinstance(event, Notice)])
    assert texts == [["making the base model with stack grpo", "stack grpo is ready"], []]


@pytest.mark.trial
def test_a_run_tells_its_trials_its_verdicts_and_its_failures(labs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No terminal here, so each event is a line."""
    code = run_and_tell(planned(labs, ["measure", "lie", "raise"], seeds=2)).exit_code
    said = capsys.readouterr().out
    assert code == 1
    assert "foundations/deeds measure seed 1" in said
    assert "● holds  foundations/deeds/mean_reward measure (control)  predicted 0.25, measured 0.25 reward" in said
    assert "◆ gap  foundations/deeds/mean_reward lie  predicted 0.25, measured 0.75 reward" in said
    assert "✖ foundations/deeds raise seed 0: " in said
    assert "4 run · 2 failed" in said
    assert "ValueError: the coin rolled away" in said
    assert "6 records on this disk not yet in MLflow" in said


@pytest.mark.trial
def test_a_run_for_a_program_prints_one_json_value(labs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run_and_tell(planned(labs, ["measure", "raise"]), json=True).exit_code
    told = json.loads(capsys.readouterr().out)
    assert code == 1
    assert (told["done"], told["skipped"], told["elsewhere"], told["waiting"]) == (1, 0, 0, 2)
    assert told["failed"][0]["trial"] == "foundations/deeds raise seed 0"
    assert told["failed"][0]["status"] == "FAILED"


@pytest.mark.trial
def test_trials_asked_for_twice_are_run_once(labs: Path) -> None:
    """Two presets that ask for the same trial share it."""
    trials = planned(labs, ["measure"])
    report = run([*trials, *trials], ship=False)
    assert (report.done, report.skipped) == (1, 0)
    assert len(spool.attempts(trials[0].folder)) == 1
