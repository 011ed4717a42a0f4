"""The engine `docker`, with a real one: the same trials and the same numbers, and nothing in reach of a trial."""

import hashlib
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path

import docker
import pytest

from labs.kit import places, spool
from labs.kit.containers import images, reaper
from labs.kit.engines import Ended, Event, Started, Status, process
from labs.kit.engines import docker as containers
from labs.kit.engines.inside import walls
from labs.kit.plan import Trial
from labs.kit.run import run
from labs.kit.schedule import carry_out
from labs.kit.stack import Stack
from tests.kit.engines.deeds import last, planned, through, wait_for

pytestmark = pytest.mark.container

Told = dict[str, Ended]
NARROW = ["dial", "call", "reach", "stray", "rewrite", "swell", "breed", "grow_root"]


@pytest.fixture(scope="module")
def image(home: Path) -> None:
    """The image of the tabular stack."""
    if not images.is_built(Stack("tabular")):
        images.build([Stack("tabular")])


def workers() -> list[docker.models.containers.Container]:
    """The containers of this test's home."""
    told = {"label": f"org.gaplab.home={places.home()}"}
    return list(docker.from_env().containers.list(all=True, filters=told, ignore_removed=True))


def follow(trials: list[Trial], count: int = 2) -> Generator[Event, None, None]:
    return through(containers.engine(count, 6000), trials)


def endings(trials: list[Trial], count: int = 2) -> Told:
    return last(follow(trials, count))


@pytest.fixture(scope="module")
def told(image: None, home: Path) -> Generator[Told, None, None]:
    """One run of trials that end in every way."""
    fine, silent = ["measure", "print", "threads"], ["nan", "raise", "leave"]
    trials = planned(home / "labs", [*fine, *silent, "crash", "die", "die_twice", *NARROW], memory=300)
    with sqlite3.connect(home / "mlflow.db") as database, socket.create_server(("127.0.0.1", 0)) as mlflow:
        database.execute("create table runs (id)")
        (Path(trials[0].lab_folder) / "port").write_text(str(mlflow.getsockname()[1]))
        yield endings(trials)
    wait_for(lambda: not workers())


def test_a_trial_that_measures_is_finished_and_recorded_outside(told: Told) -> None:
    assert told["measure"].status is Status.FINISHED
    ended = spool.finished(told["measure"].trial.folder)
    assert ended is not None
    assert ended.values == {"mean_reward": 0.25, "predicted.mean_reward": 0.25}
    assert (told["measure"].trial.folder / "0.jsonl").stat().st_uid == os.getuid()


def test_a_trial_that_raises_says_where_on_this_machine(told: Told) -> None:
    """Folders have the same names within, so the line can be opened."""
    assert f"{told['raise'].trial.lab_folder}/practice.py, line" in told["raise"].message
    assert "ValueError: the coin rolled away" in told["raise"].message


@pytest.mark.parametrize(("deed", "attempts"), [("die_twice", 3), ("die", 3), ("leave", 1)])
def test_attempts_are_counted_as_without_containers(told: Told, deed: str, attempts: int) -> None:
    assert len(spool.attempts(told[deed].trial.folder)) == attempts
    assert (told[deed].status is Status.FINISHED) == (deed == "die_twice")


def test_a_crash_is_told_from_a_lack_of_memory(told: Told) -> None:
    assert "Segmentation fault" in told["crash"].message
    assert "for memory" not in told["crash"].message
    assert "the kernel ended it for memory, in a container of 1324 MiB" in told["swell"].message
    assert "raise `memory` (now 300)" in told["swell"].message


def test_a_kill_is_not_taken_for_a_lack_of_memory(told: Told) -> None:
    """Exit 137 alone says nothing: the kernel has to have said so."""
    assert "the kernel ended it" not in told["die"].message


@pytest.mark.parametrize(
    ("deed", "why"),
    [
        ("dial", "Network is unreachable"),
        ("call", "Connection refused"),
        ("reach", "no such table: runs|unable to open database file"),
        ("stray", "Read-only file system"),
        ("rewrite", "Read-only file system"),
        ("grow_root", "Operation not permitted"),
        ("breed", "Resource temporarily unavailable"),
    ],
)
def test_what_is_not_a_trial_s_business_fails_and_is_named(told: Told, deed: str, why: str) -> None:
    """A connection, MLflow's server and database, a file elsewhere, the lab's text, another user, endless processes."""
    assert told[deed].status is Status.FAILED
    assert re.search(why, told[deed].message)


def test_a_trial_writes_to_its_own_folder_alone(image: None, labs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel guards its neighbours' records, where it has Landlock; but below /tmp everybody may write."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        monkeypatch.setenv("GAPLAB_TRIALS", folder)
        ended = endings(planned(labs, ["trespass", "measure"]))
    assert ended["measure"].status is Status.FINISHED
    assert ended["trespass"].status is (Status.FAILED if walls.version() else Status.FINISHED)
    assert ("PermissionError" in ended["trespass"].message) == bool(walls.version())


def test_what_forks_without_end_takes_no_place_from_the_next_trial(image: None, labs: Path) -> None:
    """One worker, one trial at a time: the second one finds room for processes of its own."""
    ended = endings(planned(labs, ["breed", "multiply"]), count=1)
    assert ended["breed"].status is Status.FAILED
    assert ended["multiply"].status is Status.FINISHED, ended["multiply"].message


def test_the_numbers_are_those_of_the_engine_process(image: None, labs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the last bit, for a lab that draws random numbers and compiles a loop."""
    from labs.kit import catalogue
    from labs.kit.plan import plan

    monkeypatch.setenv("GAPLAB_LABS", str(places.ROOT / "labs"))
    trials = plan(catalogue.pick(["foundations/random_walk"]), "quick", seeds=1)[:3]
    found = []
    for engine in (process.engine(2), containers.engine(2)):
        monkeypatch.setenv("GAPLAB_TRIALS", str(labs.parent / type(engine.making).__name__))
        list(carry_out(trials, engine, lambda trial: True))
        engine.close()
        found.append([ended.values for trial in trials if (ended := spool.finished(trial.folder))])
    assert len(found[0]) == 3
    assert found[0] == found[1]


@pytest.mark.parametrize("first", ["docker", "process"])
def test_what_one_engine_has_finished_the_other_does_not_repeat(image: None, labs: Path, first: str) -> None:
    """A trial is the same wherever it runs, so changing one's mind costs nothing."""
    trials = planned(labs, ["measure"], seeds=2)
    told = [run(trials, engine=engine, ship=False) for engine in (first, {"docker": "process"}.get(first, "docker"))]
    assert [(one.done, one.skipped) for one in told] == [(2, 0), (0, 2)]
    assert [len(spool.attempts(trial.folder)) for trial in trials] == [1, 1]


def test_the_base_model_is_made_once_and_lent_to_trials(home: Path, labs: Path) -> None:
    """In a container that may write there; where trials run, it may only be read."""
    grpo = Stack("grpo")
    trials = planned(labs, ["measure"], stack="grpo", memory=1000)
    containers.Images().make(grpo, True, lambda notice: None)
    assert containers.Images().has(grpo, True)
    (weights,) = (places.home() / "base").glob("*/model.safetensors")
    practice = Path(trials[0].lab_folder) / "practice.py"
    asked = "    from labs.kit.policy.base import base, digest\n    (log.folder / 'base').write_text(digest(base()))\n"
    practice.write_text(practice.read_text().replace("    attempt = ", f"{asked}    attempt = "))
    (ended,) = [e for e in follow(trials) if isinstance(e, Ended) and e.final]
    assert ended.status is Status.FINISHED, ended.message
    assert (trials[0].folder / "base").read_text() == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert len([*(places.home() / "base").glob("*/model.safetensors")]) == 1


def test_a_worker_that_is_killed_is_started_again(image: None, labs: Path) -> None:
    """`docker kill` is no fault of the trial: it is tried anew and finishes."""
    trials = planned(labs, ["nap"], seeds=2, nap=2.0)
    ended, killed = [], False
    for event in follow(trials):
        if isinstance(event, Started) and not killed:
            wait_for(lambda: any((trial.folder / "pid").is_file() for trial in trials))
            workers()[0].kill()
            killed = True
        if isinstance(event, Ended) and event.final:
            ended.append(event)
    assert [event.status for event in ended] == [Status.FINISHED] * 2
    assert not workers()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_command_leaves_no_container_and_the_next_one_goes_on(
    image: None, labs: Path, number: signal.Signals
) -> None:
    trials = planned(labs, ["nap"], seeds=3, nap=1.5)
    command = [sys.executable, "-m", "tests.kit.engines.command", "docker"]
    begun = subprocess.Popen(command, cwd=places.ROOT, stderr=subprocess.PIPE, start_new_session=True)
    wait_for(lambda: any((trial.folder / "pid").is_file() for trial in trials))
    assert len(workers()) == 1
    begun.send_signal(number)
    begun.communicate()
    wait_for(lambda: not workers())
    assert all(ended.status is Status.FINISHED for ended in follow(trials) if isinstance(ended, Ended))
    assert all(spool.is_finished(trial.folder) for trial in trials)


def test_a_container_whose_command_is_gone_is_removed(image: None, labs: Path) -> None:
    """A worker that hangs does not hear that its input has ended."""
    told = {**reaper.labels("tabular"), reaper.WORKER: f"{reaper.owner().split()[0]} 999999999 0.00"}
    left = docker.from_env().containers.run(
        images.name_of(Stack("tabular")), ["sleep", "60"], labels=told, detach=True, network_mode="none"
    )
    assert left.name in reaper.reap()
    assert not workers()


def test_a_container_whose_command_runs_is_left_alone(image: None, labs: Path) -> None:
    running = docker.from_env().containers.run(
        images.name_of(Stack("tabular")),
        ["sleep", "60"],
        labels=reaper.labels("tabular"),
        detach=True,
        network_mode="none",
    )
    assert running.name not in reaper.reap()
    running.remove(force=True)


def test_a_warm_worker_starts_a_trial_in_a_tenth_of_a_second(image: None, labs: Path) -> None:
    """Twice that is allowed, on a machine where others work: the stack is imported once, trials are forked."""
    begun: dict[str, float] = {}
    trials = planned(labs, ["measure"], seeds=12)
    for event in follow(trials, count=1):
        if isinstance(event, Started):
            begun[event.trial.key] = time.time()
    first = {trial.key: (trial.folder / "0.jsonl").stat().st_ctime for trial in trials}
    waits = sorted((trial.folder / "pid").stat().st_mtime - begun[trial.key] for trial in trials[1:])
    assert len(first) == 12
    assert waits[len(waits) // 2] < 0.2
