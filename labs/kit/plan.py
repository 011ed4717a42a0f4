"""Which trials a command asks for. A trial *is* (lab, variant, seed, recipe): two presets may share it."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from labs.kit import places
from labs.kit.errors import LabError, near
from labs.kit.recipe import lock_digest, recipe
from labs.kit.words import Lab, Value


@dataclass(frozen=True)
class Trial:
    """One variant run with one seed: everything that a worker must be told."""

    lab: str
    """mechanism/name"""
    lab_folder: str
    variant: str
    seed: int
    preset: str
    setting: Mapping[str, Value]
    stack: str
    lock: str
    """sha256 of the stack's lock"""
    recipe: str
    timeout: float
    memory: int
    """MiB"""

    @property
    def key(self) -> str:
        """16 hex digits; the same trial has the same key on every machine."""
        told = json.dumps([self.lab, self.variant, self.seed, self.recipe], separators=(",", ":"))
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    @property
    def name(self) -> str:
        """Lab variant seed, as a person says it."""
        return f"{self.lab} {self.variant} seed {self.seed}"

    @property
    def folder(self) -> Path:
        """Where its records stand; one folder a trial, one file an attempt."""
        return places.trials() / self.lab / f"{self.variant}-{self.seed}-{self.recipe[:8]}"

    def to_json(self) -> str:
        """One line for a worker."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, line: str) -> "Trial":
        """The trial that to_json() wrote; lists become tuples again."""
        told = json.loads(line)
        setting = {key: tuple(v) if isinstance(v, list) else v for key, v in told.pop("setting").items()}
        return cls(setting=setting, **told)


def plan(
    labs: Sequence[Lab],
    preset: str = "quick",
    variants: Sequence[str] = (),
    seeds: int | None = None,
    stack: str | None = None,
) -> list[Trial]:
    """The trials of the labs that have the preset, seeds outermost so that every verdict gets its second seed early."""
    made = [trial for lab in having(labs, preset) for trial in _of_lab(lab, preset, variants, seeds, stack)]
    return sorted(made, key=lambda trial: trial.seed)


def having(labs: Sequence[Lab], preset: str) -> list[Lab]:
    """Those of the labs that have the preset. Raises LabError where none has."""
    found = [lab for lab in labs if preset in lab.presets]
    if labs and not found:
        known = {name for lab in labs for name in lab.presets}
        whose = f"{labs[0].id} has no" if len(labs) == 1 else f"None of these {len(labs)} labs has a"
        raise LabError(
            f"{whose} preset {preset!r}. {near(preset, known)}\n"
            "A preset says how much of a lab is run.\n"
            f"Type for example `gaplab run {labs[0].id} --preset quick`."
        )
    return found


def recipes(lab: Lab, variant: str) -> dict[str, str]:
    """Today's recipe of a variant under each preset that runs it; a trial with another recipe is stale."""
    return {
        name: recipe(lab, lab.setting_of(variant, name), lab.stack)
        for name, preset in lab.presets.items()
        if variant in preset.variants
    }


def _of_lab(lab: Lab, preset: str, variants: Sequence[str], seeds: int | None, stack: str | None) -> Iterator[Trial]:
    for variant in variants:
        if variant not in lab.variants:
            raise LabError(
                f"{lab.id} has no variant {variant!r}. {near(variant, lab.variants)}\n"
                "Trials are run by variant, so nothing was run.\n"
                f"Type `gaplab show {lab.id}` to see its variants."
            )
    chosen = lab.presets[preset]
    used = stack or lab.stack
    for variant in variants or chosen.variants:
        setting = lab.setting_of(variant, preset)
        for seed in range(seeds or chosen.seeds):
            yield Trial(
                lab=lab.id,
                lab_folder=str(lab.folder),
                variant=variant,
                seed=seed,
                preset=preset,
                setting=setting,
                stack=used,
                lock=lock_digest(used, places.device()),
                recipe=recipe(lab, setting, used),
                timeout=lab.timeout,
                memory=lab.memory,
            )
