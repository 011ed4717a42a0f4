"""Gap -> figure. No streamlit here, so that a figure is tested as a function.

Theory is always a dashed vermilion line, what was measured solid blue with its band, the tolerance grey; lines are
labelled where they stand.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from dashboard import curves
from dashboard.forest import forest as forest
from dashboard.frame import Frame, Pairs, frame
from dashboard.look import Figure, Layer, dressed, layer, name, number
from labs.kit.gap import Gap
from labs.kit.palette import Palette

__all__ = ["curve", "forest", "seeds"]

ROW, MOST = 25, 450
"""Pixels a seed, and of all of them."""
DASHED, SOLID = [6, 4], [1, 0]
POWERS = "datum.value === 0 ? '0' : format(datum.value, '~e')"
WORD = {"fontWeight": 600, "fontSize": 13}


def seeds(gap: Gap, pairs: Pairs, colours: Palette) -> Figure:
    """One mark a seed, beside what theory predicts, the tolerance around it and the interval of the mean."""
    seen = frame(gap, pairs)
    rows = [
        {"seed": str(seed), "predicted": p, "measured": m, "at": seen.place(p, m), "from": seen.place(p, p)}
        for seed, (p, m) in pairs.items()
    ]
    across = {"tickCount": 7, "grid": False, **({"labelExpr": POWERS} if seen.tiny else {})}
    x = number("at", title=seen.title, scale={"domain": list(seen.domain), "nice": False, "zero": False}, axis=across)
    y = name("seed", title="seed", sort=[row["seed"] for row in rows], axis={"grid": len(rows) <= 24, "ticks": False})
    tip = [name("seed"), number("predicted", format=".6g"), number("measured", format=".6g")]
    layers = [*_bands(seen, colours), *_rules(seen, colours)]
    if seen.scattered:
        ticks = {"x": number("from"), "y": y}
        layers.append(layer(rows, "tick", ticks, color=colours.theory, thickness=2.2, size=13))
    dots = {"x": x, "y": y, "tooltip": tip}
    layers.append(layer(rows, "circle", dots, size=70, color=colours.measured, opacity=0.9))
    return dressed(layers, colours, height=max(130, min(ROW * len(rows), MOST)), top=22)


def _bands(seen: Frame, colours: Palette) -> list[Layer]:
    made = [_band(seen.zone, colours.zone, 0.2)]
    return made + ([_band(seen.interval, colours.measured, 0.16)] if seen.interval else [])


def _band(stretch: tuple[float, float], colour: str, opacity: float) -> Layer:
    edges = {"x": number("low"), "x2": {"field": "high"}}
    return layer([{"low": stretch[0], "high": stretch[1]}], "rect", edges, color=colour, opacity=opacity)


def _rules(seen: Frame, colours: Palette) -> list[Layer]:
    """Theory and measurement, each with its word; where they are close, each word on the side away from the other."""
    apart = abs(seen.measured - seen.theory) > 0.2 * (seen.domain[1] - seen.domain[0])
    sides = ("center", "center") if apart else ("right", "left") if seen.measured >= seen.theory else ("left", "right")
    return [
        *_rule("theory", seen.theory, colours.theory, sides[0], DASHED),
        *_rule("measured", seen.measured, colours.measured, sides[1], SOLID),
    ]


def _rule(word: str, at: float, colour: str, side: str, dash: Sequence[int]) -> list[Layer]:
    rows, push = [{"at": at, "word": word}], {"left": 5, "right": -5}.get(side, 0)
    line = layer(rows, "rule", {"x": number("at")}, color=colour, strokeWidth=2, strokeDash=dash)
    text = layer(
        rows, "text", {"x": number("at"), "text": name("word")}, color=colour, align=side, dx=push, y=-9, **WORD
    )
    return [line, text]


def curve(
    gap: Gap, measured: Mapping[int, curves.Line], predicted: Mapping[int, curves.Line], colours: Palette
) -> Figure:
    """The claim's quantity step by step: theory, the mean over seeds with its 95% band, every seed faintly."""
    if curves.bunched(measured):
        measured, predicted = curves.from_one(measured), curves.from_one(predicted)
    seen, theory = curves.band(measured), curves.band(predicted)
    theory = theory or _level(gap, seen)
    for point in theory:
        point |= {"low": point["value"] - gap.tolerance, "high": point["value"] + gap.tolerance}
    scale = {"nice": False, **({"type": "log"} if curves.bunched(measured) else {})}
    x = number("step", title="step", scale=scale, axis={"grid": False, "tickCount": 7, "format": "~s"})
    line = {"x": x, "y": number("value", title=gap.claim.unit or None, scale={"zero": False})}
    layers = [_between(theory, colours.zone)] if theory else []
    if len(measured) > 1:
        layers.append(_between(seen, colours.measured))
        faint = {**line, "detail": name("seed")}
        layers.append(
            layer(curves.points(measured), "line", faint, color=colours.measured, strokeWidth=0.7, opacity=0.3)
        )
    layers.append(layer(seen, "line", line, color=colours.measured, strokeWidth=2.2))
    if theory:
        layers.append(layer(theory, "line", line, color=colours.theory, strokeWidth=2.2, strokeDash=DASHED))
    return dressed([*layers, *_ends(seen, theory, colours)], colours, height=320, right=72)


def _level(gap: Gap, seen: curves.Points) -> curves.Points:
    """The prediction as a level, for a curve that has none of its own but ends in what is measured."""
    values = [point["value"] for point in seen]
    near = max(3 * gap.tolerance, 0.05 * (max(values) - min(values)))
    if gap.claim.against or abs(values[-1] - gap.measured) > near:
        return []
    return [{"step": point["step"], "value": gap.predicted} for point in (seen[0], seen[-1])]


def _between(points: Sequence[Mapping[str, Any]], colour: str) -> Layer:
    edges = {"x": number("step"), "y": number("low"), "y2": {"field": "high"}}
    return layer(points, "area", edges, color=colour, opacity=0.2)


def _ends(seen: curves.Points, theory: curves.Points, colours: Palette) -> list[Layer]:
    """The lines' names where the lines end, pushed apart where they end together."""
    high = not theory or seen[-1]["value"] >= theory[-1]["value"]
    every = [point["value"] for point in (*seen, *theory)]
    near = theory and abs(seen[-1]["value"] - theory[-1]["value"]) < 0.07 * ((max(every) - min(every)) or 1.0)
    push = 8 if near else 0
    made = [_word(seen[-1], "measured", colours.measured, -push if high else push)]
    return made + ([_word(theory[-1], "theory", colours.theory, push if high else -push)] if theory else [])


def _word(point: Mapping[str, Any], word: str, colour: str, dy: int) -> Layer:
    place = {"x": number("step"), "y": number("value"), "text": name("word")}
    return layer([{**point, "word": word}], "text", place, color=colour, align="left", dx=7, dy=dy, clip=False, **WORD)
