"""Run trials and record them: what is finished is left out, what is missing is made, what is recorded is sent on."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

from labs.kit import spool
from labs.kit.backlog import Backlog
from labs.kit.engines import Ended, Engine, Event, Notice, Planned, Started, Status, open_engine
from labs.kit.plan import Trial
from labs.kit.preparing import Preparing
from labs.kit.schedule import carry_out
from labs.kit.services import tracking_uri
from labs.kit.shipper import Shipper

PATIENCE = 10.0
"""Seconds that a run waits at its end for MLflow; what it has not got by then is sent by the next run."""
HASTE = 2.0
"""The same after Ctrl-C, and where MLflow has just not answered."""


@dataclass(frozen=True)
class Failure:
    """A trial that measured nothing."""

    trial: str
    """lab variant seed"""
    status: Status
    message: str
    """Three sentences."""
    begun: bool = True
    """False where it could not even start: its stack could not be made."""


@dataclass
class Report:
    """What a run did."""

    done: int = 0
    """Trials finished here."""
    skipped: int = 0
    """Trials that were finished before."""
    elsewhere: int = 0
    """Trials that another command finished meanwhile."""
    failed: list[Failure] = field(default_factory=list)
    waiting: int = 0
    """Attempts that are recorded on this disk and not yet in MLflow."""
    problems: list[str] = field(default_factory=list)
    """What hinders them."""

    @property
    def exit_code(self) -> int:
        """0 where every trial is finished, 1 where one failed. Waiting for MLflow is no failure: nothing is lost."""
        return 1 if self.failed else 0

    @property
    def hindered(self) -> bool:
        """Whether there were trials that could not even start."""
        return not all(failure.begun for failure in self.failed)

    def add(self, ended: Ended, begun: bool) -> None:
        """Count one trial."""
        if ended.status is Status.FINISHED:
            self.done += 1
        elif ended.status is Status.ELSEWHERE:
            self.elsewhere += 1
        else:
            self.failed.append(Failure(ended.trial.name, ended.status, ended.message, begun))


def run(
    trials: Sequence[Trial],
    engine: str = "process",
    workers: int | None = None,
    on_event: Callable[[Event], None] | None = None,
    uri: str | None = None,
    ship: bool = True,
) -> Report:
    """Run the trials that are not finished, and send to the MLflow at `uri` (tracking_uri()) what it has not got.

    `ship=False` leaves MLflow out. Events come one at a time, but not all from the calling thread.
    """
    tell = _one_at_a_time(on_event or (lambda event: None))
    opened = open_engine(engine, workers)
    asked = {trial.key: trial for trial in trials}
    left = [trial for trial in asked.values() if not spool.is_finished(trial.folder)]
    report = Report(skipped=len(asked) - len(left))
    tell(Planned(left, report.skipped))
    with _recording(report, uri or tracking_uri(), tell) if ship else nullcontext(_nothing) as new, _closing(opened):
        if left:
            preparing, begun = Preparing(left, tell, opened.making), set[str]()
            for event in carry_out(left, opened, preparing.ready):
                if isinstance(event, Started):
                    begun.add(event.trial.key)
                if isinstance(event, Ended) and event.final:
                    report.add(event, event.trial.key in begun)
                    new()
                tell(event)
    return report


@contextmanager
def _closing(engine: Engine) -> Iterator[None]:
    try:
        yield
    finally:
        engine.close()


@contextmanager
def _recording(report: Report, uri: str, tell: Callable[[Event], None]) -> Iterator[Callable[[], None]]:
    """A shipper beside the trials, which also ends what died; gives the function that says: something is new."""
    shipper = Shipper(uri)
    shipper.start()
    patience = HASTE
    try:
        yield shipper.nudge
        patience = HASTE if shipper.sent.away else PATIENCE
    finally:
        tell(Notice("sending to MLflow what it has not got"))
        sent = shipper.stop(patience)
        report.problems = list(dict.fromkeys(sent.problems))
        if sent.away or sent.problems:
            report.waiting = len(Backlog().records())


def _nothing() -> None:
    """Without MLflow nobody waits for news."""


def _one_at_a_time(tell: Callable[[Event], None]) -> Callable[[Event], None]:
    lock = threading.Lock()

    def told(event: Event) -> None:
        with lock:
            tell(event)

    return told
