"""One figure as the text of an SVG: transparent, in one theme's colours, the same bytes for the same drawing.

Everything is placed in points, from the counts of characters alone: no text is measured, so no font of the machine has
a part in it. Readers see it in a font of theirs.
"""

import math
from collections.abc import Sequence
from io import StringIO

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from labs.kit.figures_layout import apart, hues, numbers
from labs.kit.figures_lines import Drawing, Line
from labs.kit.palette import Palette

WIDTH, HEIGHT = 560.0, 320.0
"""Points; a browser shows four pixels for three."""
KEY, WINDOW, BOTTOM, GUTTER = 26.0, 15.0, 46.0, 26.0
TEXT, SMALL = 9.6, 8.8
LETTER, BOLD = 0.56, 0.69
"""The width of a letter over its height in the widest of the fonts, where text has to find room."""
FONTS = "system-ui, -apple-system, 'Segoe UI', 'Source Sans 3', Helvetica, Arial, sans-serif"
DASHES = (0, (3.2, 2.2))


def svg(drawing: Drawing, colours: Palette) -> str:
    """The figure's text in these colours."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams |= {
            "svg.fonttype": "none",
            "svg.hashsalt": "gaplab",
            "font.family": ["DejaVu Sans"],
            "font.size": TEXT,
            "path.simplify": False,
        }
        canvas = Canvas(figsize=(WIDTH / 72, HEIGHT / 72), facecolor="none")
        _draw(canvas, drawing, colours)
        out = StringIO()
        FigureCanvasSVG(canvas).print_svg(  # type: ignore[no-untyped-call]
            out, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type"))
        )
    return "\n".join(line.rstrip() for line in out.getvalue().replace("'DejaVu Sans'", FONTS).splitlines()) + "\n"


def _draw(canvas: Canvas, drawing: Drawing, colours: Palette) -> None:
    told, colour = drawing.figure, hues(colours, len(drawing.lines))
    axes = canvas.add_axes((0, 0, 1, 1), facecolor="none")
    axes.set_xscale("log" if told.scale in ("log-x", "log-log") else "linear")
    axes.set_yscale("log" if told.scale in ("log-y", "log-log") else "linear")
    _limits(axes, drawing)
    widest = max(_ticks(axes, colours))
    left, right = GUTTER + widest * LETTER * TEXT, 16 + max(len(line.label) for line in drawing.lines) * BOLD * TEXT
    top = KEY + WINDOW * bool(told.window)
    axes.set_position((left / WIDTH, BOTTOM / HEIGHT, 1 - (left + right) / WIDTH, 1 - (BOTTOM + top) / HEIGHT))
    axes.set_xlabel(told.x, color=colours.muted, labelpad=7)
    canvas.text(9 / WIDTH, 0.5 + (BOTTOM - top) / 2 / HEIGHT, told.y, color=colours.muted, rotation=90, va="center")
    canvas.texts[-1].set_horizontalalignment("center")
    _window(axes, drawing, colours)
    alone = [sum(_measured(one) == _measured(line) for one in drawing.lines) == 1 for line in drawing.lines]
    for place, line in {_measured(line): (i, line) for i, line in enumerate(drawing.lines)}.values():
        (_points if told.along else _curve)(axes, line, colour[place] if alone[place] else colours.muted)
    for line, hue in zip(drawing.lines, colour, strict=True):
        _theory(axes, line, hue)
    ends = [_end(line, own) for line, own in zip(drawing.lines, alone, strict=True)]
    _names(canvas, axes, [line.label for line in drawing.lines], ends, colour)
    _key(canvas, drawing, colours, left)


def _limits(axes: Axes, drawing: Drawing) -> None:
    """Room for what was measured and predicted; an interval may be cut off where it is far wider than all of that."""
    points = [point for line in drawing.lines for point in line.points]
    across = [point.x for point in points] + list(drawing.figure.window if drawing.figure.along else ())
    heights = [point.measured for point in points] + [p.predicted for p in points if p.predicted is not None]
    by_log = axes.get_yscale() == "log"
    heights = [height for height in heights if height > 0] if by_log else heights
    room = [_scaled(height, by_log) for height in heights]
    low, high = min(room), max(room)
    size = (high - low) or abs(high) or 1.0
    edges = [_scaled(edge, by_log) for p in points for edge in (p.low, p.high) if math.isfinite(edge)]
    low = max(min([low, *edges]), low - 0.3 * size) - 0.05 * size
    high = min(max([high, *edges]), high + 0.3 * size) + 0.05 * size
    if not by_log and 0 <= min(heights) < 0.3 * max(heights):
        low = 0.0 - 0.01 * size
    axes.set_ylim(*((10**low, 10**high) if by_log else (low, high)))
    first, last, log_x = min(across), max(across), axes.get_xscale() == "log"
    pad = 0.03 * (_scaled(last, log_x) - _scaled(first, log_x)) * bool(drawing.figure.along)
    first, last = _scaled(first, log_x) - pad, _scaled(last, log_x) + pad
    axes.set_xlim(*((10**first, 10**last) if log_x else (first, last)))


def _scaled(value: float, by_log: bool) -> float:
    return (math.log10(value) if value > 0 else -math.inf) if by_log else value


def _ticks(axes: Axes, colours: Palette) -> list[int]:
    """Set the ticks of both axes; returns how long the numbers along the side are."""
    for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        low, high = limits
        if axis.get_scale() == "log":
            few = high < 150 * low
            locator: LogLocator | MaxNLocator = LogLocator(subs=(1.0, 2.0, 5.0) if few else (1.0,), numticks=8)
        else:
            locator = MaxNLocator(6, steps=[1, 2, 2.5, 5, 10])
        places = [float(place) for place in locator.tick_values(low, high) if low <= place <= high]
        axis.set_minor_locator(NullLocator())
        axis.set_ticks(places, labels=numbers(places, axis.get_scale() == "log"))
    axes.tick_params(colors=colours.muted, length=0, pad=6, labelsize=TEXT)
    axes.grid(axis="y", color=colours.line, linewidth=0.8, alpha=0.8)
    axes.set_axisbelow(True)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return [len(label.get_text()) for label in axes.get_yticklabels()] or [1]


def _curve(axes: Axes, line: Line, hue: str) -> None:
    """The mean with its band."""
    x = [point.x for point in line.points]
    bottom = axes.get_ylim()[0]
    if all(math.isfinite(point.low) for point in line.points):
        lows = [max(point.low, bottom) for point in line.points]
        axes.fill_between(x, lows, [point.high for point in line.points], color=hue, alpha=0.2, linewidth=0)
    axes.plot(x, [point.measured for point in line.points], color=hue, linewidth=2.6, alpha=0.5)


def _points(axes: Axes, line: Line, hue: str) -> None:
    """Each variant with its interval."""
    bottom = axes.get_ylim()[0]
    for point in line.points:
        if math.isfinite(point.low):
            axes.plot([point.x, point.x], [max(point.low, bottom), point.high], color=hue, linewidth=1.6)
    x, seen = [point.x for point in line.points], [point.measured for point in line.points]
    axes.plot(x, seen, color=hue, linewidth=0, marker="o", markersize=5.6, markeredgewidth=0)


def _theory(axes: Axes, line: Line, hue: str) -> None:
    points = [(point.x, point.predicted) for point in line.points if point.predicted is not None]
    if points:
        axes.plot(*zip(*points, strict=True), color=hue, linewidth=1.5, linestyle=DASHES)


def _measured(line: Line) -> tuple[tuple[float, float], ...]:
    return tuple((point.x, point.measured) for point in line.points)


def _end(line: Line, alone: bool) -> tuple[float, float]:
    """Where the line is named: at the end of what was measured, or of theory, where claims share a measurement."""
    told = [(point.x, point.predicted) for point in line.points if point.predicted is not None]
    return _measured(line)[-1] if alone or not told else told[-1]


def _window(axes: Axes, drawing: Drawing, colours: Palette) -> None:
    """Shade what the book's figure shows, and say so above it."""
    if not drawing.figure.window:
        return
    low, high = drawing.figure.window
    edges = axes.get_xlim()
    low, high = max(low, edges[0]), min(high, edges[1])
    axes.axvspan(low, high, color=colours.zone, alpha=0.13, linewidth=0)
    across, box = axes.get_xaxis_transform(), axes.get_position()
    left, right = (axes.transAxes.inverted().transform(axes.transData.transform((at, 1)))[0] for at in (low, high))
    word = f"shown in the book: {drawing.figure.book}" if drawing.figure.book else "shown in the book"
    fits = (1 - left) * box.width * WIDTH > len(word) * LETTER * SMALL or left + right < 1
    axes.text(low if fits else high, 1.012, word, transform=across, color=colours.muted, fontsize=SMALL, va="bottom")
    axes.texts[-1].set_horizontalalignment("left" if fits else "right")


def _names(
    canvas: Canvas, axes: Axes, labels: Sequence[str], at: Sequence[tuple[float, float]], colour: Sequence[str]
) -> None:
    """Each line's name at the right, pushed apart where lines end together; a hair leads there from a far end."""
    box, edge = axes.get_position(), axes.get_position().x1 * WIDTH + 9
    pixels = [axes.transData.transform(place) for place in at]
    ends = [(72 / canvas.dpi * float(x), 72 / canvas.dpi * float(y)) for x, y in pixels]
    heights = apart([y for _, y in ends], 1.3 * TEXT, box.y0 * HEIGHT + 5, box.y1 * HEIGHT - 5)
    for label, hue, (x, y), height in zip(labels, colour, ends, heights, strict=True):
        if label:
            canvas.text(edge / WIDTH, height / HEIGHT, label, color=hue, va="center_baseline", fontweight="bold")
        if label and (abs(height - y) > 3 or x < edge - 30):
            across, up = ((x + 4) / WIDTH, (edge - 2) / WIDTH), (y / HEIGHT, height / HEIGHT)
            canvas.add_artist(Line2D(across, up, color=hue, linewidth=0.8, linestyle=(0, (1, 2.5))))


def _key(canvas: Canvas, drawing: Drawing, colours: Palette, left: float) -> None:
    """What solid and dashed mean, above the figure."""
    points = [point for line in drawing.lines for point in line.points]
    words = ["measured" + (", 95% interval" if any(math.isfinite(point.low) for point in points) else "")]
    words += ["theory"] if any(point.predicted is not None for point in points) else []
    at, up = left, 1 - 10 / HEIGHT
    for word in words:
        shape = {"linestyle": DASHES, "linewidth": 1.5} if word == "theory" else {"linewidth": 2.6, "alpha": 0.5}
        if drawing.figure.along and word != "theory":
            shape = {"linewidth": 1.6, "marker": "o", "markevery": [1], "markersize": 5.6, "markeredgewidth": 0}
        ends = [at / WIDTH, (at + 10) / WIDTH, (at + 20) / WIDTH]
        canvas.add_artist(Line2D(ends, [up] * 3, color=colours.muted, **shape))
        canvas.text((at + 26) / WIDTH, up, word, color=colours.muted, fontsize=SMALL, va="center_baseline")
        at += 26 + len(word) * LETTER * SMALL + 16
