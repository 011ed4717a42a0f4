"""How far a run is, and from how long its trials took, how long the rest will take."""

import time
from dataclasses import dataclass, field
from statistics import median

from rich.markup import escape

from labs.kit.engines import Ended, Event, Planned, Started, Status
from labs.kit.plan import Trial


@dataclass
class Pace:
    """How many trials are done, and from how long they took, how long the rest will."""

    total: int = 0
    done: int = 0
    running: dict[str, Trial] = field(default_factory=dict)
    _left: list[Trial] = field(default_factory=list)
    _began: dict[str, float] = field(default_factory=dict)
    _took: dict[str, list[float]] = field(default_factory=dict)
    """By lab: seconds a trial."""
    _most: int = 1

    def take(self, event: Event) -> None:
        """Count one event."""
        if isinstance(event, Planned):
            self.total, self._left = len(event.trials), list(event.trials)
        elif isinstance(event, Started):
            self.running[event.trial.key] = event.trial
            self._began[event.trial.key] = time.monotonic()
            self._most = max(self._most, len(self.running))
        elif isinstance(event, Ended):
            self.running.pop(event.trial.key, None)
            if event.status is Status.FINISHED:
                took = time.monotonic() - self._began.get(event.trial.key, time.monotonic())
                self._took.setdefault(event.trial.lab, []).append(took)
            if event.final:
                self.done += 1
                self._left = [trial for trial in self._left if trial.key != event.trial.key]

    @property
    def share(self) -> str:
        """How far it is: [3/20]."""
        return escape(f"[{self.done}/{self.total}]")

    def sentence(self) -> str:
        """Done, running, left, and the time that is left."""
        said = [f"{self.done} of {count(self.total, 'trial')}", f"{len(self.running)} running"]
        seconds = self.seconds_left()
        return " · ".join(said + ([f"about {duration(seconds)} left"] if seconds is not None else []))

    def seconds_left(self) -> float | None:
        """None until a first trial has told how long one takes, and when none is left.

        Medians: the first trials of a stack wait for its imports, which the later ones do not.
        """
        if not self._took or not self._left:
            return None
        usual = median(map(median, self._took.values()))
        now = time.monotonic()
        work = 0.0
        for trial in self._left:
            whole = median(self._took.get(trial.lab, [usual]))
            work += max(0.0, whole - (now - self._began[trial.key])) if trial.key in self.running else whole
        return work / self._most


def duration(seconds: float) -> str:
    """Seconds as a person says them.

    >>> duration(0.4), duration(75), duration(4000)
    ('1 s', '1 min 15 s', '1 h 7 min')
    """
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    minutes = round(whole / 60)
    return f"{minutes // 60} h {minutes % 60} min"


def count(number: int, noun: str) -> str:
    """A number of things.

    >>> count(1, "trial"), count(2, "trial")
    ('1 trial', '2 trials')
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"
