"""What is seen of a figure, read from its SVG: colours, words, what is solid and what is dashed."""

import re
from collections.abc import Sequence

from labs.kit.figures_lines import Drawing, Line, Point
from labs.kit.figures_svg import svg
from labs.kit.palette import palette
from labs.kit.words import Figure, Scale

INK = palette(dark=False)


def _line(label: str, height: float = 1.0, theory: float | None = 1.0) -> Line:
    return Line(label, [Point(x, height + x, height + x - 0.5, height + x + 0.5, theory) for x in range(1, 30)])


def _drawn(lines: Sequence[Line], along: str = "", scale: Scale = "linear", dark: bool = False) -> str:
    figure = Figure("f", "", (), (), "flips", "mean reward", "Figure 2.2", along, scale, (10.0, 20.0))
    return svg(Drawing(figure, lines, {"full": (5,)}), palette(dark))


def _strokes(text: str, dashed: bool) -> list[str]:
    """The colours of the lines that show theory, or a measured mean."""
    styles = [style for style in re.findall(r'style="fill: none;[^"]*"', text) if ("dasharray" in style) is dashed]
    wide = "stroke-width: 1.5" if dashed else "stroke-width: 2.6"
    return [re.findall("#[0-9a-f]{6}", style)[0] for style in styles if wide in style]


def test_theory_is_dashed_over_what_was_measured_in_the_same_colour() -> None:
    text = _drawn([_line("fair"), _line("lossy", 3.0)])
    assert _strokes(text, dashed=True) == [*INK.series[:2], INK.muted], "the last is the sample in the key"
    assert _strokes(text, dashed=False) == [*INK.series[:2], INK.muted]


def test_a_line_without_theory_has_no_dashes() -> None:
    text = _drawn([_line("fair", theory=None)])
    assert _strokes(text, dashed=True) == []
    assert ">theory<" not in text


def test_claims_that_share_a_measurement_show_it_once() -> None:
    """Two readings of one number are two dashed lines; the number belongs to neither of them."""
    text = _drawn([_line("textbook", theory=1.0), _line("folk", theory=2.0)])
    assert _strokes(text, dashed=False) == [INK.muted, INK.muted]
    assert _strokes(text, dashed=True) == [*INK.series[:2], INK.muted]


def test_words_are_text_in_a_font_of_the_readers() -> None:
    """On a transparent ground, so that the page behind it may be light or dark."""
    text = _drawn([_line("fair"), _line("lossy", 3.0)])
    words = re.findall(r"<text[^>]*>([^<]*)</text>", text)
    assert {"flips", "mean reward", "fair", "lossy", "theory", "measured, 95% interval"} <= set(words)
    assert "shown in the book: Figure 2.2" in words
    assert "sans-serif" in text
    assert "DejaVu" not in text
    assert "#ffffff" not in text
    assert INK.paper not in text


def test_a_theme_changes_colours_and_nothing_else() -> None:
    """Names of marks are made from their colours, so they change along."""
    light, dark = (
        re.sub(r"#[0-9a-f]{6}|[mp][0-9a-f]{10}", "", _drawn([_line("fair")], dark=dark)) for dark in (False, True)
    )
    assert light == dark


def test_every_scale_and_points_along_a_setting_are_drawn_twice_alike() -> None:
    scales: tuple[Scale, ...] = ("linear", "log-x", "log-y", "log-log")
    for scale in scales:
        for along in ("", "rate"):
            lines = [_line("fair"), _line("lossy", 3.0)]
            assert _drawn(lines, along, scale) == _drawn(lines, along, scale)


def test_an_open_interval_is_not_drawn() -> None:
    """One seed says nothing of the spread: a line, and no band."""
    lone = Line("fair", [Point(x, 1.0, float("-inf"), float("inf"), None) for x in range(1, 5)])
    text = _drawn([lone])
    assert 'opacity: 0.2"' in _drawn([_line("fair")])
    assert 'opacity: 0.2"' not in text
    assert ">measured<" in text
