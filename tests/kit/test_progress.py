"""What a run shows: on a terminal lines that stay and change, how long it will take, each verdict once."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from labs.kit import pace
from labs.kit.engines import Ended, Notice, Planned, Started, Status
from labs.kit.pace import Pace
from labs.kit.plan import Trial
from labs.kit.progress import Progress, summary
from labs.kit.run import Failure, Report
from tests.kit.records import trial

pytestmark = pytest.mark.usefixtures("home")


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(pace, "time", made)
    return made


def _trials(count: int, lab: str = "foundations/coin") -> list[Trial]:
    return [trial(lab=lab, seed=seed) for seed in range(count)]


def _end(told: Pace, one: Trial, status: Status = Status.FINISHED, final: bool = True) -> None:
    told.take(Ended(one, status, final=final))


def test_no_time_is_promised_before_a_trial_has_told_how_long_one_takes(clock: Clock) -> None:
    told = Pace()
    told.take(Planned(_trials(4), skipped=0))
    told.take(Started(_trials(1)[0]))
    assert told.sentence() == "0 of 4 trials · 1 running"


def test_the_time_left_is_what_is_left_to_do_shared_by_those_who_do_it(clock: Clock) -> None:
    """Two at once, 10 s each: two running since 4 s and two to come are 6 + 6 + 10 + 10 seconds of work."""
    trials = _trials(6)
    told = Pace()
    told.take(Planned(trials, skipped=0))
    for one in trials[:2]:
        told.take(Started(one))
    clock.now = 10.0
    for one in trials[:2]:
        _end(told, one)
    for one in trials[2:4]:
        told.take(Started(one))
    clock.now = 14.0
    assert told.seconds_left() == 16.0
    assert told.sentence() == "2 of 6 trials · 2 running · about 16 s left"


def test_each_lab_is_timed_by_its_own_trials(clock: Clock) -> None:
    fast, slow = _trials(2, "foundations/fast"), _trials(2, "foundations/slow")
    told = Pace()
    told.take(Planned([*fast, *slow], skipped=0))
    for one, seconds in ((fast[0], 1.0), (slow[0], 100.0)):
        told.take(Started(one))
        clock.now += seconds
        _end(told, one)
    assert told.seconds_left() == 101.0


def test_a_killed_attempt_is_neither_done_nor_timed(clock: Clock) -> None:
    told = Pace()
    told.take(Planned(_trials(1), skipped=0))
    told.take(Started(_trials(1)[0]))
    clock.now = 5.0
    _end(told, _trials(1)[0], Status.KILLED, final=False)
    assert told.sentence() == "0 of 1 trial · 0 running"


def test_a_terminal_shows_how_far_it_is_what_runs_and_what_is_being_made() -> None:
    drawn = io.StringIO()
    show = Progress(Console(file=drawn, force_terminal=True, width=100, highlight=False))
    (one,) = _trials(1)
    with show.live():
        show(Started(one))
        show(Notice("building stack grpo", "torch 2.13.0"))
        show(Ended(one, Status.KILLED, signal=9, final=False))
        show(Started(one))
    said = drawn.getvalue()
    assert "1 running" in said
    assert "foundations/coin fair seed 0" in said
    assert "building stack grpo: torch 2.13.0" in said
    assert "was killed (signal 9); it is run again" in said


def test_brackets_in_a_message_are_text_and_no_style() -> None:
    """A lab's message is a stranger's: `[red]` in it must be shown, not obeyed."""
    drawn = io.StringIO()
    Progress(Console(file=drawn, width=200))(Ended(trial(), Status.FAILED, "[bold]x[/bold] raised\nso\nthere"))
    assert "[bold]x[/bold] raised" in drawn.getvalue()


def test_of_many_failures_one_a_variant_is_told_whole() -> None:
    failures = [
        Failure(replace(trial(seed=seed), variant=f"v{number}").name, Status.FAILED, f"no coin {number}")
        for number in range(7)
        for seed in range(3)
    ]
    said = "\n".join(summary(Report(failed=failures), seconds=61))
    assert "0 run · 21 failed · 1 min 1 s" in said
    assert "foundations/coin v0 seed 0[/] [dim](and 2 seeds more)" in said
    assert said.count("no coin") == 5
    assert "and 2 variants more" in said
