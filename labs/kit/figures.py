"""The figures that a lab declares, drawn from its reference alone: two SVGs each, and the lines of its README.

Each SVG begins with a stamp: a digest of what is drawn and how, and one of the text that follows. Freshness is asked of
the stamp, not of a redraw, because the last bit of a logarithm, and so a coordinate's last digit, is the machine's.
"""

import hashlib
import html
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from labs.kit import figures_lines, reference
from labs.kit.figures_lines import Drawing
from labs.kit.palette import Palette, palette
from labs.kit.words import Figure, Lab

THEMES = {"light": False, "dark": True}


def path(lab: Lab, figure: str, theme: str) -> Path:
    """Where the figure stands in that theme."""
    return lab.folder / "figures" / f"{figure}-{theme}.svg"


def drawings(lab: Lab) -> list[Drawing]:
    """What the lab's figures show; none while nothing is recorded. Raises LabError where the reference lacks a part."""
    found = reference.load(lab) if lab.figures else None
    return [figures_lines.drawing(lab, figure, found) for figure in lab.figures.values()] if found else []


def write(lab: Lab) -> list[Path]:
    """Draw what is stale, and return it."""
    made = []
    for drawing in drawings(lab):
        for theme, dark in THEMES.items():
            at, stamp = path(lab, drawing.figure.name, theme), _stamp(drawing, palette(dark))
            if not _is_fresh(at, stamp):
                from labs.kit.figures_svg import svg  # matplotlib, which only a stale figure needs

                at.parent.mkdir(exist_ok=True)
                at.write_text(_stamped(svg(drawing, palette(dark)), stamp), newline="\n")
                made.append(at)
    return made


def stale(lab: Lab) -> list[Path]:
    """The SVGs that are not what would be drawn today: lacking, older than the reference, edited, or not declared."""
    fresh = {
        path(lab, drawing.figure.name, theme): _stamp(drawing, palette(dark))
        for drawing in drawings(lab)
        for theme, dark in THEMES.items()
    }
    wanted = {path(lab, name, theme) for name in lab.figures for theme in THEMES}
    there = set((lab.folder / "figures").glob("*.svg"))
    return sorted(at for at in wanted | there if at not in fresh or not _is_fresh(at, fresh[at]))


def parts(lab: Lab) -> dict[str, str]:
    """The text between the markers of each figure in the lab's README: nothing while nothing is recorded."""
    return {f"figure {name}": "" for name in lab.figures} | {
        f"figure {drawing.figure.name}": _part(drawing) for drawing in drawings(lab)
    }


def _part(drawing: Drawing) -> str:
    told = drawing.figure
    said = [f"{told.title.rstrip('.')}.", f"In the book: {told.book}." if told.book else "", _made_from(drawing)]
    return (
        "<picture>\n"
        f'  <source media="(prefers-color-scheme: dark)" srcset="figures/{told.name}-dark.svg">\n'
        f'  <source media="(prefers-color-scheme: light)" srcset="figures/{told.name}-light.svg">\n'
        f'  <img alt="{html.escape(told.title)}" src="figures/{told.name}-light.svg">\n'
        "</picture>\n\n"
        f"<sub>{html.escape(' '.join(filter(None, said)), quote=False)}</sub>\n"
    )


def _made_from(drawing: Drawing) -> str:
    """Which trials these are.

    >>> figure = Figure("f", "", (), (), "", "")
    >>> _made_from(Drawing(figure, [], {"full": (5,), "quick": (3, 6)}))
    'Recorded trials: full, 5 seeds; quick, 3 to 6 seeds.'
    """
    told = [
        f"{preset}, {' to '.join(map(str, dict.fromkeys((seeds[0], seeds[-1]))))} seed{'s' if seeds[-1] > 1 else ''}"
        for preset, seeds in drawing.presets.items()
    ]
    return f"Recorded trials: {'; '.join(told)}."


def _stamp(drawing: Drawing, colours: Palette) -> str:
    """A digest of everything that is drawn, to nine digits, and of the code that draws it."""
    lines = [
        [line.label, *([_short(value) for value in asdict(point).values()] for point in line.points)]
        for line in drawing.lines
    ]
    told = [_words(drawing.figure), lines, asdict(colours)]
    code = [Path(__file__).with_name(f"figures_{part}.py").read_bytes() for part in ("layout", "svg")]
    return _digest(b"".join([json.dumps(told, sort_keys=True).encode(), *code]))


def _words(figure: Figure) -> Mapping[str, object]:
    return {name: value for name, value in asdict(figure).items() if name not in ("title", "claims", "variants")}


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.9g}"


def _stamped(text: str, stamp: str) -> str:
    head, rest = text.split("\n", 1)
    return f"{head}\n<!-- drawn from {stamp}, as {_digest(rest.encode())}, by gaplab -->\n{rest}"


def _is_fresh(at: Path, stamp: str) -> bool:
    if not at.is_file():
        return False
    head, _, rest = at.read_text().partition("\n")
    return _stamped(f"{head}\n{rest.partition(chr(10))[2]}", stamp) == f"{head}\n{rest}"


def _digest(told: bytes) -> str:
    return hashlib.sha256(told).hexdigest()[:16]
