"""What is left when a command is killed or stopped, and what two commands make of the same trials."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from labs.kit import places, spool
from labs.kit.plan import Trial
from tests.kit.engines.deeds import are_gone, planned, wait_for

pytestmark = pytest.mark.trial


def begin() -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.kit.engines.command"],
        cwd=places.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(command: "subprocess.Popen[str]") -> dict[str, int]:
    said, complaints = command.communicate(timeout=60)
    assert command.returncode == 0, complaints
    told: dict[str, int] = json.loads(said)
    return told


def until_running(command: "subprocess.Popen[str]", trials: list[Trial]) -> list[psutil.Process]:
    """Everything that the command has started, once two of its trials run."""
    wait_for(lambda: sum((trial.folder / "pid").is_file() for trial in trials) == 2)
    below = psutil.Process(command.pid).children(recursive=True)
    assert len(below) >= 4  # the worker, what it forks from, two trials
    return below


def test_a_second_run_repeats_nothing(labs: Path) -> None:
    trials = planned(labs, ["measure"], seeds=3)
    assert finish(begin()) == {"done": 3, "skipped": 0, "elsewhere": 0, "failed": 0}
    assert finish(begin()) == {"done": 0, "skipped": 3, "elsewhere": 0, "failed": 0}
    assert all(len(spool.attempts(trial.folder)) == 1 for trial in trials)


def test_two_commands_at_once_run_no_trial_twice(labs: Path) -> None:
    """They share the work, and each ends when all of it is done."""
    trials = planned(labs, ["nap"], seeds=8, nap=0.5)
    first, second = map(finish, [begin(), begin()])
    assert all(len(spool.attempts(trial.folder)) == 1 for trial in trials)
    assert first["done"] + second["done"] == 8
    assert [told["done"] + told["skipped"] + told["elsewhere"] for told in (first, second)] == [8, 8]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_command_leaves_no_process_and_the_next_one_goes_on(labs: Path, number: signal.Signals) -> None:
    trials = planned(labs, ["nap"], seeds=3, nap=1.0)
    command = begin()
    below = until_running(command, trials)
    command.send_signal(number)
    assert are_gone(below)
    command.communicate()
    assert finish(begin())["done"] == 3
    assert all(spool.is_finished(trial.folder) for trial in trials)


def test_ctrl_c_ends_everything_and_loses_nothing(labs: Path) -> None:
    """A terminal sends it to the whole group, the trials included."""
    trials = planned(labs, ["measure", "nap"], seeds=2, nap=1.5)
    command = begin()
    wait_for(lambda: any(spool.is_finished(trial.folder) for trial in trials))
    below = psutil.Process(command.pid).children(recursive=True)
    os.killpg(command.pid, signal.SIGINT)
    assert are_gone(below)
    assert "KeyboardInterrupt" in command.communicate()[1]
    done = sum(spool.is_finished(trial.folder) for trial in trials)
    assert finish(begin()) == {"done": 4 - done, "skipped": done, "elsewhere": 0, "failed": 0}


def test_a_command_killed_while_its_stack_is_imported_leaves_no_process(
    labs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that waits for 6 seconds of imports hears nothing from its pipe."""
    practice = Path(planned(labs, ["measure"])[0].lab_folder) / "practice.py"
    (labs / "slow_to_import.py").write_text(
        "import time, pathlib\npathlib.Path(__file__ + '.begun').touch()\ntime.sleep(20)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(labs))
    practice.write_text(f"import slow_to_import\n{practice.read_text()}")
    command = begin()
    wait_for((labs / "slow_to_import.py.begun").is_file)
    below = psutil.Process(command.pid).children(recursive=True)
    assert len(below) >= 2  # the worker, and what it forks from
    command.kill()
    assert are_gone(below)
    command.communicate()
