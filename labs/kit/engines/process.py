"""The engine `process`: on this machine, one worker per stack in that stack's interpreter, one process per trial."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from labs.kit import places
from labs.kit.engines.inside import leash
from labs.kit.engines.outside.crew import Crew, free_memory
from labs.kit.engines.outside.worker import Endings, Worker, log_of
from labs.kit.making import Venvs
from labs.kit.plan import Trial
from labs.kit.stack import Stack


def engine(workers: int | None = None, memory: int | None = None) -> Crew:
    """As many trials at once as there are cores for this command, or `workers`; fewer where memory is short."""
    return Crew(_begin, Venvs(), workers or len(os.sched_getaffinity(0)), memory or free_memory())


def _begin(stack: str, ended: Endings) -> Worker:
    """Start the worker of a stack."""
    log = log_of(stack)
    said = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644)
    process = subprocess.Popen(
        [str(Stack(stack).python), "-m", "labs.kit.engines.inside.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=said,
        cwd=places.ROOT,
        env={**os.environ, **leash.environment(), "GAPLAB_STACK": stack},
    )
    os.close(said)
    return Worker(_Pipes(process), log, ended).listen()


@dataclass
class _Pipes:
    """A process of this machine."""

    process: "subprocess.Popen[bytes]"

    def write(self, line: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def lines(self) -> Iterator[bytes]:
        assert self.process.stdout is not None
        yield from self.process.stdout

    def end(self) -> int:
        self.process.kill()
        return self.process.wait()

    def close(self) -> None:
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # it is gone already
            self.process.stdin.close()
        try:
            self.process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def make_room(self, memory: int) -> None:
        """The machine's memory is what there is."""

    def why_killed(self, trial: Trial) -> str:
        """Nobody says."""
        return ""
