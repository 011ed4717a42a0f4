"""Which trial runs when, beside what, and how often: the same rules for every engine.

Raised: not run again, for the same seed would raise again. Killed: run again, three attempts in all; killed twice by
SIGKILL, which is how the kernel ends what takes too much memory: the third attempt runs alone, as every trial of the
preset `gpu` does. Running in another command: waited for.
"""

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from labs.kit import spool
from labs.kit.engines import Ended, Engine, Event, Notice, Started, Status
from labs.kit.errors import LabError
from labs.kit.plan import Trial

ATTEMPTS = 3
LOOK_AGAIN = 0.5
"""Seconds between two looks at a trial that another command runs, or at a stack that is being built."""


def carry_out(trials: Sequence[Trial], engine: Engine, ready: Callable[[Trial], bool]) -> Iterator[Event]:
    """Run the trials and tell what happens. Every trial has exactly one Ended with `final` true.

    `ready` says whether a trial's stack is there yet, and raises LabError where it never will be.
    """
    yield from _Course(engine, ready, list(trials)).follow()


@dataclass
class _Course:
    engine: Engine
    ready: Callable[[Trial], bool]
    queue: list[Trial]
    running: dict[str, Trial] = field(default_factory=dict)
    elsewhere: list[Trial] = field(default_factory=list)
    attempts: Counter[str] = field(default_factory=Counter)
    out_of_memory: Counter[str] = field(default_factory=Counter)
    looked: float = 0.0

    def follow(self) -> Iterator[Event]:
        told = False
        while self.queue or self.running or self.elsewhere:
            yield from self._start_what_fits()
            for ended in self.engine.wait(LOOK_AGAIN):
                yield self._take(ended)
            yield from self._look_elsewhere()
            if self.elsewhere and not (self.queue or self.running or told):
                told = True
                yield Notice(f"waiting for {len(self.elsewhere)} trials that another gaplab command is running")

    def _start_what_fits(self) -> Iterator[Event]:
        for trial in list(self.queue):
            try:
                if not (self.ready(trial) and self._fits(trial)):
                    continue
                event = self._start(trial)
            except LabError as problem:
                event = Ended(trial, Status.FAILED, str(problem))
            self.queue.remove(trial)
            yield event

    def _fits(self, trial: Trial) -> bool:
        running = list(self.running.values())
        if any(self._is_alone(other) for other in running) or (running and self._is_alone(trial)):
            return False
        return self.engine.fits(trial, running)

    def _is_alone(self, trial: Trial) -> bool:
        """A trial that was too large beside others, and one that has the GPU's memory to itself."""
        return trial.preset == "gpu" or self.out_of_memory[trial.key] >= ATTEMPTS - 1

    def _start(self, trial: Trial) -> Event:
        if spool.is_finished(trial.folder):
            return self._found(trial)
        if spool.is_held(trial.folder):
            self.elsewhere.append(trial)
            return Ended(trial, Status.BUSY, final=False)
        self.engine.start(trial)
        self.attempts[trial.key] += 1
        self.running[trial.key] = trial
        return Started(trial, self.attempts[trial.key])

    def _found(self, trial: Trial) -> Ended:
        """Finished already: by an attempt of ours whose answer was lost with its worker, or by another command."""
        return Ended(trial, Status.FINISHED if self.attempts[trial.key] else Status.ELSEWHERE)

    def _take(self, ended: Ended) -> Ended:
        trial = self.running.pop(ended.trial.key)
        if ended.status is Status.BUSY:
            self.attempts[trial.key] -= 1
            self.elsewhere.append(trial)
            return replace(ended, final=False)
        if ended.status is not Status.KILLED:
            return ended
        self.out_of_memory[trial.key] += ended.signal == signal.SIGKILL
        if spool.is_finished(trial.folder):
            return self._found(trial)
        if self.attempts[trial.key] >= ATTEMPTS:
            return Ended(trial, Status.FAILED, _killed(trial, ended), ended.signal)
        self.queue.insert(0, trial)
        return replace(ended, final=False)

    def _look_elsewhere(self) -> Iterator[Event]:
        """A trial that another command was running is finished, or free to be run here, or still running there."""
        if time.monotonic() - self.looked < LOOK_AGAIN:
            return
        self.looked = time.monotonic()
        for trial in list(self.elsewhere):
            if spool.is_finished(trial.folder):
                self.elsewhere.remove(trial)
                yield self._found(trial)
            elif not spool.is_held(trial.folder):
                self.elsewhere.remove(trial)
                self.queue.append(trial)


def _killed(trial: Trial, ended: Ended) -> str:
    if ended.signal == signal.SIGKILL:
        why = ended.message or "most likely out of memory"
        return (
            f"{trial.name} was killed {ATTEMPTS} times, the last time alone: {why}.\n"
            "Nothing of it counts, so its claims stay `not run` for this seed.\n"
            f"Close other programs, or raise `memory` (now {trial.memory}) in {trial.lab_folder}/lab.toml; run again."
        )
    cause = ended.message or (signal.strsignal(ended.signal) if ended.signal else "its process left without a word")
    return (
        f"{trial.name} was ended {ATTEMPTS} times from outside: {cause}.\n"
        "Nothing of it counts, so its claims stay `not run` for this seed.\n"
        f"What it printed is in {trial.folder}; run the lab again when the cause is gone."
    )
