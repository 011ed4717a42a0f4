"""Labs and trials made up for the dashboard's tests: words on disk, runs in the mirror, nothing trained."""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from labs.kit import mirror_store
from labs.kit.mirror_store import Run
from labs.kit.plan import Trial, plan
from labs.kit.words import Lab

Curves = Callable[[Trial], dict[str, tuple[list[int], list[float]]]]
Numbers = Callable[[Trial, np.random.Generator], dict[str, float]]


def mirror(labs: Sequence[Lab], numbers: Numbers, preset: str = "full", seeds: int | None = None) -> int:
    """Put a finished run of every trial into the mirror, as if MLflow had been read."""
    runs = [_run(trial, numbers, at) for at, trial in enumerate(plan(labs, preset, seeds=seeds))]
    with mirror_store.writing() as file:
        for start in range(0, len(runs), 500):
            mirror_store.put(file, runs[start : start + 500], 0)
        file.commit()
    return len(runs)


def _run(trial: Trial, numbers: Numbers, at: int) -> Run:
    ended = int(time.time() * 1000) - 60_000 + at
    rng = np.random.default_rng([at, trial.seed])
    return Run(
        run_id=f"{at:032x}", experiment="1", key=trial.key, attempt=0, lab=trial.lab, variant=trial.variant,
        seed=trial.seed, recipe=trial.recipe, preset=trial.preset, stack=trial.stack, status="FINISHED",
        start=ended - 1000, ended=ended, numbers=numbers(trial, rng), tags={"lab": trial.lab},
    )  # fmt: skip


def near_theory(labs: Sequence[Lab], far: Callable[[str, str], float] = lambda claim, variant: 0.0) -> Numbers:
    """Numbers a claim: predicted, and measured so many tolerances away, controls four."""
    known = {lab.id: lab for lab in labs}

    def numbers(trial: Trial, rng: np.random.Generator) -> dict[str, float]:
        made: dict[str, float] = {}
        for claim in known[trial.lab].measured_in(trial.variant):
            predicted = 0.2 + 0.6 * (hash(claim.id) % 97) / 97
            size = 0.01 * predicted if isinstance(claim.within, str) else claim.within
            off = 4.0 if trial.variant == claim.control else far(claim.id, trial.variant)
            made[f"predicted.{claim.name}"] = predicted
            made[claim.name] = predicted + size * (off + 0.25 * float(rng.normal()))
        return made

    return numbers


def write(folder: Path, toml: str, theory: str, readme: str = "# A lab\n") -> None:
    """A lab folder that can be read and judged; nobody runs its practice."""
    folder.mkdir(parents=True)
    for name, text in {"lab.toml": toml, "theory.py": theory, "practice.py": "", "README.md": readme}.items():
        (folder / name).write_text(text)


def reference(lab: Lab, numbers: Numbers, curves: Curves | None = None) -> None:
    """Write the lab's reference.json, as `gaplab record` would."""
    told: dict[str, object] = {
        "format": 1,
        "stack": {"name": lab.stack, "lock": ""},
        "base": "",
        "cpu": {},
        "recipes": {},
    }
    told["trials"] = [_entry(trial, numbers, curves) for trial in plan([lab], "full")]
    (lab.folder / "reference.json").write_text(json.dumps(told))


def _entry(trial: Trial, numbers: Numbers, curves: Curves | None) -> dict[str, object]:
    made = numbers(trial, np.random.default_rng(trial.seed))
    names = [name for name in made if not name.startswith("predicted.")]
    return {
        "preset": trial.preset,
        "variant": trial.variant,
        "seed": trial.seed,
        "recipe": trial.recipe,
        "predicted": {name: made[f"predicted.{name}"] for name in names},
        "measured": {name: made[name] for name in names},
        "observed": {},
        "curves": curves(trial) if curves else {},
    }
