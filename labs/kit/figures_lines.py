"""What a declared figure shows: lines with their intervals and theory beside them, from the lab's reference alone."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import chain
from statistics import fmean, median
from typing import NoReturn

from labs.kit.errors import LabError
from labs.kit.gap import judge
from labs.kit.intervals import order_statistic, student
from labs.kit.reference import RECORDED, Reference
from labs.kit.results import Row, pairs
from labs.kit.words import Claim, Figure, Lab, Value

MOST = 12
"""Lines in one figure that an eye can still tell apart."""
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


def drawing(lab: Lab, figure: Figure, found: Reference) -> Drawing:
    """The figure's lines. Raises LabError where the reference lacks what the figure declares."""
    rows = {variant: _rows(lab, figure, found, variant) for variant in figure.variants}
    shown = [lab.claims[name] for name in figure.claims]
    _refuse_unmeasured(lab, figure, shown)
    made = (_along if figure.along else _curves)(lab, figure, shown, rows, found)
    lines = [_drawable(lab, figure, line) for line in made]
    if len(lines) > MOST:
        raise LabError(
            f"{_place(lab, figure)} has {len(lines)} lines.\nNobody tells more than {MOST} apart.\n"
            "Make two figures of it, or name fewer variants."
        )
    counts: dict[str, set[int]] = {}
    for of in rows.values():
        counts.setdefault(of[0].preset, set()).add(len(of))
    return Drawing(figure, lines, {preset: tuple(sorted(seeds)) for preset, seeds in sorted(counts.items())})


def _curves(
    lab: Lab, figure: Figure, claims: Sequence[Claim], rows: Mapping[str, Sequence[Row]], found: Reference
) -> list[Line]:
    """A line a claim and variant, from the curve that every seed logged; none where a variant logs no such curve."""
    made: dict[tuple[str, str], Line] = {}
    for claim, variant in ((claim, one) for claim in claims for one in figure.variants if one in claim.variants):
        measured = [_curve(found, row, f"curve.{claim.name}") for row in rows[variant]]
        steps = sorted(set.intersection(*(set(curve) for curve in measured)))
        theory = [_curve(found, row, f"predicted.curve.{claim.name}") for row in rows[variant]]
        summed = _heavy if claim.tail == "heavy" else _mean
        points = [Point(step, *summed([curve[step] for curve in measured]), _agreed(step, theory)) for step in steps]
        if points:
            label = _label(claim, variant, len(claims), len(figure.variants))
            made[claim.name, variant] = Line(label, points)
    _refuse_undrawn(lab, figure, claims, set(made))
    return list(made.values())


def _refuse_undrawn(lab: Lab, figure: Figure, claims: Sequence[Claim], made: Set[tuple[str, str]]) -> None:
    """Each claim and each variant that the figure names is drawn at least once."""
    for claim in claims:
        if not any(name == claim.name for name, _ in made):
            _refuse_line(lab, figure, claim, figure.variants[0])
    for variant in figure.variants:
        if not any(name == variant for _, name in made):
            _refuse_line(lab, figure, claims[0], variant)


def _refuse_line(lab: Lab, figure: Figure, claim: Claim, variant: str) -> NoReturn:
    raise LabError(
        f"{lab.folder}/reference.json has no curve of {claim.name!r} in {variant!r}, which "
        f"[figures.{figure.name}] shows.\n"
        "A figure is drawn from recorded trials alone, so this line has no points.\n"
        f'Write log("curve.{claim.name}", value, step) in practice.py and type `gaplab record {lab.id}`.'
    )


def _along(
    lab: Lab, figure: Figure, claims: Sequence[Claim], rows: Mapping[str, Sequence[Row]], found: Reference
) -> list[Line]:
    """A point a variant, at its value of the setting that the figure runs along."""
    settings = {variant: lab.setting_of(variant, of[0].preset) for variant, of in rows.items()}
    places = {variant: _number(lab, figure, variant, setting) for variant, setting in settings.items()}
    groups = _groups(lab, figure, places, settings)
    others = {claim.against for claim in claims} - {"", *rows}
    every = [*chain(*rows.values()), *(row for other in sorted(others) for row in _rows(lab, figure, found, other))]
    made = []
    for claim in claims:
        for name, variants in groups.items():
            told = [(places[one], _judged(lab, claim, one, every, settings[one])) for one in variants]
            points = [Point(place, *seen) for place, seen in sorted(told) if seen is not None]
            if points:
                made.append(Line(_label(claim, name, len(claims), len(groups)), points))
    return made


def _judged(
    lab: Lab, claim: Claim, variant: str, rows: Sequence[Row], setting: Mapping[str, Value]
) -> tuple[float, float, float, float] | None:
    """Measured, low, high, predicted, as the verdict has them; None where the variant does not measure the claim."""
    if variant not in claim.variants or variant == claim.against:
        return None
    told = pairs(claim, variant, rows)
    if not told:
        raise LabError(
            f"{lab.folder}/reference.json has no measurement of {claim.name!r} in {variant!r}, which a figure shows.\n"
            "A figure is drawn from recorded trials alone, so this point would be missing.\n"
            f"Type `gaplab record {lab.id}`."
        )
    runs = setting.get(claim.share_of)
    gap = judge(
        claim,
        variant,
        [p for p, _ in told.values()],
        [m for _, m in told.values()],
        runs if isinstance(runs, int) else None,
    )
    return gap.measured, gap.predicted + gap.low, gap.predicted + gap.high, gap.predicted


def _groups(
    lab: Lab, figure: Figure, places: Mapping[str, float], settings: Mapping[str, Mapping[str, Value]]
) -> dict[str, list[str]]:
    """Which variants a line joins: those alike in every word and, where two stand at one place, in one more number."""
    varied = [key for key in lab.setting if len({settings[variant][key] for variant in places}) > 1]
    words = [key for key in varied if isinstance(lab.setting[key], str | bool)]
    for more in [[], *([key] for key in varied if key != figure.along and key not in words)]:
        groups: dict[str, list[str]] = {}
        for variant in places:
            name = ", ".join(_told(key, settings[variant][key]) for key in words + more)
            groups.setdefault(name, []).append(variant)
        if all(len({places[one] for one in group}) == len(group) for group in groups.values()):
            return groups
    raise LabError(
        f"{_place(lab, figure)}: several variants have the same {figure.along}, and no other number tells them apart.\n"
        "Each of them would be a point of the same line.\nName fewer variants, or make two figures of it."
    )


def _told(key: str, value: Value) -> str:
    """What a line's variants have in common.

    >>> _told("method", "td"), _told("steps", 4), _told("shared", False)
    ('td', 'steps 4', 'not shared')
    """
    if isinstance(value, bool):
        return key if value else f"not {key}"
    return value if isinstance(value, str) else f"{key} {value}"


def _label(claim: Claim, part: str, claims: int, parts: int) -> str:
    """The words that tell this line from the others; none for a line that stands alone."""
    return ", ".join(([part] if parts > 1 else []) + ([claim.name] if claims > 1 else []))


def _rows(lab: Lab, figure: Figure, found: Reference, variant: str) -> list[Row]:
    """The variant's trials of the fullest recorded preset."""
    for preset in PREFERRED:
        if rows := [row for row in found.rows if row.variant == variant and row.preset == preset]:
            return sorted(rows, key=lambda row: row.seed)
    raise LabError(
        f"{lab.folder}/reference.json has no trial of {variant!r}, which [figures.{figure.name}] shows.\n"
        "A figure is drawn from recorded trials alone, so this line would be missing.\n"
        f"Type `gaplab record {lab.id}`, or take the variant out of the figure."
    )


def _refuse_unmeasured(lab: Lab, figure: Figure, claims: Sequence[Claim]) -> None:
    idle = [v for v in figure.variants if not any(v in claim.variants for claim in claims)]
    idle += [claim.name for claim in claims if not set(claim.variants) & set(figure.variants)]
    if idle:
        raise LabError(
            f"{_place(lab, figure)} has nothing to show of {', '.join(idle)}: no variant of the figure measures such a "
            "claim.\nIts line would be missing without a word.\n"
            f"Correct `variants` of the figure or of the claim in {lab.folder}/lab.toml."
        )


def _number(lab: Lab, figure: Figure, variant: str, setting: Mapping[str, Value]) -> float:
    value = setting[figure.along]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise LabError(
            f"{_place(lab, figure)}: along = {figure.along!r} is {value!r} in {variant!r}, which is not a number.\n"
            "A point needs a place along the bottom.\nName a number of [setting]."
        )
    return float(value)


def _drawable(lab: Lab, figure: Figure, line: Line) -> Line:
    """The line without the points that have no logarithm, where the axes ask for one."""
    by_x, by_y = figure.scale in ("log-x", "log-log"), figure.scale in ("log-y", "log-log")
    kept = [one for one in line.points if not (by_x and one.x <= 0) and not (by_y and one.measured <= 0)]
    if not kept:
        raise LabError(
            f"{_place(lab, figure)}: scale = {figure.scale!r}, but no point of {line.label or 'its line'} is above 0.\n"
            "Nothing else has a logarithm, so the line would be missing.\nWrite another `scale`."
        )
    return Line(line.label, [_logged(one, not figure.along) for one in kept] if by_y else kept)


def _logged(point: Point, of_curve: bool) -> Point:
    """Theory ends where it has no logarithm; there a curve's band keeps its upper half, or it would fall to the floor.

    >>> _logged(Point(1, 0.5, -0.1, 1.1, 0.0), of_curve=True)
    Point(x=1, measured=0.5, low=0.5, high=1.1, predicted=None)
    """
    if point.predicted is not None and point.predicted <= 0:
        point = replace(point, predicted=None)
    return replace(point, low=point.measured) if of_curve and point.low <= 0 else point


def _curve(found: Reference, row: Row, name: str) -> dict[int, float]:
    return dict(zip(*found.curves[row.key].get(name, ([], [])), strict=True))


def _agreed(step: int, theory: Sequence[Mapping[int, float]]) -> float | None:
    told = [curve[step] for curve in theory if step in curve]
    return fmean(told) if len(told) == len(theory) else None


def _mean(values: Sequence[float]) -> tuple[float, float, float]:
    return fmean(values), *student(values)


def _heavy(values: Sequence[float]) -> tuple[float, float, float]:
    return float(median(values)), *order_statistic(values)


def _place(lab: Lab, figure: Figure) -> str:
    return f"{lab.folder}/lab.toml: [figures.{figure.name}]"
