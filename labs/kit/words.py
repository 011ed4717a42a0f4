"""The nouns of Gaplab as records: a lab, its presets, its claims. One field is one key of lab.toml.

The sentence under a field is what labs/README.md prints for the key, so it is written for the reader of a lab.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Scalar = str | int | float | bool
Value = Scalar | tuple[Scalar, ...]
Relation = Literal["equals", "at_most", "at_least"]
Target = Literal["trainer", "textbook", "folk"]
Bound = Literal["", "above", "below"]
Tail = Literal["", "heavy"]
Scale = Literal["linear", "log-x", "log-y", "log-log"]

MECHANISMS = {
    "foundations": "Foundations",
    "integration": "LLM integration",
    "adaptation": "Domain adaptation",
    "selection": "Resource selection",
    "validation": "Experimental validation",
}


@dataclass(frozen=True)
class Preset:
    """How much of a lab is run. `full` is always there; `quick` takes minutes for all labs; `gpu` names a Hub model."""

    name: str
    seeds: int
    """How many seeds every variant is run with; the lab's where the key is missing."""
    variants: tuple[str, ...]
    """Which variants are run; all of them where the key is missing."""
    setting: Mapping[str, Value] = field(default_factory=dict)
    """Any other key: a number put over [setting]. A variant's own numbers win over a preset's."""


@dataclass(frozen=True)
class Claim:
    """One sentence of theory about one number, put to the test."""

    lab: str
    name: str
    statement: str
    """The sentence that theory makes, as a reader would say it."""
    source: str
    """Where it is proved: paper and equation, book and section."""
    target: Target
    """Which reading is tested: `trainer` (its own objective), `textbook`, or `folk` (what people repeat)."""
    relation: Relation
    """`equals`, `at_most` or `at_least`: how the measurement stands to the prediction."""
    within: float | str
    """The largest gap that still counts as agreement: a number in `unit`, or "2%" of the prediction."""
    unit: str
    """What the number counts."""
    control: str
    """The variant in which the claim is false; its verdict there must be `gap` (or `impossible`)."""
    variant: str = ""
    """The headline: the variant whose verdict counts. The lab's first where the key is missing."""
    cause: str = ""
    """Why practice departs from theory, once that is known."""
    sound: str = ""
    """For a claim whose headline is itself a gap: a variant in which it holds."""
    bound: Bound = ""
    """`above` or `below`: theory proves that nothing can lie there; a measurement that does is `impossible`."""
    tail: Tail = ""
    """`heavy`: one trial is one run, and the median's order-statistic interval judges (six seeds or more)."""
    exact: bool = False
    """An identity: every single trial must lie within rounding error; one decides."""
    against: str = ""
    """A variant to compare with: the claim is about the difference of the two, paired by seed."""
    share_of: str = ""
    """The setting that says of how many runs a trial the measurement is the share (Wilson's interval)."""
    presets: tuple[str, ...] = ()
    """The presets that judge the claim; all where the key is missing."""
    variants: tuple[str, ...] = ()
    """The variants whose trials measure the claim; all of the lab's where the key is missing."""

    @property
    def id(self) -> str:
        """mechanism/lab/claim."""
        return f"{self.lab}/{self.name}"


@dataclass(frozen=True)
class Figure:
    """A drawing of recorded trials with the exact theory over them, made by the command."""

    name: str
    title: str
    """What the figure shows, in a sentence; also its text for readers who cannot see it."""
    claims: tuple[str, ...]
    """The claims whose curves, or numbers, are drawn."""
    variants: tuple[str, ...]
    """The variants that are drawn, a colour each."""
    x: str
    """What stands along the bottom, with its unit."""
    y: str
    """What stands along the side, with its unit."""
    book: str = ""
    """The figure of the book that it redraws, as `Figure 6.2, right`."""
    along: str = ""
    """A number of [setting]: each variant becomes one point there, with its interval. Curves over steps without it."""
    scale: Scale = "linear"
    """`linear`, `log-x`, `log-y` or `log-log`."""
    window: tuple[float, ...] = ()
    """From and to: the part of the axis that the book's figure shows, shaded."""


@dataclass(frozen=True)
class Lab:
    """One folder: a question, and the claims that answer it."""

    mechanism: str
    name: str
    folder: Path
    title: str
    """The question, as a heading."""
    stacks: tuple[str, ...]
    """`stack = "grpo"`, or `stacks = ["grpo", "ppo"]`: the pinned packages its trials run with."""
    seeds: int
    """How many seeds `full` runs every variant with."""
    setting: Mapping[str, Value]
    """[setting]: the numbers that theory and practice share."""
    presets: Mapping[str, Preset]
    """[presets.quick]: `seeds`, `variants`, and numbers over [setting]."""
    variants: Mapping[str, Mapping[str, Value]]
    """[variants.x]: a setting under a name, with some numbers changed."""
    claims: Mapping[str, Claim]
    """[claims.x]: see below."""
    figures: Mapping[str, Figure] = field(default_factory=dict)
    """[figures.x]: see below."""
    needs: tuple[str, ...] = ()
    """The labs to do before this one, as mechanism/name: the learning path is ordered by them."""
    timeout: float = 600.0
    """Seconds after which a trial is ended."""
    memory: int = 1500
    """MiB that one trial may take; fewer run at once where the machine has less."""

    @property
    def id(self) -> str:
        """mechanism/name, also the lab's experiment in MLflow."""
        return f"{self.mechanism}/{self.name}"

    @property
    def stack(self) -> str:
        """The stack its trials run with, unless another is asked for."""
        return self.stacks[0]

    def setting_of(self, variant: str, preset: str) -> dict[str, Value]:
        """The numbers one trial runs with: the setting, the preset's over it, the variant's over both."""
        return {**self.setting, **self.presets[preset].setting, **self.variants[variant]}

    def measured_in(self, variant: str) -> list[Claim]:
        """The claims that a trial of this variant measures."""
        return [claim for claim in self.claims.values() if variant in claim.variants]
