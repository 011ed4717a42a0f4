"""Figures as functions: what is where, read from the chart that they return."""

import json
import math
from typing import Any

import altair as alt
import pytest

from dashboard import figures, marks
from dashboard.frame import frame
from dashboard.look import Figure
from labs.kit.gap import Verdict, judge
from labs.kit.palette import palette
from labs.kit.results import Judged
from labs.kit.words import Claim

CLAIM = Claim("a/b", "c", "A sentence.", "", "textbook", "equals", 0.1, "metres", control="off", variant="on")
INK = palette(dark=False)


def _claim(**told: Any) -> Claim:
    return Claim(**{**{name: getattr(CLAIM, name) for name in CLAIM.__dataclass_fields__}, **told})


def _pairs(*measured: float, predicted: float = 1.0) -> dict[int, tuple[float, float]]:
    return {seed: (predicted, value) for seed, value in enumerate(measured)}


def _gap(pairs: dict[int, tuple[float, float]], claim: Claim = CLAIM, variant: str = "on") -> Any:
    return judge(claim, variant, [p for p, _ in pairs.values()], [m for _, m in pairs.values()])


def _judged(
    pairs: dict[int, tuple[float, float]], variant: str = "on", own: bool = True, claim: Claim = CLAIM
) -> Judged:
    origin: Any = ("own" if own else "reference") if pairs else "none"
    return Judged(_gap(pairs, claim, variant), origin, "full", [], 0, 0)


def _drawn(figure: Figure) -> list[dict[str, Any]]:
    """The layers of a figure that is Vega-Lite by its schema, every number finite: a browser cannot read NaN."""
    alt.LayerChart.from_dict({**figure, "width": 600})
    made: list[dict[str, Any]] = json.loads(json.dumps(figure, allow_nan=False))["layer"]
    return [{**layer, "rows": layer["data"]["values"]} for layer in made]


def _by_mark(layers: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [layer for layer in layers if layer["mark"]["type"] == kind]


def test_theory_is_dashed_vermilion_and_the_measurement_solid_blue() -> None:
    pairs = _pairs(1.3, 1.32, 1.34)
    rules = _by_mark(_drawn(figures.seeds(_gap(pairs), pairs, INK)), "rule")
    assert [(rule["mark"]["color"], rule["mark"]["strokeDash"]) for rule in rules] == [
        (INK.theory, [6, 4]),
        (INK.measured, [1, 0]),
    ]
    assert [rule["rows"][0]["at"] for rule in rules] == [1.0, pytest.approx(1.32)]


def test_every_seed_is_a_mark_and_the_axis_shows_the_whole_tolerance() -> None:
    pairs = _pairs(1.3, 1.32, 1.34)
    gap = _gap(pairs)
    layers = _drawn(figures.seeds(gap, pairs, INK))
    assert [row["at"] for row in _by_mark(layers, "circle")[0]["rows"]] == [1.3, 1.32, 1.34]
    zone, interval = _by_mark(layers, "rect")
    assert (zone["rows"][0]["low"], zone["rows"][0]["high"]) == (0.9, 1.1)
    assert interval["rows"][0]["low"] == pytest.approx(1.0 + gap.low)
    low, high = _by_mark(layers, "circle")[0]["encoding"]["x"]["scale"]["domain"]
    assert low < 0.9
    assert high > 1.34
    assert _by_mark(layers, "circle")[0]["encoding"]["x"]["title"] == "measured: metres"


def test_one_seed_has_no_interval_to_draw() -> None:
    pairs = _pairs(1.3)
    assert len(_by_mark(_drawn(figures.seeds(_gap(pairs), pairs, INK)), "rect")) == 1


def test_two_seeds_far_apart_do_not_let_their_interval_hide_them() -> None:
    """With two seeds Student's interval is thirteen times as wide as the mark's distance."""
    pairs = _pairs(1.0, 2.0)
    seen = frame(_gap(pairs), pairs)
    assert seen.domain[1] - seen.domain[0] < 5


def test_an_identity_is_drawn_as_differences() -> None:
    """On the scale of the numbers a tolerance of a billionth is no pixel."""
    pairs = _pairs(1.0 + 2e-10, 1.0 - 3e-10)
    seen = frame(_gap(pairs, _claim(exact=True, within=1e-9)), pairs)
    assert seen.differences
    assert seen.theory == 0.0
    assert seen.zone[1] == pytest.approx(1e-9, rel=0.2)
    assert seen.title == "measured minus predicted: metres"
    assert seen.tiny


def test_an_identity_without_any_error_can_be_drawn() -> None:
    pairs = _pairs(1.0, 1.0)
    low, high = frame(_gap(pairs, _claim(exact=True, within=0.0)), pairs).domain
    assert low < 0.0 < high


def test_predictions_that_differ_by_seed_are_drawn_by_seed() -> None:
    pairs = {0: (1.0, 1.02), 1: (1.3, 1.31), 2: (0.8, 0.82)}
    layers = _drawn(figures.seeds(_gap(pairs), pairs, INK))
    assert [row["from"] for row in _by_mark(layers, "tick")[0]["rows"]] == [1.0, 1.3, 0.8]


@pytest.mark.parametrize(("relation", "edges"), [("at_most", (-math.inf, 1.1)), ("at_least", (0.9, math.inf))])
def test_a_one_sided_tolerance_reaches_to_the_edge(relation: Any, edges: tuple[float, float]) -> None:
    pairs = _pairs(1.3, 1.32)
    seen = frame(_gap(pairs, _claim(relation=relation)), pairs)
    wanted = max(edges[0], seen.domain[0]), min(edges[1], seen.domain[1])
    assert seen.zone == pytest.approx(wanted)


def test_a_curve_is_thinned_and_keeps_its_ends() -> None:
    steps = list(range(0, 10_000, 2))
    line = steps, [step / 10_000 for step in steps]
    pairs = _pairs(1.3, 1.32)
    layers = _drawn(figures.curve(_gap(pairs), {0: line, 1: line}, {0: line, 1: line}, INK))
    mean = _by_mark(layers, "line")[1]["rows"]
    assert len(mean) == 200
    assert (mean[0]["step"], mean[-1]["step"]) == (0, 9998)


def test_a_curve_has_theory_with_its_tolerance_and_a_band_over_seeds() -> None:
    steps = [0, 1, 2]
    measured = {0: (steps, [0.0, 0.4, 0.8]), 1: (steps, [0.0, 0.6, 0.8])}
    pairs = _pairs(1.3, 1.32)
    layers = _drawn(figures.curve(_gap(pairs), measured, {0: (steps, [0.0, 0.5, 1.0])}, INK))
    zone, band = _by_mark(layers, "area")
    assert [(row["low"], row["high"]) for row in zone["rows"]][1] == (0.4, 0.6)
    assert band["rows"][1]["value"] == pytest.approx(0.5)
    assert band["rows"][1]["high"] == pytest.approx(0.5 + 12.706 * 0.1, rel=1e-3)  # t(0.975, 1) s / sqrt(2)
    assert band["rows"][2]["low"] == band["rows"][2]["high"] == pytest.approx(0.8)
    assert _by_mark(layers, "line")[-1]["mark"]["strokeDash"] == [6, 4]


def test_a_curve_ends_where_the_shortest_seed_ends() -> None:
    """A seed that stopped early must not be continued with a flat line."""
    pairs = _pairs(1.3, 1.32)
    layers = _drawn(figures.curve(_gap(pairs), {0: ([0, 1, 2], [0.0, 1.0, 2.0]), 1: ([0, 1], [0.0, 1.0])}, {}, INK))
    assert [row["step"] for row in _by_mark(layers, "line")[1]["rows"]] == [0, 1]


def test_the_forest_has_a_line_a_variant_and_brackets_its_control() -> None:
    judged = [_judged(_pairs(1.0, 1.01, 1.02)), _judged({}, "other"), _judged(_pairs(1.4, 1.41, 1.42), "off")]
    layers = _drawn(figures.forest(judged, "on", INK))
    names = layers[2]
    assert [row["variant"] for row in names["rows"]] == ["on", "other", "[off]"]
    assert [row["variant"] for row in layers[3]["rows"]] == ["on", "[off]"], "what was not run has no whisker"


def test_the_forest_draws_the_authors_marks_hollow() -> None:
    judged = [_judged(_pairs(1.0, 1.01, 1.02)), _judged(_pairs(1.0, 1.01, 1.02), "other", own=False)]
    rows = {row["variant"]: row for row in _drawn(figures.forest(judged, "on", INK))[2]["rows"]}
    assert rows["on"]["fill"] == INK.verdicts[Verdict.HOLDS]
    assert rows["other"]["fill"] == INK.paper


def test_a_forest_of_far_gaps_has_a_logarithmic_axis() -> None:
    near, far = _judged(_pairs(1.0, 1.01, 1.02)), _judged(_pairs(900.0, 900.1, 900.2), "off")
    scale = _drawn(figures.forest([near, far], "on", INK))[2]["encoding"]["x"]["scale"]
    assert scale["type"] == "symlog"
    assert scale["domain"][1] > 8990


def test_a_variant_with_one_seed_reaches_across_the_forest() -> None:
    layers = _drawn(figures.forest([_judged(_pairs(1.05))], "on", INK))
    row, zone = layers[3]["rows"][0], layers[0]["rows"][0]
    assert row["low"] <= zone["low"]
    assert row["high"] >= zone["high"]


def test_shapes_alone_tell_verdicts_apart() -> None:
    """Inconclusive is a circle like holds, but half filled or cut by a bar."""
    shapes = [shape for verdict, shape in marks.SHAPES.items() if verdict is not Verdict.INCONCLUSIVE]
    assert len(set(shapes)) == len(shapes)


@pytest.mark.parametrize("dark", [False, True])
def test_colours_can_be_read_on_the_page(dark: bool) -> None:
    """Marks have a contrast of 3 to the paper at least (WCAG 1.4.11)."""
    ink = palette(dark)
    for verdict, colour in ink.verdicts.items():
        assert _contrast(colour, ink.paper) >= 3, f"{verdict}: {_contrast(colour, ink.paper):.2f}"
    assert _contrast(ink.muted, ink.paper) >= 4.5


def _contrast(one: str, other: str) -> float:
    lights = sorted(_light(colour) for colour in (one, other))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _light(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_steps_that_were_logged_by_their_logarithm_are_drawn_by_it() -> None:
    steps = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512]
    pairs = _pairs(1.3, 1.32)
    layers = _drawn(figures.curve(_gap(pairs), {0: (steps, [1.3] * 11)}, {}, INK))
    line = _by_mark(layers, "line")[0]
    assert line["encoding"]["x"]["scale"]["type"] == "log"
    assert line["rows"][0]["step"] == 1, "step 0 has no logarithm"


def test_a_curve_without_a_prediction_shows_the_level_it_is_to_reach() -> None:
    pairs = _pairs(1.3, 1.32)
    reached = _by_mark(_drawn(figures.curve(_gap(pairs), {0: ([0, 1], [0.0, 1.31])}, {}, INK)), "line")
    assert [row["value"] for row in reached[-1]["rows"]] == [1.0, 1.0]
    elsewhere = _by_mark(_drawn(figures.curve(_gap(pairs), {0: ([0, 1], [0.0, 50.0])}, {}, INK)), "line")
    assert len(elsewhere) == 1, "a curve of something else has no level"


def test_a_variant_that_was_not_run_says_so_in_the_forest() -> None:
    layers = _drawn(figures.forest([_judged(_pairs(1.0, 1.01, 1.02)), _judged({}, "other")], "on", INK))
    assert [row["variant"] for row in _by_mark(layers, "text")[0]["rows"]] == ["other"]
