"""The forest plot: one claim in all its variants, in units of tolerance."""

import json
import math
from collections.abc import Sequence
from typing import Any

import altair as alt

from dashboard import marks
from dashboard.look import chart, dressed
from dashboard.palette import Palette
from labs.kit.gap import Verdict
from labs.kit.results import Judged

ROW = 27
"""Pixels a variant."""
LINEAR = 12.0
"""Distances up to this many tolerances are drawn to scale; beyond, the axis is logarithmic outside the tolerance."""


def forest(judged: Sequence[Judged], chosen: str, colours: Palette) -> alt.LayerChart:
    """How far the claim reaches and where it breaks; the variant that is shown has its name in bold."""
    edge = 1.25 * max([1.6, *(abs(far) for one in judged if math.isfinite(far := marks.distance(one.gap)))])
    rows = [_row(one, edge, colours) for one in judged]
    known = [row for row in rows if row["known"]]
    x, y = _across(rows, edge), _down(rows, chosen, colours)
    ink, told = (
        alt.Stroke("colour:N", scale=None),
        [alt.Tooltip(f"{name}:N") for name in ("variant", "role", "verdict", "gap")],
    )
    layers = [
        chart([_zone(judged[0], edge)]).mark_rect(color=colours.zone, opacity=0.2).encode(x="low:Q", x2="high:Q"),
        chart([{"at": 0.0}]).mark_rule(strokeDash=[6, 4], strokeWidth=1.5, color=colours.theory).encode(x="at:Q"),
        chart(rows).mark_point(opacity=0).encode(x=x, y=y),
        chart(known)
        .mark_rule(strokeWidth=2.2)
        .encode(x="low:Q", x2="high:Q", y=y, color=alt.Color("colour:N", scale=None)),
    ]
    for shape in sorted({row["shape"] for row in known}):
        here = chart([row for row in known if row["shape"] == shape]).mark_point(
            shape=shape, strokeWidth=1.8, opacity=1
        )
        layers.append(
            here.encode(
                x=x,
                y=y,
                stroke=ink,
                fill=alt.Fill("fill:N", scale=None),
                size=alt.Size("size:Q", scale=None),
                tooltip=told,
            )
        )
    layers += [_cut(known, own, x, y) for own in (True, False)]
    return dressed(layers, colours, height=ROW * len(rows))


def _row(one: Judged, edge: float, colours: Palette) -> dict[str, Any]:
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


def _cut(known: Sequence[dict[str, Any]], own: bool, x: alt.X, y: alt.Y) -> Any:
    """What makes a circle an inconclusive one: half of it filled, or a bar across."""
    rows = [row for row in known if row["open"] and row["own"] is own]
    mark = chart(rows).mark_point(shape=marks.HALF if own else marks.BAR, size=62, strokeWidth=1.6, opacity=1)
    ink = alt.Stroke("colour:N", scale=None)
    return mark.encode(x=x, y=y, stroke=ink, fill=alt.Fill("colour:N", scale=None))


def _across(rows: Sequence[dict[str, Any]], edge: float) -> alt.X:
    title = "gap ÷ tolerance"
    if edge > LINEAR:
        powers = [float(10**power) for power in range(int(math.log10(edge)) + 1)]
        kept = powers[:: max(1, len(powers) // 3)]
        low = -edge if any(row["low"] < -1 for row in rows) else -2.0
        high = edge if any(row["high"] > 1 for row in rows) else 2.0
        values = [value for value in (*(-power for power in reversed(kept)), 0.0, *kept) if low <= value <= high]
        scale = alt.Scale(type="symlog", constant=1, domain=[low, high], nice=False)
        return alt.X("at:Q", title=title, scale=scale).axis(values=values, format="~g", grid=False)
    low = min(-1.6, *(row["low"] for row in rows)) - 0.1
    high = max(1.6, *(row["high"] for row in rows)) + 0.1
    return alt.X("at:Q", title=title, scale=alt.Scale(domain=[low, high], nice=False)).axis(tickCount=6, grid=False)


def _down(rows: Sequence[dict[str, Any]], chosen: str, colours: Palette) -> alt.Y:
    is_chosen = f"datum.value == {json.dumps(chosen)} || datum.value == {json.dumps(f'[{chosen}]')}"
    axis = alt.Axis(
        ticks=False,
        labelLimit=150,
        grid=False,
        labelFontWeight=alt.condition(is_chosen, alt.value("bold"), alt.value("normal")),
        labelColor=alt.condition(is_chosen, alt.value(colours.ink), alt.value(colours.muted)),
    )
    return alt.Y("variant:N", title=None, sort=[row["variant"] for row in rows], axis=axis)


def _zone(one: Judged, edge: float) -> dict[str, float]:
    relation = one.gap.claim.relation
    return {"low": -edge if relation == "at_most" else -1.0, "high": edge if relation == "at_least" else 1.0}


def _within(value: float, edge: float) -> float:
    return 0.0 if math.isnan(value) else max(-edge, min(edge, value))
