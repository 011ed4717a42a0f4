"""How every figure is dressed: type, axes, margins. A figure is a Vega-Lite specification, as plain data.

Altair would write the same, but takes a second to import and a quarter of a second for the figures of one page; the
tests hold every figure against its schema instead.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from labs.kit.palette import Palette

Figure = dict[str, Any]
Layer = dict[str, Any]
Channel = dict[str, Any]
FONT = "Source Sans, sans-serif"
AXIS = 62
"""Pixels below the rows: the axis, its numbers, its title. Streamlit fits a figure whole into its height."""


def layer(rows: Iterable[Mapping[str, Any]], mark: str, encoding: Mapping[str, Any], **told: Any) -> Layer:
    """Marks of one kind, one a row."""
    return {"data": {"values": list(rows)}, "mark": {"type": mark, **told}, "encoding": dict(encoding)}


def number(field: str, **told: Any) -> Channel:
    """A channel that shows a number."""
    return {"field": field, "type": "quantitative", **told}


def name(field: str, **told: Any) -> Channel:
    """A channel that shows a word."""
    return {"field": field, "type": "nominal", **told}


def dressed(layers: Sequence[Layer], colours: Palette, height: int, top: int = 6, right: int = 14) -> Figure:
    """The figure in Gaplab's type and colours, as wide as its place; `height` is that of the rows alone."""
    axis = {
        "labelFont": FONT,
        "titleFont": FONT,
        "labelColor": colours.muted,
        "titleColor": colours.muted,
        "labelFontSize": 12.5,
        "titleFontSize": 13,
        "titleFontWeight": "normal",
        "titlePadding": 9,
        "labelPadding": 6,
        "gridColor": colours.line,
        "gridOpacity": 0.8,
        "domain": False,
        "tickColor": colours.line,
    }
    return {
        "layer": list(layers),
        "width": "container",
        "height": height + AXIS + top,
        "padding": {"left": 4, "right": right, "top": top, "bottom": 4},
        "background": "transparent",
        "config": {"font": FONT, "view": {"stroke": None, "clip": False}, "axis": axis, "text": {"font": FONT}},
    }
