"""Cleaning removes what counts nowhere, says how much, and leaves alone what is in use or not yet recorded."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from labs.kit import ack, catalogue, places, services, spool
from labs.kit.clean import clean, everything, stale_trials
from labs.kit.errors import LabError
from labs.kit.plan import plan
from labs.kit.status import disk_use, trials_of_labs
from tests.kit import records
from tests.kit.folders import write_lab


@pytest.fixture
def labs(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One lab, whose trials a test records without running them."""
    monkeypatch.setenv("GAPLAB_LABS", str(home / "labs"))
    return write_lab(home / "labs")


def _record(seed: int, sent: bool = True) -> Path:
    """A finished trial of the lab as it is now."""
    trial = next(one for one in plan(catalogue.find()) if (one.seed, one.variant) == (seed, "fair"))
    record = records.write(trial, {"mean_reward": 0.3})
    if sent:
        ack.write(record, ack.Ack(record.stat().st_size, "run", True))
    return trial.folder


def _change(labs: Path) -> None:
    text = (labs / "lab.toml").read_text()
    (labs / "lab.toml").write_text(text.replace("rate = 0.3", "rate = 0.4"))


def test_trials_of_today_stay(labs: Path) -> None:
    _record(0)
    assert not list(stale_trials())
    assert clean("trials", yes=True) == 0
    assert trials_of_labs()[0].done == 1


def test_stale_trials_go_but_not_before_mlflow_has_them(labs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was measured once is not thrown away unrecorded."""
    sent, unsent = _record(0), _record(1, sent=False)
    _change(labs)
    today = _record(0)
    assert clean("trials", yes=True) == 0
    assert not sent.exists()
    assert unsent.exists()
    assert today.exists()
    assert "MLflow has not got it yet" in capsys.readouterr().out


def test_a_trial_that_runs_stays(labs: Path) -> None:
    folder = _record(0)
    _change(labs)
    with spool.hold(folder):
        clean("trials", yes=True)
    assert folder.exists()


def test_it_asks_and_takes_no_for_an_answer(labs: Path) -> None:
    folder, asked = _record(0), list[str]()
    _change(labs)

    def no(question: str) -> bool:
        asked.append(question)
        return False

    assert clean("trials", confirm=no) == 1
    assert folder.exists()
    assert len(asked) == 1
    with pytest.raises(LabError, match="--yes"):
        clean("trials")
    assert folder.exists()


def test_an_old_stack_stays_while_a_program_runs_in_it(home: Path) -> None:
    """A notebook may still have its kernel there."""
    idle, busy = (home / "stacks" / f"tabular-{digit * 12}" for digit in "12")
    for venv in (idle, busy):
        (venv / "bin").mkdir(parents=True)
        (venv / "bin" / "python").symlink_to(os.path.realpath(sys.executable))
    kernel = subprocess.Popen([str(busy / "bin" / "python"), "-c", "import time; time.sleep(60)"])
    assert clean("stacks", yes=True) == 0
    kernel.kill()
    kernel.wait()
    assert not idle.exists()
    assert busy.exists()


def test_a_stack_that_is_being_built_stays(home: Path) -> None:
    growing = home / "stacks" / ".tabular-111111111111.building"
    growing.mkdir(parents=True)
    lock = growing.with_name(".tabular-111111111111.flock")
    held = subprocess.Popen(["flock", str(lock), "sleep", "60"])
    while subprocess.run(["flock", "-n", str(lock), "true"], check=False).returncode == 0:
        pass
    clean("stacks", yes=True)
    assert growing.exists()
    held.kill()
    held.wait()


def test_everything_is_refused_while_a_trial_runs(labs: Path) -> None:
    with spool.hold(_record(0)), pytest.raises(LabError, match="is in use"):
        list(everything())


def test_everything_is_all_of_home_and_nothing_beside_it(labs: Path, tmp_path: Path) -> None:
    _record(0)
    elsewhere = tmp_path.with_name(f"{tmp_path.name}-shared")
    elsewhere.mkdir()
    (elsewhere / "kept").write_text("x" * 10_000)
    (places.home() / "stacks").symlink_to(elsewhere)
    assert sum(use.bytes for use in disk_use()) > 0
    assert clean("everything", yes=True) == 0
    assert list(places.home().iterdir()) == []
    assert (elsewhere / "kept").exists(), "a link goes, not what it leads to"


@pytest.mark.trial
def test_everything_is_refused_while_a_service_runs(home: Path) -> None:
    services.start(["jupyter"])
    with pytest.raises(LabError, match="make down"):
        clean("everything", yes=True)


def test_an_unknown_kind_is_refused_with_the_kinds(home: Path) -> None:
    with pytest.raises(LabError, match="Is 'stacks' meant"):
        clean("stack")
