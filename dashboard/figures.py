"""Gap -> chart. No streamlit here, so that a figure is tested as a function.

Theory is always a dashed vermilion line, what was measured solid blue with its band, the tolerance grey; lines are
labelled where they stand.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from dashboard import curves
from dashboard.forest import forest as forest
from dashboard.frame import Frame, Pairs, frame
from dashboard.look import chart, dressed
from dashboard.palette import Palette
from labs.kit.gap import Gap

__all__ = ["curve", "forest", "seeds"]

ROW = 25
"""Pixels a seed."""


def seeds(gap: Gap, pairs: Pairs, colours: Palette) -> alt.LayerChart:
    """One mark a seed, beside what theory predicts, the tolerance around it and the interval of the mean."""
    seen = frame(gap, pairs)
    rows = [
        {"seed": str(seed), "predicted": p, "measured": m, "at": seen.place(p, m), "from": seen.place(p, p)}
        for seed, (p, m) in pairs.items()
    ]
    x = alt.X("at:Q", title=seen.title, scale=alt.Scale(domain=list(seen.domain), nice=False, zero=False))
    x = x.axis(tickCount=7, grid=False, format=seen.numbers)
    y = alt.Y("seed:N", title="seed", sort=[str(seed) for seed in pairs]).axis(grid=len(rows) <= 24, ticks=False)
    told = [alt.Tooltip("seed:N"), alt.Tooltip("predicted:Q", format=".6g"), alt.Tooltip("measured:Q", format=".6g")]
    dots = chart(rows).mark_circle(size=70, color=colours.measured, opacity=0.9).encode(x=x, y=y, tooltip=told)
    ticks = chart(rows).mark_tick(color=colours.theory, thickness=2.2, size=13).encode(x="from:Q", y=y)
    back = [*_bands(seen, colours), *_rules(seen, colours)]
    layers = [*back, *([ticks] if seen.scattered else []), dots]
    return dressed(layers, colours, height=max(130, min(ROW * len(rows), 450)), top=22)


def _bands(seen: Frame, colours: Palette) -> list[Any]:
    made = [_band(seen.zone, colours.zone, 0.2)]
    return made + ([_band(seen.interval, colours.measured, 0.16)] if seen.interval else [])


def _band(stretch: tuple[float, float], colour: str, opacity: float) -> Any:
    low, high = stretch
    return chart([{"low": low, "high": high}]).mark_rect(color=colour, opacity=opacity).encode(x="low:Q", x2="high:Q")


def _rules(seen: Frame, colours: Palette) -> list[Any]:
    """Theory and measurement, each with its word; where they are close, each word on the side away from the other."""
    apart = abs(seen.measured - seen.theory) > 0.2 * (seen.domain[1] - seen.domain[0])
    sides = ("center", "center") if apart else ("right", "left") if seen.measured >= seen.theory else ("left", "right")
    return [
        *_rule("theory", seen.theory, colours.theory, sides[0], dash=[6, 4]),
        *_rule("measured", seen.measured, colours.measured, sides[1], dash=[1, 0]),
    ]


def _rule(word: str, at: float, colour: str, side: str, dash: Sequence[int]) -> list[Any]:
    place = chart([{"at": at, "word": word}])
    line = place.mark_rule(color=colour, strokeWidth=2, strokeDash=list(dash)).encode(x="at:Q")
    push = {"left": 5, "right": -5}.get(side, 0)
    text = place.mark_text(color=colour, fontWeight=600, fontSize=13, align=side, dx=push, y=-9)
    return [line, text.encode(x="at:Q", text="word:N")]


def curve(
    gap: Gap,
    measured: Mapping[int, curves.Line],
    predicted: Mapping[int, curves.Line],
    colours: Palette,
) -> alt.LayerChart:
    """The claim's quantity step by step: theory, the mean over seeds with its 95% band, every seed faintly."""
    seen, theory = curves.band(measured), curves.band(predicted)
    x = alt.X("step:Q", title="step", scale=alt.Scale(nice=False)).axis(grid=False, tickCount=7)
    y = alt.Y("value:Q", title=gap.claim.unit or None, scale=alt.Scale(zero=False))
    for point in theory:
        point |= {"low": point["value"] - gap.tolerance, "high": point["value"] + gap.tolerance}
    layers: list[Any] = [_between(theory, colours.zone, 0.2)] if theory else []
    if len(measured) > 1:
        layers.append(_between(seen, colours.measured, 0.2))
        faint = chart(curves.points(measured)).mark_line(color=colours.measured, strokeWidth=0.7, opacity=0.3)
        layers.append(faint.encode(x=x, y=y, detail="seed:N"))
    layers.append(chart(seen).mark_line(color=colours.measured, strokeWidth=2.2).encode(x=x, y=y))
    if theory:
        dashed = chart(theory).mark_line(color=colours.theory, strokeWidth=2.2, strokeDash=[6, 4])
        layers.append(dashed.encode(x=x, y=y))
    return dressed([*layers, *_ends(seen, theory, colours)], colours, height=320, right=72)


def _between(points: Sequence[Mapping[str, Any]], colour: str, opacity: float) -> Any:
    area = chart(points).mark_area(color=colour, opacity=opacity, line=False)
    return area.encode(x="step:Q", y="low:Q", y2="high:Q")


def _ends(seen: curves.Points, theory: curves.Points, colours: Palette) -> list[Any]:
    """The lines' names where the lines end, pushed apart where they end together."""
    high = not theory or seen[-1]["value"] >= theory[-1]["value"]
    every = [point["value"] for point in (*seen, *theory)]
    near = theory and abs(seen[-1]["value"] - theory[-1]["value"]) < 0.07 * ((max(every) - min(every)) or 1.0)
    push = 8 if near else 0
    made = [_word(seen[-1], "measured", colours.measured, -push if high else push)]
    return made + ([_word(theory[-1], "theory", colours.theory, push if high else -push)] if theory else [])


def _word(point: Mapping[str, Any], word: str, colour: str, dy: int) -> Any:
    text = chart([{**point, "word": word}]).mark_text(
        color=colour, fontWeight=600, fontSize=13, align="left", dx=7, dy=dy, clip=False
    )
    return text.encode(x="step:Q", y="value:Q", text="word:N")
