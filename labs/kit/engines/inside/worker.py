"""Run trials of one stack, one process each, as the engine says: JSON lines in, JSON lines out.

    GAPLAB_STACK=tabular STACK/bin/python -m labs.kit.engines.inside.worker

Each line read is a trial as plan.Trial.to_json() writes it; each line written has its key, status, message and signal.
It ends when its input ends, and takes every trial with it.
"""

import json
import os
import signal
import sys
import threading
from concurrent.futures import Future, TimeoutError
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import active_children, forkserver, get_context
from typing import BinaryIO

from labs.kit import places
from labs.kit.engines import Status
from labs.kit.engines.inside import leash
from labs.kit.engines.inside.attempt import attempt
from labs.kit.plan import Trial

ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONHASHSEED": "0",
    # torch would otherwise initialise CUDA to find out whether there is any, and no fork could use it then.
    "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
}
"""What every trial runs under, so that one seed gives the same bits in any process."""


def main() -> None:
    """Start what is read, until there is no more to read."""
    leash.tie_by_environment()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the command decides what ends
    answers = Answers(os.fdopen(os.dup(1), "wb", buffering=0))
    os.dup2(2, 1)  # whatever prints, prints to stderr: only answers may reach the pipe
    os.environ.update(ENVIRONMENT, **leash.environment())
    os.environ.setdefault("NUMBA_CACHE_DIR", str(places.home() / "numba"))  # a checkout may be read-only
    forkserver.set_forkserver_preload(["pebble", "labs.kit.engines.inside.warm", "labs.kit.engines.inside.attempt"])
    for line in sys.stdin:
        _start(line, answers)
    _end_trials()
    os._exit(0)  # a normal exit would wait for threads that wait for trials


@dataclass
class Answers:
    """The pipe to the engine, which several threads write to."""

    pipe: BinaryIO
    lock: threading.Lock = field(default_factory=threading.Lock)

    def tell(self, trial: Trial, future: "Future[tuple[str, str]]") -> None:
        """How one trial ended."""
        self.write(trial, *_outcome(trial, future))

    def write(self, trial: Trial, status: str, message: str, number: int) -> None:
        """One line."""
        told = {"key": trial.key, "status": status, "message": message, "signal": number}
        with self.lock:
            self.pipe.write(json.dumps(told).encode() + b"\n")


def _start(line: str, answers: Answers) -> None:
    """One process for one trial.

    Not pebble's ProcessPool: its workers share a channel and a lock, and a `kill -9` of one that waits for work breaks
    the pool. Here a process has nothing in common with its neighbours but the one it was forked from.
    """
    from pebble import concurrent  # in lab stacks alone, so that the rest of this module can be imported anywhere

    trial = Trial.from_json(line)
    in_process = concurrent.process(timeout=trial.timeout, daemon=False, context=get_context("forkserver"))
    try:
        future = in_process(attempt)(line)
    except (OSError, EOFError) as problem:  # the process to fork from was killed; the next start makes another
        answers.write(trial, Status.KILLED, f"it could not be forked ({type(problem).__name__})", 0)
    else:
        future.add_done_callback(partial(answers.tell, trial))


def _end_trials() -> None:
    """Return when no trial runs any more, so that the next command finds their locks free."""
    running = active_children()
    for process in running:
        process.kill()
    for process in running:
        process.join()


def _outcome(trial: Trial, future: "Future[tuple[str, str]]") -> tuple[str, str, int]:
    from pebble import ProcessExpired

    problem = future.exception()
    if problem is None:
        return *future.result(), 0
    if isinstance(problem, TimeoutError):
        return Status.TIMEOUT, _too_long(trial), 0
    if isinstance(problem, ProcessExpired):
        return Status.KILLED, "", max(0, -problem.exitcode)
    return Status.FAILED, _no_start(trial, problem), 0


def _too_long(trial: Trial) -> str:
    return (
        f"{trial.name} was ended after {trial.timeout:g} s, the timeout of {trial.lab_folder}/lab.toml.\n"
        "It measured nothing: half a trial says nothing of a claim.\n"
        f"Raise `timeout` there, or find out where it hangs: what it printed is in {trial.folder}."
    )


def _no_start(trial: Trial, problem: BaseException) -> str:
    return (
        f"{trial.name} could not be started: {type(problem).__name__}: {problem}.\n"
        "Nothing was measured, so its claims stay as they were.\n"
        f"Look whether {trial.folder} can be written to, and run the lab again."
    )


if __name__ == "__main__":
    main()
