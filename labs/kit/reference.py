"""reference.json: the authors' own trials of a lab, so that a newcomer sees every verdict before running anything.

Written by `gaplab record`, never by hand. The README table, a fresh dashboard and `gaplab verify` read it.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labs.kit import hardware, spool
from labs.kit.cost import TRIALS
from labs.kit.errors import LabError
from labs.kit.plan import Trial, plan, recipes
from labs.kit.results import Row
from labs.kit.words import Lab

FORMAT = 1
RECORDED = ("quick", "full")
"""The presets that a reference holds; `gpu` depends on the machine."""

POINTS = 100
"""A curve is thinned to this many points: what a figure needs, not what a trainer logs."""


@dataclass(frozen=True)
class Reference:
    """What one reference.json says."""

    recipes: Mapping[str, Mapping[str, str]]
    """preset -> variant -> recipe when it was recorded"""
    stack: Mapping[str, str]
    base: str
    """sha256 of the base model's weights; empty for a lab without one"""
    cpu: Mapping[str, Any]
    rows: Sequence[Row]
    curves: Mapping[str, Mapping[str, tuple[list[int], list[float]]]] = field(default_factory=dict)
    """trial key -> name -> (steps, values)"""

    @property
    def same_machine_class(self) -> bool:
        """Whether this machine has the CPU type that recorded it, so that equal bits are expected."""
        return dict(self.cpu) == hardware.cpu()


def path(lab: Lab) -> Path:
    """Where the lab's reference stands."""
    return lab.folder / "reference.json"


def load(lab: Lab) -> Reference | None:
    """The lab's reference; None where none was recorded. Raises LabError where the file was damaged."""
    if not path(lab).is_file():
        return None
    try:
        told = json.loads(path(lab).read_text())
        if told["format"] != FORMAT:
            raise KeyError(f"format {told['format']}")
        rows = [_row(lab, entry, told["stack"]["name"]) for entry in told["trials"]]
    except (ValueError, KeyError, TypeError) as problem:
        raise LabError(
            f"{path(lab)}: cannot be read: {problem}.\n"
            "It is written by a command and holds the authors' measurements, so it is never mended by hand.\n"
            f"Take it from the repository again (git checkout), or type `gaplab record {lab.id}`."
        ) from None
    curves = {row.key: _curves(entry) for row, entry in zip(rows, told["trials"], strict=True)}
    return Reference(told["recipes"], told["stack"], told.get("base", ""), told["cpu"], rows, curves)


def read(lab: Lab) -> list[Row]:
    """The rows of the lab's reference; none where none was recorded."""
    found = load(lab)
    return list(found.rows) if found else []


def stale(lab: Lab) -> list[str]:
    """The variants whose recorded recipe is not the code's; every variant where nothing was recorded."""
    found = load(lab)
    if found is None:
        return list(lab.variants)
    told = {(preset, variant): made for preset, of in found.recipes.items() for variant, made in of.items()}
    now = {(preset, variant): made for variant in lab.variants for preset, made in recipes(lab, variant).items()}
    return sorted({place[1] for place, made in now.items() if place[0] in found.recipes and told.get(place) != made})


def write(lab: Lab, presets: Sequence[str] = RECORDED) -> Path:
    """Write reference.json from the finished trials of the presets here. Raises LabError if one lacks."""
    trials = {trial.key: trial for preset in presets if preset in lab.presets for trial in plan([lab], preset)}
    head = {
        "format": FORMAT,
        "stack": {"name": lab.stack, "lock": next(iter(trials.values())).lock},
        "base": _base_digest(trials.values()),
        "seconds": {preset: _seconds(lab, preset) for preset in presets if preset in lab.presets},
        "cpu": hardware.cpu(),
        "recipes": _recipes_by_preset(lab, presets),
    }
    lines = ",\n".join(f"  {json.dumps(_entry(trial))}" for trial in trials.values())
    path(lab).write_text(f"{json.dumps(head, indent=1)[:-2]},\n{TRIALS}{lines}\n ]\n}}\n")
    return path(lab)


def _recipes_by_preset(lab: Lab, presets: Sequence[str]) -> dict[str, dict[str, str]]:
    made: dict[str, dict[str, str]] = {}
    for variant in lab.variants:
        for preset, recipe in recipes(lab, variant).items():
            if preset in presets:
                made.setdefault(preset, {})[variant] = recipe
    return made


def _entry(trial: Trial) -> dict[str, Any]:
    """One finished trial as it stands in its record."""
    ended = spool.finished(trial.folder)
    if ended is None:
        raise LabError(
            f"{trial.name} ({trial.preset}) has not finished here, so there is nothing to record.\n"
            "A reference with holes would pass for one without.\n"
            f"Type `gaplab run {trial.lab} --preset {trial.preset}` and look at what it says."
        )
    numbers = dict(sorted(ended.values.items()))
    names = {name.removeprefix("predicted.") for name in numbers if name.startswith("predicted.")}
    return {
        "preset": trial.preset,
        "variant": trial.variant,
        "seed": trial.seed,
        "recipe": trial.recipe,
        "predicted": {name: numbers[f"predicted.{name}"] for name in sorted(names)},
        "measured": {name: numbers[name] for name in sorted(names)},
        "observed": {name: v for name, v in numbers.items() if name not in names and not name.startswith("predicted.")},
        "curves": {name: _thin(points) for name, points in sorted(_claim_curves(ended).items())},
    }


def _claim_curves(ended: spool.Attempt) -> dict[str, list[tuple[int, float]]]:
    made: dict[str, list[tuple[int, float]]] = {}
    for step, values in ended.points:
        for name, value in values.items():
            if name.startswith(("curve.", "predicted.curve.")):
                made.setdefault(name, []).append((step, value))
    return made


def _thin(points: Sequence[tuple[int, float]]) -> tuple[list[int], list[float]]:
    """At most POINTS of them, the first and the last among them."""
    count = len(points)
    kept = sorted({round(i * (count - 1) / (POINTS - 1)) for i in range(POINTS)}) if count > POINTS else range(count)
    return [points[i][0] for i in kept], [points[i][1] for i in kept]


def _row(lab: Lab, entry: Mapping[str, Any], stack: str) -> Row:
    numbers = {**entry["observed"], **entry["measured"]}
    numbers |= {f"predicted.{name}": value for name, value in entry["predicted"].items()}
    key = f"reference-{lab.id}-{entry['variant']}-{entry['seed']}-{entry['recipe']}"
    return Row(
        key=key,
        lab=lab.id,
        variant=entry["variant"],
        seed=entry["seed"],
        recipe=entry["recipe"],
        preset=entry["preset"],
        stack=stack,
        run_id=None,
        attempt=0,
        end_ms=0,
        numbers=numbers,
        origin="reference",
    )


def _curves(entry: Mapping[str, Any]) -> dict[str, tuple[list[int], list[float]]]:
    return {name: (steps, values) for name, (steps, values) in entry.get("curves", {}).items()}


def _seconds(lab: Lab, preset: str) -> float:
    """CPU seconds of the preset's trials; those that ran before they were counted have the time they took instead."""
    found = (spool.finished(trial.folder) for trial in plan([lab], preset))
    return round(sum(_seconds_of(ended) for ended in found if ended), 1)


def _seconds_of(ended: spool.Attempt) -> float:
    begin = spool.first(ended.path)
    return float(ended.tags.get("cpu_seconds") or (ended.end_ms - (begin["t"] if begin else ended.end_ms)) / 1000)


def _base_digest(trials: Iterable[Trial]) -> str:
    """The base model's digest that stands on the trials; empty where none does."""
    found = {ended.tags.get("base", "") for trial in trials if (ended := spool.finished(trial.folder))}
    if len(found) > 1:
        raise LabError(
            f"The trials of this lab were made from {len(found)} different base models.\n"
            "A reference mixes nothing.\nRemove the older ones under the trials' folder, then record it again."
        )
    return found.pop() if found else ""
