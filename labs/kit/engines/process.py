"""The engine `process`: on this machine, one worker per stack in that stack's interpreter, one process per trial."""

import json
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labs.kit import places
from labs.kit.engines import Ended, Status
from labs.kit.engines.inside import leash
from labs.kit.plan import Trial
from labs.kit.stack import Stack


def engine(workers: int | None = None) -> "ProcessEngine":
    """As many trials at once as there are cores for this command, or `workers`; fewer where memory is short."""
    return ProcessEngine(workers or len(os.sched_getaffinity(0)), _free_memory())


@dataclass
class ProcessEngine:
    """Starts workers as their stacks are needed, and again where one was killed."""

    workers: int
    memory: int
    """MiB that the trials may take together; measured once, since what they take counts as taken afterwards."""
    _open: dict[str, "_Worker"] = field(default_factory=dict)
    _ended: "queue.SimpleQueue[Ended]" = field(default_factory=queue.SimpleQueue)

    def fits(self, trial: Trial, running: Sequence[Trial]) -> bool:
        """Whether a core and the trial's memory are free."""
        taken = sum(other.memory for other in running)
        return not running or (len(running) < self.workers and taken + trial.memory <= self.memory)

    def start(self, trial: Trial) -> None:
        """Hand the trial to its stack's worker."""
        worker = self._open.get(trial.stack)
        if worker is None or not worker.send(trial):
            self._open[trial.stack] = _Worker.begin(trial, self._ended)

    def wait(self, seconds: float) -> list[Ended]:
        """What has ended, as soon as something has; nothing once the seconds have passed."""
        try:
            told = [self._ended.get(timeout=seconds)]
        except queue.Empty:
            return []
        while not self._ended.empty():
            told.append(self._ended.get())
        return told

    def close(self) -> None:
        """End the workers; the kernel ends their trials with them."""
        for worker in self._open.values():
            worker.close()
        self._open.clear()


def _free_memory() -> int:
    """MiB that this machine, and the control group that this command runs in, can still give."""
    told = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    free = int(told["MemAvailable"].split()[0]) // 1024
    for limit, used, cache in _GROUPS:
        if limit.is_file() and (most := limit.read_text().strip()) != "max":
            counts = dict(line.split() for line in (used.parent / "memory.stat").read_text().splitlines())
            free = min(free, (int(most) - int(used.read_text()) + int(counts[cache])) // 2**20)
    return free


_CGROUP = Path("/sys/fs/cgroup")
_GROUPS = [
    (_CGROUP / "memory.max", _CGROUP / "memory.current", "inactive_file"),
    (_CGROUP / "memory/memory.limit_in_bytes", _CGROUP / "memory/memory.usage_in_bytes", "total_inactive_file"),
]
"""Where the two versions of control groups say what a container may use, does use, and could give back at once."""


@dataclass
class _Worker:
    """One stack's worker process, and the trials that it has not answered for."""

    process: "subprocess.Popen[bytes]"
    log: Path
    ended: "queue.SimpleQueue[Ended]"
    waiting: dict[str, Trial] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    """Held while `waiting` changes: each trial is answered for once, by the worker or by its end."""
    over: bool = False

    @classmethod
    def begin(cls, trial: Trial, ended: "queue.SimpleQueue[Ended]") -> "_Worker":
        """Start the worker of the trial's stack, with the trial as its first."""
        log = places.home() / "logs" / f"worker-{trial.stack}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        said = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644)
        command = [str(Stack(trial.stack).python), "-m", "labs.kit.engines.inside.worker"]
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            cwd=places.ROOT,
            env={**os.environ, **leash.environment(), "GAPLAB_STACK": trial.stack},
        )
        os.close(said)
        worker = cls(process, log, ended, {trial.key: trial})
        threading.Thread(target=worker._listen, daemon=True).start()
        worker._write(trial)
        return worker

    def send(self, trial: Trial) -> bool:
        """Hand over one trial; False where the worker is gone."""
        with self.lock:
            if self.over:
                return False
            self.waiting[trial.key] = trial
        self._write(trial)
        return True

    def _write(self, trial: Trial) -> None:
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # it has just died: _listen() answers for the trial
            self.process.stdin.write(trial.to_json().encode() + b"\n")
            self.process.stdin.flush()

    def _listen(self) -> None:
        """Pass on the answers, and at the worker's end answer for what it leaves."""
        assert self.process.stdout is not None
        try:
            for line in self.process.stdout:
                if line.endswith(b"\n"):  # else it was killed while it wrote
                    self._pass_on(json.loads(line))
        finally:
            self.process.kill()  # it has ended, but for one whose answer was no JSON: its trials are tried anew
            code = self.process.wait()
            with self.lock:
                self.over, left = True, list(self.waiting.values())
            for trial in left:
                self.ended.put(self._left(trial, code))

    def _pass_on(self, told: dict[str, Any]) -> None:
        with self.lock:
            trial = self.waiting.pop(told["key"])
        self.ended.put(Ended(trial, Status(told["status"]), told["message"], told["signal"]))

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

    def close(self) -> None:
        """End it and wait until it is gone."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # it is gone already
            self.process.stdin.close()
        try:
            self.process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
