"""How soon a trial begins: in a worker that has its stack imported, and in a process of its own, cold.

From the moment the trial is handed over to what its record says: that it began, and that its first line of practice
ran, which in a cold process comes after the imports. Both run the same light trials, one at a time, turn by turn.
"""

import os
import subprocess
import time
from collections.abc import Callable

from bench.tools.figures import Figure, arguments, progress, report
from bench.tools.home import scratch
from labs.kit import catalogue, places, spool
from labs.kit.engines import Engine, Status, open_engine
from labs.kit.engines.inside.worker import ENVIRONMENT
from labs.kit.plan import Trial, plan
from labs.kit.stack import Stack

LABS = {"tabular": "foundations/light", "grpo": "integration/light"}
Seconds = tuple[float, float]
"""Until the record begins, until practice runs."""


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__, pairs=20)
    parser.add_argument("--stacks", nargs="+", choices=sorted(LABS), default=list(LABS), help="which stacks")
    given = parser.parse_args()
    with report("start", given) as add, scratch():
        os.environ["GAPLAB_LABS"] = str(places.ROOT / "bench" / "labs")
        for stack in given.stacks:
            warm, cold = _measure(stack, given.pairs)
            first, warm, cold = warm[0], warm[1:], cold[1:]
            state = "files in memory: both ways were gone once before"
            for at, (what, target) in enumerate((("its record", 0.1), ("practice", None))):
                name = f"Stack {stack}: from handing over a trial to the start of {what}, warm worker"
                peers = {"a cold process": [one[at] for one in cold]}
                add(Figure(name, "s", [one[at] for one in warm], state, target, peers=peers))
            add(Figure(f"Stack {stack}: the same for the first trial of all, which waits", "s", [first[1]], state))


def _measure(stack: str, pairs: int) -> tuple[list[Seconds], list[Seconds]]:
    """Pairs of (warm, cold); the first of each is before anything was in memory."""
    warm: list[Seconds] = []
    cold: list[Seconds] = []
    trials = iter(plan([catalogue.read(places.labs() / LABS[stack])], "full", ["light"], seeds=2 * pairs + 2))
    engine = open_engine("process", 1)

    def in_worker(trial: Trial) -> None:
        _finish(engine, trial)

    try:
        for at in range(pairs + 1):
            progress(f"stack {stack}: {'first pair' if at == 0 else f'pair {at} of {pairs}'}")
            for way, told in ((in_worker, warm), (_in_process, cold))[:: 1 if at % 2 else -1]:
                told.append(_timed(way, next(trials)))
    finally:
        engine.close()
    return warm, cold


def _finish(engine: Engine, trial: Trial) -> None:
    """Hand the trial to the engine and wait until it has ended."""
    engine.start(trial)
    ended = next(one for one in iter(lambda: engine.wait(60.0), None) if one)[0]
    if ended.status is not Status.FINISHED:
        raise RuntimeError(ended.message)


def _in_process(trial: Trial) -> None:
    command = [str(Stack(trial.stack).python), "-m", "labs.kit.trial"]
    environment = {**os.environ, **ENVIRONMENT}
    subprocess.run(command, input=trial.to_json(), text=True, cwd=places.ROOT, env=environment, check=True)


def _timed(way: Callable[[Trial], None], trial: Trial) -> Seconds:
    """Seconds from now to the begin record and to the first number, by the clock that stamps the record."""
    handed = time.time()
    way(trial)
    begin, here, *_ = spool.read(spool.attempts(trial.folder)[0])
    return begin["t"] / 1000 - handed, here["t"] / 1000 - handed


if __name__ == "__main__":
    main()
