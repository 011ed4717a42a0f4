"""The words of a figure: a point, a line, a drawing; and which trials a line is drawn from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from labs.kit.errors import LabError
from labs.kit.reference import RECORDED, Reference
from labs.kit.results import Row
from labs.kit.words import Claim, Figure, Lab

PREFERRED = tuple(reversed(RECORDED))


@dataclass(frozen=True)
class Point:
    """One place along the bottom."""

    x: float
    measured: float
    low: float
    high: float
    """The 95% interval; infinite where one seed leaves it open."""
    predicted: float | None
    """None where theory has a number for the end of the curve alone."""


@dataclass(frozen=True)
class Line:
    """Points that belong together, in the order of x."""

    label: str
    points: Sequence[Point]


@dataclass(frozen=True)
class Drawing:
    """A figure with everything that is drawn in it."""

    figure: Figure
    lines: Sequence[Line]
    presets: Mapping[str, tuple[int, ...]]
    """preset -> how many seeds its variants have, each number once"""


def label_of(claim: Claim, part: str, claims: int, parts: int) -> str:
    """The words that tell this line from the others; none for a line that stands alone."""
    return ", ".join(([part] if parts > 1 else []) + ([claim.name] if claims > 1 else []))


def rows_of(lab: Lab, figure: Figure, found: Reference, variant: str) -> list[Row]:
    """The variant's trials of the fullest recorded preset."""
    for preset in PREFERRED:
        if rows := [row for row in found.rows if row.variant == variant and row.preset == preset]:
            return sorted(rows, key=lambda row: row.seed)
    raise LabError(
        f"{lab.folder}/reference.json has no trial of {variant!r}, which [figures.{figure.name}] shows.\n"
        "A figure is drawn from recorded trials alone, so this line would be missing.\n"
        f"Type `gaplab record {lab.id}`, or take the variant out of the figure."
    )


def at(lab: Lab, figure: Figure) -> str:
    return f"{lab.folder}/lab.toml: [figures.{figure.name}]"
