"""Records written as a trial writes them, without a lab."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from labs.kit import places, spool
from labs.kit.folders import name_of
from labs.kit.plan import Trial


def trial(lab: str = "foundations/coin", variant: str = "fair", seed: int = 0, recipe: str = "a" * 16) -> Trial:
    """A planned trial of a lab that need not exist."""
    return Trial(lab, f"/{lab}", variant, seed, "quick", {"rate": 0.3}, "tabular", "l" * 64, recipe, 60.0, 100)


def header(planned: Trial, **tags: str) -> dict[str, Any]:
    """What the first record of an attempt says."""
    told = {"lab": planned.lab, "variant": planned.variant, "seed": str(planned.seed), "preset": planned.preset}
    told |= {"stack": planned.stack, "lock": planned.lock, "recipe": planned.recipe, **tags}
    params = {key: str(value) for key, value in planned.setting.items()}
    name = f"{planned.variant}-{planned.seed}"
    return {"trial": planned.key, "experiment": planned.lab, "name": name, "tags": told, "params": params}


def write(
    planned: Trial,
    values: Mapping[str, float] | None = None,
    points: Sequence[tuple[int, Mapping[str, float]]] = (),
    status: str | None = "FINISHED",
    message: str = "",
    **tags: str,
) -> Path:
    """One attempt, to its end unless status is None; returns the record."""
    with spool.hold(planned.folder):
        record = spool.begin(planned.folder, header(planned, **tags))
        for step, numbers in points:
            record.point(numbers, step)
        if status is not None:
            record.end(status, values or {}, message)  # type: ignore[arg-type]
    return record.path


def folder_of(planned: Trial) -> Path:
    """Where the trial's records stand, by the rule that the readers use."""
    return places.trials() / planned.lab / name_of(planned.variant, planned.seed, planned.recipe)
