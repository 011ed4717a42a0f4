"""Labs and trials made up for the dashboard's tests: words on disk, runs in the mirror, nothing trained."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from labs.kit import catalogue, mirror_store
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


def near_theory(labs: Sequence[Lab], far: Mapping[str, float] = MappingProxyType({})) -> Numbers:
    """What every claim predicts and measures: `far` says how many tolerances apart, by claim or claim/variant.

    A control is four tolerances away where nothing is said of it; anything else agrees but for a little noise.
    """
    known = {lab.id: lab for lab in labs}

    def numbers(trial: Trial, rng: np.random.Generator) -> dict[str, float]:
        made: dict[str, float] = {}
        for claim in known[trial.lab].measured_in(trial.variant):
            usual = 4.0 if trial.variant == claim.control else 0.0
            off = far.get(f"{claim.name}/{trial.variant}", far.get(claim.name, usual))
            size = 0.01 if isinstance(claim.within, str) else claim.within
            made[f"predicted.{claim.name}"] = 0.5
            base = 1.0 if claim.against and trial.variant != claim.against else 0.5
            made[claim.name] = base + size * (off + 0.2 * float(rng.uniform(-1, 1)))
        return made

    return numbers


def write(folder: Path, toml: str, theory: str) -> Lab:
    """A lab folder that can be read and judged; nobody runs its practice."""
    folder.mkdir(parents=True)
    texts = {"lab.toml": toml, "theory.py": theory, "practice.py": "", "README.md": README}
    for name, text in texts.items():
        (folder / name).write_text(text)
    return catalogue.read(folder)


def two_labs(root: Path) -> list[Lab]:
    """One lab with every kind of claim, and a small one of another mechanism."""
    return [
        write(root / "foundations" / "coin", COIN, COIN_THEORY),
        write(root / "integration" / "clip", CLIP, CLIP_THEORY),
    ]


README = """# How fair is a coin?

The mean is $p$; see [the other lab](../clip/README.md) and ![a picture](http://evil.example/readme.png).
"""
_WORDS = """source = "Bernoulli (1713), part IV"
target = "textbook"
relation = "equals"
within = 0.05
unit = "share of heads"
"""
COIN = f"""title = "How fair is a coin?"
stack = "tabular"
seeds = 5

[setting]
rate = 0.5
flips = 100

[presets.quick]
seeds = 2

[variants.fair]

[variants.bent]
rate = 0.6

[variants.worn]
rate = 0.55

[variants.lossy]
flips = 99

[claims.mean]
statement = "The mean of `n` flips is p* < 1, not <b>bold</b> ![x](http://evil.example/statement.png)."
control = "lossy"
{_WORDS}
[claims.folk]
statement = "A coin is fair."
control = "lossy"
sound = "worn"
cause = "It was bent."
{_WORDS}
[claims.same]
statement = "Heads and tails sum to one."
control = "lossy"
exact = true
{_WORDS.replace("0.05", "1e-9")}
[claims.lead]
statement = "A bent coin leads a fair one by a tenth."
control = "lossy"
variant = "bent"
against = "fair"
{_WORDS}"""
COIN_THEORY = '''"""Never imported by a page."""

raise SystemExit("somebody imported a lab to show it")


def mean(rate: float) -> float:
    r"""Heads.

    $$\\mathbb{E}[X] = p$$
    """
    return rate


def folk(rate: float) -> float:
    return 0.5


def same(rate: float) -> float:
    return 1.0


def lead(rate: float) -> float:
    return 0.1
'''
CLIP = f"""title = "Does clipping bound the ratio?"
stack = "tabular"
seeds = 3

[setting]
clip = 0.2

[variants.clipped]

[variants.loose]
clip = 0.9

[claims.ratio]
statement = "The ratio stays below its bound."
control = "loose"
bound = "above"
{_WORDS.replace("equals", "at_most")}"""
CLIP_THEORY = "def ratio(clip: float) -> float:\n    return 1 + clip\n"


def curves(claim: str) -> Curves:
    """A measured curve and a predicted one, for a reference."""
    steps = list(range(0, 50, 5))
    seen, told = [1 - 0.9**step for step in steps], [1 - 0.88**step for step in steps]
    return lambda trial: {f"curve.{claim}": (steps, seen), f"predicted.curve.{claim}": (steps, told)}


def stale(trial: Trial) -> Trial:
    """The same trial as it was before the code changed."""
    return replace(trial, recipe="0" * 16)


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
