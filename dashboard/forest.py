"""The forest plot: one claim in all its variants, in units of tolerance."""

import json
import math
from collections.abc import Sequence
from typing import Any

from dashboard import marks
from dashboard.look import Channel, Figure, Layer, dressed, layer, name, number
from labs.kit.gap import Verdict
from labs.kit.palette import Palette
from labs.kit.results import Judged

ROW = 27
"""Pixels a variant."""
LINEAR = 12.0
"""Distances up to this many tolerances are drawn to scale; beyond, the axis is logarithmic outside the tolerance."""
PLAIN = "format(datum.value, ',')"
"""Left alone, a logarithmic axis writes 10 as 1e+1."""
Row = dict[str, Any]


def forest(judged: Sequence[Judged], chosen: str, colours: Palette) -> Figure:
    """How far the claim reaches and where it breaks; the variant that is shown has its name in bold."""
    edge = _edge(judged)
    rows = [_row(one, edge, colours) for one in judged]
    known = [row for row in rows if row["known"]]
    x, y, zone = _across(rows, edge), _down(rows, chosen, colours), {"x": number("low"), "x2": {"field": "high"}}
    colour = name("colour", scale=None)
    layers = [
        layer([_zone(judged[0], edge)], "rect", zone, color=colours.zone, opacity=0.2),
        layer([{"at": 0.0}], "rule", {"x": number("at")}, strokeDash=[6, 4], strokeWidth=1.5, color=colours.theory),
        layer(rows, "point", {"x": x, "y": y}, opacity=0),  # a line for what was not run, too
        layer(known, "rule", {**zone, "y": y, "color": colour}, strokeWidth=2.2),
        layer(
            _unknown(rows),
            "text",
            {"x": x, "y": y, "text": name("verdict")},
            color=colours.muted,
            fontSize=12.5,
            align="left",
            dx=7,
        ),
    ]
    for shape in sorted({row["shape"] for row in known}):
        here = [row for row in known if row["shape"] == shape]
        layers.append(layer(here, "point", _mark(x, y), shape=shape, strokeWidth=1.8, opacity=1))
    return dressed([*layers, *_cut(known, x, y)], colours, height=ROW * len(rows))


def _edge(judged: Sequence[Judged]) -> float:
    """How far the axis goes: to the last mark, and to the ends of the intervals that do not dwarf the marks."""
    far = max([1.6, *(abs(far) for one in judged if math.isfinite(far := marks.distance(one.gap)))])
    sizes = [
        (gap.low / gap.tolerance, gap.high / gap.tolerance) for gap in (one.gap for one in judged) if gap.tolerance
    ]
    ends = [abs(end) for pair in sizes for end in pair if math.isfinite(end)]
    return max(1.25 * far, 1.05 * min(max(ends, default=0.0), 4 * far))


def _unknown(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if not row["known"]]


def _row(one: Judged, edge: float, colours: Palette) -> Row:
    gap = one.gap
    size = gap.tolerance or math.inf
    colour = colours.verdicts[gap.verdict]
    solid = one.origin == "own" and gap.verdict is not Verdict.INCONCLUSIVE
    return {
        "variant": f"[{gap.variant}]" if gap.is_control else gap.variant,
        "role": "control" if gap.is_control else "headline" if gap.is_headline else "–",
        "verdict": str(gap.verdict),
        "gap": f"{marks.times(gap)} the tolerance",
        "known": gap.verdict is not Verdict.NOT_RUN,
        "open": gap.verdict is Verdict.INCONCLUSIVE,
        "own": one.origin == "own",
        "at": _within(marks.distance(gap), edge),
        "low": _within(gap.low / size, edge),
        "high": _within(gap.high / size, edge),
        "colour": colour,
        "fill": colour if solid else colours.paper,
        "shape": marks.SHAPES[gap.verdict],
        "size": 62 + 70 * marks.growth(gap),
    }


def _mark(x: Channel, y: Channel) -> dict[str, Any]:
    return {
        "x": x,
        "y": y,
        "stroke": name("colour", scale=None),
        "fill": name("fill", scale=None),
        "size": number("size", scale=None),
        "tooltip": [name(field) for field in ("variant", "role", "verdict", "gap")],
    }


def _cut(known: Sequence[Row], x: Channel, y: Channel) -> list[Layer]:
    """What makes a circle an inconclusive one: half of it filled, or a bar across."""
    ink = {"x": x, "y": y, "stroke": name("colour", scale=None), "fill": name("colour", scale=None)}
    made = []
    for own, shape in ((True, marks.HALF), (False, marks.BAR)):
        rows = [row for row in known if row["open"] and row["own"] is own]
        made.append(layer(rows, "point", ink, shape=shape, size=62, strokeWidth=1.6, opacity=1))
    return made


def _across(rows: Sequence[Row], edge: float) -> Channel:
    title = "gap ÷ tolerance"
    if edge > LINEAR:
        powers = [float(10**power) for power in range(int(math.log10(edge)) + 1)]
        kept = powers[:: max(1, len(powers) // 3)]
        low = -edge if any(row["low"] < -1 for row in rows) else -2.0
        high = edge if any(row["high"] > 1 for row in rows) else 2.0
        values = [value for value in (*(-power for power in reversed(kept)), 0.0, *kept) if low <= value <= high]
        scale = {"type": "symlog", "constant": 1, "domain": [low, high], "nice": False}
        return number("at", title=title, scale=scale, axis={"values": values, "labelExpr": PLAIN, "grid": False})
    low = min(-1.6, *(row["low"] for row in rows)) - 0.1
    high = max(1.6, *(row["high"] for row in rows)) + 0.1
    return number("at", title=title, scale={"domain": [low, high], "nice": False}, axis={"tickCount": 6, "grid": False})


def _down(rows: Sequence[Row], chosen: str, colours: Palette) -> Channel:
    is_chosen = f"datum.value == {json.dumps(chosen)} || datum.value == {json.dumps(f'[{chosen}]')}"
    axis = {
        "ticks": False,
        "labelLimit": 150,
        "grid": False,
        "labelFontWeight": {"condition": {"test": is_chosen, "value": "bold"}, "value": "normal"},
        "labelColor": {"condition": {"test": is_chosen, "value": colours.ink}, "value": colours.muted},
    }
    return name("variant", title=None, sort=[row["variant"] for row in rows], axis=axis)


def _zone(one: Judged, edge: float) -> dict[str, float]:
    relation = one.gap.claim.relation
    return {"low": -edge if relation == "at_most" else -1.0, "high": edge if relation == "at_least" else 1.0}


def _within(value: float, edge: float) -> float:
    return 0.0 if math.isnan(value) else max(-edge, min(edge, value))
