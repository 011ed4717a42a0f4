"""Run one trial (one lab, one variant, one seed) into one append-only record. Nothing else imports a lab's code.

`python -m labs.kit.trial < trial.json`, in the trial's stack, runs the trial that plan.Trial.to_json() wrote.
"""

import inspect
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from labs.kit import reading, spool
from labs.kit.arrays import save
from labs.kit.errors import LabError, near
from labs.kit.plan import Trial
from labs.kit.words import Claim, Lab

Measured = Any
"""A float, or a NumPy array: an observation that theory asks for (kept as .npz, never a metric)."""


class Log(Protocol):
    """What practice writes to while it runs."""

    folder: Path
    """The trial's own folder, for checkpoints."""

    def __call__(self, name: str, value: float, step: int) -> None:
        """Record one number at one step. A curve that belongs to a claim is called `curve.<claim>`."""

    def sync(self) -> None:
        """Return once everything written so far is on the disk."""

    def resume(self, step: int) -> None:
        """Copy the points of earlier attempts up to this step, so that this attempt holds the whole curve."""


@dataclass
class Quiet:
    """A Log for notebooks and tests: keeps the points in memory, and has no checkpoints."""

    points: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    folder: Path | None = None

    def __call__(self, name: str, value: float, step: int) -> None:
        """Keep one point."""
        self.points.setdefault(name, []).append((step, value))

    def sync(self) -> None:
        """Nothing is on disk."""

    def resume(self, step: int) -> None:
        """There is no earlier attempt."""


def run(trial: Trial) -> bool:
    """Run one trial to its end and record all of it. Raises what practice raises, after recording FAILED.

    Raises spool.Busy where another process runs this trial, and returns False at once where it is finished.
    """
    lab = reading.read(Path(trial.lab_folder))
    with spool.hold(trial.folder):
        if spool.is_finished(trial.folder):
            return False
        record, before = spool.begin(trial.folder, _header(trial)), time.process_time()
        try:
            numbers = _measure_and_predict(lab, trial, record)
            record.end(
                "FINISHED", numbers, tags={**_made_of(trial), "cpu_seconds": f"{time.process_time() - before:.2f}"}
            )
        except Exception as problem:
            record.end("FAILED", {}, f"{type(problem).__name__}: {problem}")
            raise
        except BaseException as problem:  # Ctrl-C and exit: nobody's mistake, so it may be run again
            record.end("KILLED", {}, type(problem).__name__)
            raise
    return True


def _made_of(trial: Trial) -> dict[str, str]:
    """Which weights the model had, for a trial whose lab loads one: made weights may differ between CPU types.

    A lab that takes other models than the base has `model` in its setting.
    """
    if "labs.kit.policy.base" not in sys.modules:
        return {}
    told: dict[str, str] = import_module("labs.kit.policy.origin").origin(str(trial.setting.get("model", "base")))
    return told


def _measure_and_predict(lab: Lab, trial: Trial, record: spool.Record) -> dict[str, float]:
    theory, practice = _load(lab, "theory"), _load(lab, "practice")
    seen = practice.trial(trial.seed, _Recorder(record, trial.folder), **_accepted(lab, practice.trial, trial))
    claims = lab.measured_in(trial.variant)
    numbers = _numbers(lab, claims, seen)
    save(trial.folder / f"{record.attempt}.npz", {name: seen[name] for name in seen.keys() - numbers.keys()})
    known = {**trial.setting, **seen}
    for claim in claims:
        numbers[f"predicted.{claim.name}"] = float(_call(lab, getattr(theory, claim.name), known))
        _predict_curve(lab, theory, claim, known, record)
    return numbers


def _predict_curve(lab: Lab, theory: ModuleType, claim: Claim, known: Mapping[str, Any], record: spool.Record) -> None:
    """Lay theory's curve beside the measured one, at the steps that practice logged."""
    curve = getattr(theory, f"{claim.name}_curve", None)
    if curve is None:
        return
    steps = [step for step, values in record.points() if f"curve.{claim.name}" in values]
    for step in steps:
        value = float(_call(lab, curve, {**known, "step": step}))
        record.point({f"predicted.curve.{claim.name}": value}, step)


def predict(lab: Lab, claim: Claim, known: Mapping[str, Any]) -> float:
    """What theory says of one claim, given the setting and what the trial saw, each by its name."""
    return float(_call(lab, getattr(_load(lab, "theory"), claim.name), known))


def _header(trial: Trial) -> dict[str, Any]:
    tags = {
        "lab": trial.lab,
        "variant": trial.variant,
        "seed": str(trial.seed),
        "preset": trial.preset,
        "stack": trial.stack,
        "lock": trial.lock,
        "recipe": trial.recipe,
    }
    return {
        "trial": trial.key,
        "experiment": trial.lab,
        "name": f"{trial.variant}-{trial.seed}",
        "tags": tags,
        "params": {key: _plain(value) for key, value in trial.setting.items()},
    }


def _plain(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _load(lab: Lab, part: str) -> ModuleType:
    """Import theory.py or practice.py from the lab's folder, wherever that stands."""
    path = lab.folder / f"{part}.py"
    found = spec_from_file_location(f"labs.{lab.mechanism}.{lab.name}.{part}", path)
    if found is None or found.loader is None or not path.is_file():
        raise LabError(
            f"{path}: is not there.\nA lab without it cannot be {'predicted' if part == 'theory' else 'measured'}.\n"
            "Type `gaplab new MECHANISM/NAME` for a folder that has one to copy."
        )
    module = module_from_spec(found)
    sys.modules[found.name] = module
    found.loader.exec_module(module)
    return module


def _accepted(lab: Lab, function: Callable[..., Any], trial: Trial) -> dict[str, Any]:
    """The setting as keyword arguments, or LabError where trial() asks for other names."""
    wanted = {name for name, told in inspect.signature(function).parameters.items() if told.kind is told.KEYWORD_ONLY}
    if wanted != set(trial.setting):
        odd = ", ".join(sorted(wanted ^ set(trial.setting)))
        raise LabError(
            f"{lab.folder}/practice.py: trial() and [setting] of lab.toml do not name the same numbers: {odd}.\n"
            "A number that only one of them has is used by nobody or made up by somebody.\n"
            f"Write def trial(seed, log, *, {', '.join(trial.setting)})."
        )
    return dict(trial.setting)


def _call(lab: Lab, formula: Callable[..., float], known: Mapping[str, Any]) -> float:
    """Call a formula with its inputs by the names of its parameters, so theory.py reads like the paper."""
    wanted = inspect.signature(formula).parameters
    for name, told in wanted.items():
        if name not in known and told.default is told.empty:
            raise LabError(
                f"{lab.folder}/theory.py: {formula.__name__}() asks for {name!r}, which is neither in [setting] nor "
                f"measured by practice.py. {near(name, known)}\n"
                "Theory may use only what was set or seen, or it would predict some other trial.\n"
                f"It may ask for {', '.join(sorted(known))}."
            )
    return formula(**{name: known[name] for name in wanted if name in known})


def _numbers(lab: Lab, claims: Sequence[Claim], seen: object) -> dict[str, float]:
    """The numbers among what practice returned; LabError where a claim's is missing or not finite."""
    place = f"{lab.folder}/practice.py: trial()"
    if not isinstance(seen, Mapping):
        raise LabError(
            f"{place} returned {type(seen).__name__}, not a dict of measurements.\n{_SILENCE}\n"
            f"Return {{{', '.join(repr(claim.name) for claim in claims)}: …}}."
        )
    numbers = {name: float(value) for name, value in seen.items() if getattr(value, "ndim", 0) == 0}
    for claim in claims:
        if claim.name not in numbers:
            raise LabError(f"{place} returned nothing for {claim.name!r}.\n{_SILENCE}\nReturn it, or raise.")
    for name, value in numbers.items():
        if not math.isfinite(value):
            raise LabError(f"{place} returned {value} for {name!r}.\n{_SILENCE}\nRaise an error that says why instead.")
    return numbers


_SILENCE = (
    "A trial that could not measure a claim must raise, so that the claim stays `not run`: "
    "a missing measurement is not a measurement of zero."
)


class _Recorder:
    """The Log of a real trial: every number goes to the record, a non-finite one by name only."""

    def __init__(self, record: spool.Record, folder: Path) -> None:
        self._record, self.folder = record, folder

    def __call__(self, name: str, value: float, step: int) -> None:
        number = float(value)
        if math.isfinite(number):
            self._record.point({name: number}, int(step))
        else:
            self._record.bad({name: repr(number)}, int(step))

    def sync(self) -> None:
        self._record.sync()

    def resume(self, step: int) -> None:
        self._record.resume(step)


if __name__ == "__main__":
    run(Trial.from_json(sys.stdin.read()))
