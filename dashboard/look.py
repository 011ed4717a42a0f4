"""How every figure is dressed: type, axes, margins."""

from collections.abc import Sequence
from typing import Any

import altair as alt

from dashboard.palette import Palette

FONT = "Source Sans, sans-serif"
AXIS = 62
"""Pixels below the rows: the axis, its numbers, its title. Streamlit fits a figure whole into its height."""


def chart(rows: Sequence[Any]) -> Any:
    """A chart of these rows, which travel inside it. Altair's own types lose track after the first method."""
    return alt.Chart(alt.InlineData(values=list(rows)))


def dressed(layers: Sequence[Any], colours: Palette, height: int, top: int = 6, right: int = 14) -> alt.LayerChart:
    """The figure in Gaplab's type and colours, as wide as its place; `height` is that of the rows alone."""
    text = {"labelFont": FONT, "titleFont": FONT, "labelColor": colours.muted, "titleColor": colours.muted}
    plain: Any = alt.layer(*layers)
    made: alt.LayerChart = (
        plain.properties(
            height=height + AXIS + top, width="container", padding={"left": 4, "right": right, "top": top, "bottom": 4}
        )
        .configure(font=FONT, background="transparent")
        .configure_view(stroke=None, clip=False)
        .configure_axis(
            **text,
            labelFontSize=12.5,
            titleFontSize=13,
            titleFontWeight="normal",
            titlePadding=9,
            labelPadding=6,
            gridColor=colours.line,
            gridOpacity=0.8,
            domain=False,
            tickColor=colours.line,
        )
        .configure_text(font=FONT)
    )
    return made
