"""Where things stand in a figure of seeds: theory, tolerance, interval, and the stretch of the axis that shows them."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from labs.kit.gap import Gap

Pairs = Mapping[int, tuple[float, float]]
"""seed -> (predicted, measured)"""
Stretch = tuple[float, float]
INVISIBLE = 1 / 300
"""A tolerance below this share of the axis is less than a pixel or two."""


@dataclass(frozen=True)
class Frame:
    """Positions on the axis, in the claim's unit; edges are finite, cut at the domain where they reach beyond."""

    title: str
    domain: Stretch
    theory: float
    measured: float
    zone: Stretch
    interval: Stretch | None
    """None for a single seed."""
    tiny: bool
    """Whether the axis needs powers of ten for its numbers."""
    differences: bool
    """Whether measurement minus prediction is drawn: the tolerance could not be seen otherwise."""
    scattered: bool
    """Whether the prediction differs visibly from seed to seed."""

    def place(self, predicted: float, value: float) -> float:
        """Where a number of a seed with this prediction stands."""
        return value - predicted if self.differences else value


def frame(gap: Gap, pairs: Pairs) -> Frame:
    """The frame of a claim's seeds in one variant."""
    values = [value for pair in pairs.values() for value in pair]
    width = max(values) - min(values)
    hidden = gap.tolerance < INVISIBLE * max(width, 1e-12 * max(1.0, *map(abs, values)))
    differences = gap.claim.exact or (hidden and gap.tolerance > 0)
    theory = 0.0 if differences else gap.predicted
    measured = gap.estimate if differences else gap.measured
    seen = [m - p if differences else m for p, m in pairs.values()]
    domain = _domain(gap, theory, measured, [*seen, *([] if differences else [p for p, _ in pairs.values()])])
    return Frame(
        title=_title(gap, differences),
        domain=domain,
        theory=theory,
        measured=measured,
        zone=_cut(_zone(gap, theory), domain),
        interval=None if math.isinf(gap.low) else _cut((theory + gap.low, theory + gap.high), domain),
        tiny=max(map(abs, domain)) < 1e-4,
        differences=differences,
        scattered=not differences and _width(p for p, _ in pairs.values()) > 0.01 * (domain[1] - domain[0]),
    )


def _domain(gap: Gap, theory: float, measured: float, seen: list[float]) -> Stretch:
    """All marks and the whole tolerance; of a wide interval, as much as leaves the marks to be told apart."""
    held = [*seen, theory, measured, theory - gap.tolerance, theory + gap.tolerance]
    low, high = min(held), max(held)
    reach = (high - low) or max(abs(high), 1.0) * 1e-6
    if not math.isinf(gap.low):
        low = min(low, max(theory + gap.low, low - reach))
        high = max(high, min(theory + gap.high, high + reach))
    edge = 0.06 * ((high - low) or reach)
    return low - edge, high + edge


def _zone(gap: Gap, theory: float) -> Stretch:
    low = -math.inf if gap.claim.relation == "at_most" else theory - gap.tolerance
    high = math.inf if gap.claim.relation == "at_least" else theory + gap.tolerance
    return low, high


def _cut(stretch: Stretch, domain: Stretch) -> Stretch:
    return max(stretch[0], domain[0]), min(stretch[1], domain[1])


def _width(values: Iterable[float]) -> float:
    found = list(values)
    return max(found) - min(found)


def _title(gap: Gap, differences: bool) -> str:
    what = "measured minus predicted" if differences else "measured"
    return f"{what}: {gap.claim.unit}" if gap.claim.unit else what
