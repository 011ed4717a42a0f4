"""An engine of workers, one a stack: started when a trial needs it, and again where it was killed."""

import queue
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from labs.kit.engines import Ended, Making
from labs.kit.engines.outside.worker import Endings, Worker
from labs.kit.plan import Trial

_CGROUP = Path("/sys/fs/cgroup")
_GROUPS = [
    (_CGROUP / "memory.max", _CGROUP / "memory.current", "inactive_file"),
    (_CGROUP / "memory/memory.limit_in_bytes", _CGROUP / "memory/memory.usage_in_bytes", "total_inactive_file"),
]
"""Where the two versions of control groups say what a container may use, does use, and could give back at once."""


@dataclass
class Crew:
    """The engine: its workers are processes or containers, as `begin` makes them."""

    begin: Callable[[str, Endings], Worker]
    """Start the worker of a stack."""
    making: Making
    workers: int
    """Trials at once."""
    memory: int
    """MiB that the trials may take together; measured once, since what they take counts as taken afterwards."""
    _open: dict[str, Worker] = field(default_factory=dict)
    _ended: Endings = field(default_factory=queue.SimpleQueue)

    def fits(self, trial: Trial, running: Sequence[Trial]) -> bool:
        """Whether a core and the trial's memory are free."""
        taken = sum(other.memory for other in running)
        return not running or (len(running) < self.workers and taken + trial.memory <= self.memory)

    def start(self, trial: Trial) -> None:
        """Hand the trial to its stack's worker."""
        worker = self._open.get(trial.stack)
        if worker is None or not worker.send(trial):
            self._open[trial.stack] = worker = self.begin(trial.stack, self._ended)
            if not worker.send(trial):  # it ended before it was handed anything
                worker.answer_for(trial)

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


def free_memory() -> int:
    """MiB that this machine, and the control group that this command runs in, can still give."""
    told = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    free = int(told["MemAvailable"].split()[0]) // 1024
    for limit, used, cache in _GROUPS:
        if limit.is_file() and (most := limit.read_text().strip()) != "max":
            counts = dict(line.split() for line in (used.parent / "memory.stat").read_text().splitlines())
            free = min(free, (int(most) - int(used.read_text()) + int(counts[cache])) // 2**20)
    return free
