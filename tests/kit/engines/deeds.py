"""A lab whose trials do what a test wants of them, each under the name of its variant."""

import time
from collections.abc import Callable, Generator, Iterable, Mapping
from pathlib import Path
from typing import Any

import psutil

from labs.kit import catalogue
from labs.kit.engines import Ended, Engine, Event
from labs.kit.plan import Trial, plan
from labs.kit.schedule import carry_out
from tests.kit.folders import CLAIM, THEORY, write_lab

DEEDS = {
    "measure": "pass",
    "lie": "rate = 0.75",
    "nap": "time.sleep(nap)",
    "doze": "time.sleep(60)",
    "spin": "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n    while True:\n        sum(range(1000))",
    "raise": "raise ValueError('the coin rolled away')",
    "leave": "sys.exit(0)",
    "vanish": "os._exit(0)",
    "crash": "os.kill(os.getpid(), signal.SIGSEGV)",
    "die": "os.kill(os.getpid(), signal.SIGKILL)",
    "die_twice": "if attempt < 2:\n        os.kill(os.getpid(), signal.SIGKILL)",
    "print": "print('heads')\n    os.write(2, b'tails\\n')",
    "nan": "rate = float('nan')",
    "inf": "rate = float('inf')",
    "nothing": "return None",
    "dial": "socket.create_connection(('192.0.2.1', 80), 5)",
    "stray": "open('/opt/stray', 'w')",
    "trespass": "(log.folder.parent / 'neighbour').write_text('0.5')",
    "rewrite": "open(__file__, 'a')",
    "reach": "sqlite3.connect(os.environ['GAPLAB_HOME'] + '/mlflow.db').execute('select * from runs')",
    "call": "socket.create_connection(('127.0.0.1', int(open(os.path.dirname(__file__) + '/port').read())), 5)",
    "grow_root": "os.setuid(12345)",
    "swell": "big = [b'1' * 2**24 for _ in range(200)]",
    "breed": "while True:\n        os.fork() or time.sleep(3600)",
    "multiply": "for born in [os.fork() or os._exit(0) for _ in range(20)]:\n        os.waitpid(born, 0)",
    "threads": "rate = float(os.environ['OMP_NUM_THREADS'])",
}

_TOML = """
title = "What becomes of a trial?"
stack = "{stack}"
seeds = {seeds}
timeout = {timeout}
memory = {memory}

[setting]
rate = 0.25
nap = {nap}
deed = ""

{variants}
"""

_PRACTICE = '''"""Do the deed, then measure."""

import os
import signal
import socket
import sqlite3
import sys
import time


def trial(seed, log, *, rate, nap, deed):
    """Attempt 0 is the first."""
    attempt = len(list(log.folder.glob("*.jsonl"))) - 1
    (log.folder / "pid").write_text(str(os.getpid()))
    _DEEDS[deed](log, attempt)
    return {"mean_reward": rate}
'''


def write_deeds(
    root: Path,
    deeds: list[str],
    seeds: int = 1,
    timeout: float = 60,
    memory: int = 100,
    nap: float = 0.3,
    stack: str = "tabular",
) -> Path:
    """Write foundations/deeds with one variant a deed."""
    variants = "\n".join(f'[variants.{deed}]\ndeed = "{deed}"\n' for deed in deeds)
    numbers = {"seeds": seeds, "timeout": timeout, "memory": memory, "nap": nap, "stack": stack}
    toml = _TOML.format(**numbers, variants=variants) + CLAIM.format(control=deeds[0])
    return write_lab(root, "foundations/deeds", toml, THEORY, _practice(deeds))


def planned(root: Path, deeds: list[str], **told: Any) -> list[Trial]:
    """The trials of such a lab, seed by seed."""
    return plan([catalogue.read(write_deeds(root, deeds, **told))], "full")


def through(engine: Engine, trials: list[Trial]) -> Generator[Event, None, None]:
    """What happens to the trials in an engine, which is closed afterwards; their stack is there."""
    try:
        yield from carry_out(trials, engine, lambda trial: True)
    finally:
        engine.close()


def last(events: Iterable[Event]) -> dict[str, Ended]:
    """How each deed ended for good."""
    return {event.trial.variant: event for event in events if isinstance(event, Ended) and event.final}


def by_deed(trials: list[Trial]) -> Mapping[str, Trial]:
    """The trials of one seed by what they do."""
    return {trial.variant: trial for trial in trials if trial.seed == 0}


def wait_for(done: Callable[[], bool], seconds: float = 20) -> None:
    """Return once it is so."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.05)


def are_gone(processes: list[psutil.Process], seconds: float = 5) -> bool:
    """Whether they end in time. A zombie is over: it waits for init to take note, which can take a while."""
    end = time.monotonic() + seconds
    while any(map(_runs, processes)):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _practice(deeds: list[str]) -> str:
    cases = "".join(
        f"    if deed == {deed!r}:\n        {DEEDS[deed].replace(chr(10), chr(10) + '    ')}\n" for deed in deeds
    )
    return _PRACTICE.replace("    _DEEDS[deed](log, attempt)\n", cases)
