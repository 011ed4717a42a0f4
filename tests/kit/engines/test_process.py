"""What becomes of trials that finish, fail, hang or are killed, in the real engine and a real stack."""

import os
import time
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from labs.kit import spool
from labs.kit.engines import Ended, Event, Started, Status, process
from labs.kit.engines.outside.crew import Crew
from labs.kit.engines.outside.worker import Endings, Worker
from labs.kit.making import Venvs
from labs.kit.plan import Trial
from labs.kit.stack import Stack
from tests.kit.engines.deeds import are_gone, by_deed, last, planned, through, wait_for

pytestmark = pytest.mark.trial

Told = dict[str, Ended]


def follow(trials: list[Trial], workers: int = 2, memory: int = 4000) -> Generator[Event, None, None]:
    return through(process.engine(workers, memory), trials)


def endings(trials: list[Trial]) -> Told:
    return last(follow(trials))


@pytest.fixture(scope="module")
def told(home: Path) -> Told:
    """One run of trials that end in every way but by the clock."""
    fine, silent = ["measure", "print", "threads"], ["nan", "inf", "nothing", "raise", "leave"]
    return endings(planned(home / "labs", [*fine, *silent, "vanish", "crash", "die", "die_twice"]))


def test_a_trial_that_measures_is_finished_and_recorded(told: Told) -> None:
    assert told["measure"].status is Status.FINISHED
    ended = spool.finished(told["measure"].trial.folder)
    assert ended is not None
    assert ended.values == {"mean_reward": 0.25, "predicted.mean_reward": 0.25}


def test_a_trial_that_raises_is_tried_once_and_says_where(told: Told) -> None:
    ended = told["raise"]
    assert ended.status is Status.FAILED
    assert "practice.py, line" in ended.message
    assert "ValueError: the coin rolled away" in ended.message
    assert len(spool.attempts(ended.trial.folder)) == 1
    assert "Traceback" in (ended.trial.folder / "0.log").read_text()


@pytest.mark.parametrize("deed", ["leave", "vanish"])
def test_a_trial_that_leaves_without_measuring_is_not_taken_for_finished(told: Told, deed: str) -> None:
    """Exit code 0 says nothing: only the record does."""
    assert told[deed].status is Status.FAILED
    assert not spool.is_finished(told[deed].trial.folder)


def test_a_trial_killed_twice_succeeds_at_its_third_attempt(told: Told) -> None:
    assert told["die_twice"].status is Status.FINISHED
    assert len(spool.attempts(told["die_twice"].trial.folder)) == 3


def test_a_trial_killed_every_time_fails_after_three_attempts(told: Told) -> None:
    ended = told["die"]
    assert ended.status is Status.FAILED
    assert "killed 3 times, the last time alone: most likely out of memory" in ended.message
    assert len(spool.attempts(ended.trial.folder)) == 3


def test_a_crash_is_told_by_its_signal(told: Told) -> None:
    assert told["crash"].status is Status.FAILED
    assert "Segmentation fault" in told["crash"].message


@pytest.mark.parametrize(
    ("deed", "said"),
    [("nan", "returned nan for 'mean_reward'"), ("inf", "returned inf"), ("nothing", "returned NoneType, not a dict")],
)
def test_what_was_not_measured_fails_with_three_sentences(told: Told, deed: str, said: str) -> None:
    ended = told[deed]
    assert ended.status is Status.FAILED
    assert said in ended.message
    assert len(ended.message.splitlines()) == 3
    assert "Traceback" not in ended.message


def test_what_a_trial_prints_stands_beside_its_record(told: Told) -> None:
    """Printed by Python or by compiled code, it must not reach the pipe on which the worker answers."""
    assert (told["print"].trial.folder / "0.log").read_text().splitlines() == ["heads", "tails"]


def test_what_a_package_prints_when_it_is_imported_does_not_pass_for_an_answer(
    labs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trials = planned(labs, ["measure"])
    (labs / "noisy.py").write_text("import os\nprint('{}')\nos.write(1, b'{}\\n')\n")
    monkeypatch.setenv("PYTHONPATH", str(labs))
    practice = Path(trials[0].lab_folder) / "practice.py"
    practice.write_text(f"import noisy\n{practice.read_text()}")
    assert endings(trials)["measure"].status is Status.FINISHED


def test_a_trial_computes_with_one_thread(told: Told) -> None:
    ended = spool.finished(told["threads"].trial.folder)
    assert ended is not None
    assert ended.values["mean_reward"] == 1.0


def test_theory_asking_for_an_unknown_name_is_told_the_near_one(labs: Path) -> None:
    trials = planned(labs, ["measure"])
    theory = Path(trials[0].lab_folder) / "theory.py"
    theory.write_text(theory.read_text().replace("rate: float", "rte: float").replace("return rate", "return rte"))
    ended = endings(trials)["measure"]
    assert ended.status is Status.FAILED
    assert "asks for 'rte'" in ended.message
    assert "Is 'rate' meant?" in ended.message


@pytest.mark.parametrize(
    ("line", "said"), [("def trial(:", "SyntaxError"), ("import no_such_package", "No module named 'no_such_package'")]
)
def test_a_lab_that_cannot_be_imported_fails_alone(labs: Path, line: str, said: str) -> None:
    """Every lab of the stack is imported before the first trial; one that cannot be must not take the others along."""
    broken, fine = planned(labs / "a", ["measure"]), planned(labs / "b", ["nap"])
    (labs / "foundations").symlink_to(labs / "a" / "foundations")
    (Path(broken[0].lab_folder) / "practice.py").write_text(line + "\n")
    told = endings([*broken, *fine])
    assert told["measure"].status is Status.FAILED
    assert said in told["measure"].message
    assert told["nap"].status is Status.FINISHED


@pytest.mark.parametrize("deed", ["doze", "spin"])
def test_a_trial_past_its_timeout_is_ended_and_its_neighbour_is_not(labs: Path, deed: str) -> None:
    """`spin` is deaf to SIGTERM, as compiled code is."""
    trials = planned(labs, [deed, "measure"], timeout=2)
    begin = time.monotonic()
    told = endings(trials)
    assert time.monotonic() - begin < 12
    assert told[deed].status is Status.TIMEOUT
    assert "was ended after 2 s" in told[deed].message
    assert told["measure"].status is Status.FINISHED
    assert not psutil.pid_exists(_pid(told[deed].trial))


def test_a_neighbour_of_a_killed_trial_ends_normally_at_its_first_attempt(labs: Path) -> None:
    trials = planned(labs, ["nap", "die"], nap=2.0)
    assert endings(trials)["nap"].status is Status.FINISHED
    assert len(spool.attempts(by_deed(trials)["nap"].folder)) == 1


def test_the_last_attempt_of_what_was_killed_twice_runs_alone(labs: Path) -> None:
    """Out of memory beside others, it may fit without them."""
    running: set[str] = set()
    alone = []
    for event in follow(planned(labs, ["die", "nap"], seeds=4)):
        if isinstance(event, Ended):
            running.discard(event.trial.key)
        elif isinstance(event, Started):
            if event.attempt == 3:
                alone.append(set(running))
            running.add(event.trial.key)
    assert alone == [set()] * 4


def test_trials_of_a_killed_worker_are_run_again_in_a_new_one(labs: Path) -> None:
    _kill_beneath(labs, lambda: _children(os.getpid(), "inside.worker"))


def test_trials_of_a_killed_fork_server_are_run_again(labs: Path) -> None:
    _kill_beneath(labs, lambda: _children(_children(os.getpid(), "inside.worker")[0], "forkserver"))


def _kill_beneath(labs: Path, find: Callable[[], list[int]]) -> None:
    trials = planned(labs, ["nap"], seeds=2, nap=3.0)
    told: list[Event] = []
    for event in follow(trials):
        told.append(event)
        if len(told) == 2:
            wait_for(lambda: all((trial.folder / "pid").is_file() for trial in trials))
            orphans = [psutil.Process(_pid(trial)) for trial in trials]
            psutil.Process(find()[0]).kill()
            assert are_gone(orphans, seconds=1.5)
    assert [e.status for e in told if isinstance(e, Ended) and e.final] == [Status.FINISHED] * 2
    assert sum(isinstance(e, Ended) and e.status is Status.KILLED for e in told) == 2
    assert all(len(spool.attempts(trial.folder)) == 2 for trial in trials)


def test_nothing_outlives_its_engine(labs: Path) -> None:
    trials = planned(labs, ["doze"], seeds=2)
    events = follow(trials)
    next(events), next(events)
    wait_for(lambda: all((trial.folder / "pid").is_file() for trial in trials))
    below = psutil.Process().children(recursive=True)
    assert len(below) >= 4  # the worker, what it forks from, two trials
    events.close()
    assert are_gone(below)


def test_memory_bounds_how_many_run_at_once(labs: Path) -> None:
    """Four cores, and memory for two: never three at once."""
    running, most = 0, 0
    for event in follow(planned(labs, ["nap"], seeds=6, memory=1000), workers=4, memory=2500):
        running += isinstance(event, Started)
        running -= isinstance(event, Ended)
        most = max(most, running)
    assert most == 2


def test_trials_of_the_preset_gpu_run_one_after_the_other(labs: Path) -> None:
    """A GPU's memory is not this machine's, so nobody knows how many would fit."""
    trials = [replace(trial, preset="gpu") for trial in planned(labs, ["measure"], seeds=3)]
    told = [type(event) for event in follow(trials) if isinstance(event, Started | Ended)]
    assert told == [Started, Ended] * 3


def test_a_trial_larger_than_the_memory_runs_alone(labs: Path) -> None:
    """Turned away, it would never run; tried, it may fit after all."""
    trials = planned(labs, ["measure", "nap"], memory=5000)
    assert {e.status for e in endings(trials).values()} == {Status.FINISHED}


def test_a_broken_stack_fails_its_trials_and_says_what_its_worker_said(
    labs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trials = planned(labs, ["measure"], seeds=2)
    monkeypatch.setenv("GAPLAB_HOME", str(tmp_path))
    python = Stack("tabular").python
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\necho no module named pebble >&2; exit 1\n")
    python.chmod(0o755)
    told = endings(trials)["measure"]
    assert told.status is Status.FAILED
    assert "no module named pebble" in told.message
    assert "gaplab stack build tabular" in told.message


def test_a_worker_that_ends_before_it_is_handed_anything_is_answered_for(
    labs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else nobody would ever tell how its first trial ended, and the run would wait for ever."""
    (trial,) = planned(labs, ["measure"])
    monkeypatch.setenv("GAPLAB_HOME", str(tmp_path))
    python = Stack("tabular").python
    python.parent.mkdir(parents=True)
    python.symlink_to("/bin/false")

    def begin(stack: str, ended: Endings) -> Worker:
        worker = process._begin(stack, ended)
        while worker.code is None:
            time.sleep(0.01)
        return worker

    crew = Crew(begin, Venvs(), workers=1, memory=1000)
    crew.start(trial)
    assert [(ended.trial, ended.status) for ended in crew.wait(10)] == [(trial, Status.FAILED)]


def _pid(trial: Trial) -> int:
    return int((trial.folder / "pid").read_text())


def _children(parent: int, word: str) -> list[int]:
    return [one.pid for one in psutil.Process(parent).children() if word in " ".join(one.cmdline())]
