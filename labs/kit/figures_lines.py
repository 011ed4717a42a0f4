"""What a declared figure shows: lines with their intervals and theory beside them, from the lab's reference alone."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from statistics import fmean, median
from typing import NoReturn

from labs.kit.errors import LabError
from labs.kit.figures_along import along
from labs.kit.figures_words import Drawing, Line, Point, at, label_of, rows_of
from labs.kit.intervals import order_statistic, student
from labs.kit.reference import Reference
from labs.kit.results import Row
from labs.kit.words import Claim, Figure, Lab

__all__ = ["MOST", "Drawing", "Line", "Point", "drawing"]

MOST = 12
"""Lines in one figure that an eye can still tell apart."""


def drawing(lab: Lab, figure: Figure, found: Reference) -> Drawing:
    """The figure's lines. Raises LabError where the reference lacks what the figure declares."""
    rows = {variant: rows_of(lab, figure, found, variant) for variant in figure.variants}
    shown = [lab.claims[name] for name in figure.claims]
    _refuse_unmeasured(lab, figure, shown)
    made = (along if figure.along else _curves)(lab, figure, shown, rows, found)
    lines = [_drawable(lab, figure, line) for line in made]
    if len(lines) > MOST:
        raise LabError(
            f"{at(lab, figure)} has {len(lines)} lines.\nNobody tells more than {MOST} apart.\n"
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
            made[claim.name, variant] = Line(label_of(claim, variant, len(claims), len(figure.variants)), points)
    _refuse_undrawn(lab, figure, claims, set(made))
    return _new(made.values())


def _new(lines: Iterable[Line]) -> list[Line]:
    """The lines but those whose halves are both drawn by others: what two claims measure, a theory of two variants."""
    measured: set[tuple[float, ...]] = set()
    theory: set[tuple[float | None, ...]] = set()
    kept = []
    for line in lines:
        halves = tuple(point.measured for point in line.points), tuple(point.predicted for point in line.points)
        if halves[0] not in measured or halves[1] not in theory:
            kept.append(line)
        measured.add(halves[0])
        theory.add(halves[1])
    return kept


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


def _refuse_unmeasured(lab: Lab, figure: Figure, claims: Sequence[Claim]) -> None:
    idle = [v for v in figure.variants if not any(v in claim.variants for claim in claims)]
    idle += [claim.name for claim in claims if not set(claim.variants) & set(figure.variants)]
    if idle:
        raise LabError(
            f"{at(lab, figure)} has nothing to show of {', '.join(idle)}: no variant of the figure measures such a "
            "claim.\nIts line would be missing without a word.\n"
            f"Correct `variants` of the figure or of the claim in {lab.folder}/lab.toml."
        )


def _drawable(lab: Lab, figure: Figure, line: Line) -> Line:
    """The line without the points that have no logarithm, where the axes ask for one."""
    by_x, by_y = figure.scale in ("log-x", "log-log"), figure.scale in ("log-y", "log-log")
    kept = [one for one in line.points if not (by_x and one.x <= 0) and not (by_y and one.measured <= 0)]
    if not kept:
        raise LabError(
            f"{at(lab, figure)}: scale = {figure.scale!r}, but no point of {line.label or 'its line'} is above 0.\n"
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
