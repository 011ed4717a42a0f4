"""One stack's worker, as the command sees it: trials go in, and each is answered for once."""

import json
import queue
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from labs.kit import places
from labs.kit.engines import Ended, Status
from labs.kit.plan import Trial

Endings = queue.SimpleQueue[Ended]


class Channel(Protocol):
    """The two ends of a worker process: its input and its output."""

    def write(self, line: bytes) -> None:
        """Hand it a line. Raises OSError where it is gone."""

    def lines(self) -> Iterator[bytes]:
        """What it answers, until it ends."""

    def end(self) -> int:
        """Kill it where it still runs; its exit code, or minus the signal that ended it."""

    def close(self) -> None:
        """Let it end its trials, and return when nothing of it is left."""

    def make_room(self, memory: int) -> None:
        """Have room for trials that take so many MiB together."""

    def why_killed(self, trial: Trial) -> str:
        """What it was that killed a trial, where the channel can tell."""


@dataclass
class Worker:
    """A channel, and the trials that it has not answered for."""

    channel: Channel
    log: Path
    ended: Endings
    waiting: dict[str, Trial] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    """Held while `waiting` changes: each trial is answered for once, by the worker or by its end."""
    code: int | None = None
    """Its exit code, or minus the signal that ended it, once it has ended."""

    def listen(self) -> "Worker":
        """Pass on what it answers, from a thread."""
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def send(self, trial: Trial) -> bool:
        """Hand over one trial; False where the worker is gone."""
        with self.lock:
            if self.code is not None:
                return False
            self.waiting[trial.key] = trial
            memory = sum(other.memory for other in self.waiting.values())
        with suppress(OSError):  # it has just died: _listen() answers for the trial
            self.channel.make_room(memory)
            self.channel.write(trial.to_json().encode() + b"\n")
        return True

    def answer_for(self, trial: Trial) -> None:
        """Tell how the trial ended that the worker, which has ended, will not answer for."""
        assert self.code is not None
        self.ended.put(self._explained(self._left(trial, self.code)))

    def close(self) -> None:
        """End it and wait until it is gone."""
        self.channel.close()

    def _listen(self) -> None:
        """Pass on the answers, and at the worker's end answer for what it leaves."""
        try:
            for line in self.channel.lines():
                if line.endswith(b"\n"):  # else it was killed while it wrote
                    self._pass_on(json.loads(line))
        finally:
            code = self.channel.end()  # it has ended, but for one whose answer was no JSON: its trials are tried anew
            with self.lock:
                self.code, left = code, list(self.waiting.values())
            for trial in left:
                self.answer_for(trial)

    def _pass_on(self, told: dict[str, Any]) -> None:
        with self.lock:
            trial = self.waiting.pop(told["key"])
        self.ended.put(self._explained(Ended(trial, Status(told["status"]), told["message"], told["signal"])))

    def _explained(self, ended: Ended) -> Ended:
        killed = ended.status is Status.KILLED and ended.signal == signal.SIGKILL
        return replace(ended, message=self.channel.why_killed(ended.trial) or ended.message) if killed else ended

    def _left(self, trial: Trial, code: int) -> Ended:
        if code <= 0:
            return Ended(trial, Status.KILLED, "its worker was killed", -code)
        said = "\n".join(self.log.read_text(errors="replace").splitlines()[-3:])
        message = (
            f"{trial.name}: the worker of stack {trial.stack} ended with code {code}: {said}\n"
            "No trial of that stack can run until its packages import again.\n"
            f"Type `gaplab stack build {trial.stack}`; everything it said is in {self.log}."
        )
        return Ended(trial, Status.FAILED, message)


def log_of(stack: str) -> Path:
    """Where a worker writes what it has to say beside its answers."""
    path = places.home() / "logs" / f"worker-{stack}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
