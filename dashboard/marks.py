"""A verdict's mark: a shape that can be told without its colour. Vega paths in a square from -1 to 1.

Filled: the reader's own trials. Hollow: the authors' reference. An inconclusive circle is half filled, or cut by a bar.
"""

import math

from dashboard import phrases
from labs.kit.gap import Gap, Verdict

CIRCLE = "circle"
HALF = "M0,-1A1,1,0,0,0,0,1Z"
BAR = "M-1,0L1,0"
DASH = BAR
CROSS = "M-1,-.55L-.55,-1L0,-.45L.55,-1L1,-.55L.45,0L1,.55L.55,1L0,.45L-.55,1L-1,.55L-.45,0Z"

SHAPES = {
    Verdict.HOLDS: CIRCLE,
    Verdict.GAP: "diamond",
    Verdict.INCONCLUSIVE: CIRCLE,
    Verdict.IMPOSSIBLE: CROSS,
    Verdict.NOT_RUN: DASH,
}


def distance(gap: Gap) -> float:
    """How far practice is from theory, in tolerances; nan where nothing was run.

    An identity may have no tolerance to speak of, and a gap of rounding error: that is no distance.
    """
    if gap.verdict is Verdict.NOT_RUN:
        return math.nan
    if gap.tolerance == 0:
        return 0.0 if gap.estimate == 0 else math.copysign(math.inf, gap.estimate)
    return gap.estimate / gap.tolerance


def growth(gap: Gap) -> float:
    """From 0 to 1: how much larger a gap's diamond is drawn; full size at a hundred tolerances."""
    far = abs(distance(gap))
    if gap.verdict is not Verdict.GAP or far <= 1:
        return 0.0
    return min(1.0, math.log10(far) / 2)


def times(gap: Gap) -> str:
    """The distance as a reader says it.

    >>> from labs.kit.words import Claim
    >>> claim = Claim("a/b", "c", "", "", "folk", "equals", 0.1, "", control="x")
    >>> times(Gap(claim, "v", 1.0, 1.42, 0.42, 0.4, 0.44, 0.1, 5, Verdict.GAP))
    '+4.2×'
    """
    far = distance(gap)
    if math.isnan(far):
        return "–"
    sign = "+" if far >= 0 else "−"
    size = abs(far)
    if math.isinf(size):
        return f"{sign}∞"
    told = f"{size:.1f}" if size < 9.95 else f"{size:,.0f}" if size < 99_500 else phrases.number(size)
    return f"{sign}{told}×"
