"""Where trials run. An engine starts trials in their stack and tells what became of them; it never reads results.

Same trials, same results, whatever the engine: what is run, in which order, how often and beside what is decided in
labs.kit.schedule; what one trial does is labs.kit.trial.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from pkgutil import iter_modules
from typing import Protocol, cast

from labs.kit.errors import LabError, near
from labs.kit.plan import Trial
from labs.kit.stack import Stack


class Status(StrEnum):
    """How one attempt at a trial ended."""

    FINISHED = "FINISHED"
    """Measured, predicted and recorded."""
    FAILED = "FAILED"
    """It raised: the same seed would raise again, so it is not run again."""
    KILLED = "KILLED"
    """Its process was ended from outside, so another attempt may fare better."""
    TIMEOUT = "TIMEOUT"
    """It took longer than its lab allows and was ended."""
    BUSY = "BUSY"
    """Another command is running this very trial."""
    ELSEWHERE = "ELSEWHERE"
    """Another command has finished it meanwhile."""


@dataclass(frozen=True)
class Started:
    """An attempt has been handed to a process."""

    trial: Trial
    attempt: int = 1


@dataclass(frozen=True)
class Ended:
    """An attempt is over."""

    trial: Trial
    status: Status
    message: str = ""
    signal: int = 0
    """The signal that killed it; 0 where none did, or none is known."""
    final: bool = True
    """Whether no further attempt follows."""


@dataclass(frozen=True)
class Planned:
    """What a run is about to do."""

    trials: Sequence[Trial]
    """Those to be run."""
    skipped: int
    """How many were finished before."""


@dataclass(frozen=True)
class Notice:
    """Something that concerns no single trial: a stack is being built, trials wait for another command."""

    text: str
    detail: str = ""
    """What it is at just now."""


Event = Planned | Started | Ended | Notice


class Making(Protocol):
    """How an engine comes by a stack, and by the base model that some labs of it start from."""

    def has(self, one: Stack, model: bool) -> bool:
        """Whether trials of the stack can start; with `model`, those that train one."""

    def make(self, one: Stack, model: bool, tell: Callable[[Notice], None]) -> None:
        """Make what is missing. Raises LabError where that cannot be."""


class Engine(Protocol):
    """A place where trials run. Used from one thread, which starts, waits and closes."""

    @property
    def making(self) -> Making:
        """What makes the stacks that its trials run in."""

    def fits(self, trial: Trial, running: Sequence[Trial]) -> bool:
        """Whether one more trial may run beside these. Always true beside none."""

    def start(self, trial: Trial) -> None:
        """Begin one attempt; how it ended comes out of wait()."""

    def wait(self, seconds: float) -> list[Ended]:
        """What has ended, as soon as something has; nothing once the seconds have passed."""

    def close(self) -> None:
        """End everything that still runs, and return when nothing of it is left."""


def open_engine(name: str, workers: int | None = None) -> Engine:
    """The engine of this name: a module here with a function engine(workers). Raises LabError for an unknown name.

    It is imported only now, since an engine for containers or a cluster may bring packages that others lack.
    """
    refuse_unknown(name)
    return cast(Engine, import_module(f"{__name__}.{name}").engine(workers))


def refuse_unknown(name: str) -> None:
    """Raise LabError where there is no engine of this name."""
    known = [module.name for module in iter_modules(__path__) if not module.ispkg]
    if name not in known:
        raise LabError(
            f"No engine is called {name!r}. {near(name, known)}\n"
            "An engine is where trials run, so none was run.\n"
            "Type `gaplab run LAB --engine process` to run on this machine."
        )
