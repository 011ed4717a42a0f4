"""Pairs of GRPO trainings, one that records in a given way and one that keeps nothing; prints CPU and wall seconds.

STACK/bin/python -m bench.inside.train record|report_to PAIRS STEPS FOLDER_WITH_MLFLOW
"""

import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from labs.kit import places, spool
from labs.kit.plan import Trial
from labs.kit.trial import _header as header
from labs.kit.trial import _made_of as made_of
from labs.kit.trial import _Recorder as Recorder

LAB = "integration/bench"


class Nothing:
    """A log that keeps nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, name: str, value: float, step: int) -> None:
        """Forget one number."""

    def sync(self) -> None:
        """There is nothing to write."""

    def resume(self, step: int) -> None:
        """There is nothing to copy."""


def main(way: str, pairs: int, steps: int, client: str) -> None:
    """Train, the order turned from pair to pair; the first pair is not told: it imports and allocates."""
    if way == "report_to":
        sys.path.append(client)  # at the end: where both have a package, the stack's is used
    import torch  # type: ignore[import-not-found,unused-ignore]

    torch.set_num_threads(1)
    ways = {"record": _recorded, "report_to": _reported, "nothing": _forgotten}
    for seed in range(-1, pairs):
        for name in ("nothing", way) if seed % 2 else (way, "nothing"):
            began, wall = time.process_time(), time.perf_counter()
            with redirect_stdout(sys.stderr):  # MLflow's client says there where its run can be seen
                ways[name](seed + 1, steps)
            cpu, wall = time.process_time() - began, time.perf_counter() - wall
            if seed >= 0:
                sys.stdout.write(f"{name} {cpu} {wall}\n")
                sys.stdout.flush()


def _recorded(seed: int, steps: int) -> None:
    """As labs.kit.trial does it."""
    trial = Trial(LAB, "", "recorded", seed, "full", {"steps": steps}, "grpo", "", f"{steps:016x}", 600.0, 1000)
    with spool.hold(trial.folder):
        record = spool.begin(trial.folder, header(trial))
        measured = _train(seed, steps, Recorder(record, trial.folder))
        record.end("FINISHED", measured, tags=made_of(trial))


def _forgotten(seed: int, steps: int) -> None:
    folder = places.trials() / LAB / f"nothing-{seed}-00000000"
    folder.mkdir(parents=True, exist_ok=True)
    _train(seed, steps, Nothing(folder))


def _reported(seed: int, steps: int) -> None:
    """As TRL's users do it; what its threads have not sent yet is waited for, as it would burden the next training."""
    import mlflow

    from labs.kit.policy import grpo

    module: dict[str, Any] = vars(grpo)
    usual = module["GRPOConfig"]
    module["GRPOConfig"] = lambda **told: usual(**{**told, "report_to": ["mlflow"]})
    try:
        _train(seed, steps, None)
        mlflow.flush_async_logging()
    finally:
        module["GRPOConfig"] = usual


def _train(seed: int, steps: int, log: Any) -> dict[str, float]:
    from labs.kit.policy.grpo import train
    from labs.kit.policy.training import Training

    trained = train(Training(seed=seed, steps=steps, save_steps=steps), log)  # no checkpoint: that is not recording
    return {name: float(trained.series(name)[-1]) for name in ("reward", "grad_norm")}


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
