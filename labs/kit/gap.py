"""Judge the gap between what theory predicts and what the trials measured.

Pure arithmetic: no files, no clock. Verdicts are worked out from stored measurements each time, so that a
changed tolerance judges old trials too.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import mean, median

from labs.kit.intervals import order_statistic, student, wilson
from labs.kit.words import Claim

ROUNDING = 1e-9
"""A gap below this share of the prediction's size is floating-point noise, not a beaten bound."""


class Verdict(StrEnum):
    """What the trials say of a claim."""

    HOLDS = "holds"
    """The whole interval lies within the tolerance."""
    GAP = "gap"
    """The whole interval lies outside it."""
    INCONCLUSIVE = "inconclusive"
    """The interval reaches across the edge: more seeds would tell."""
    NOT_RUN = "not run"
    """No trial has been recorded."""
    IMPOSSIBLE = "impossible"
    """The measurement beats a proven bound by more than its interval: the theory or the code is wrong."""


@dataclass(frozen=True)
class Gap:
    """How far practice is from theory in one variant, with a 95% interval; units are the claim's."""

    claim: Claim
    variant: str
    predicted: float
    measured: float
    estimate: float
    """Measurement minus prediction: the mean over seeds (the median for a heavy tail)."""
    low: float
    high: float
    tolerance: float
    seeds: int
    verdict: Verdict

    @property
    def is_control(self) -> bool:
        """Whether this variant is the one in which the claim must fail."""
        return self.variant == self.claim.control

    @property
    def is_headline(self) -> bool:
        """Whether this variant carries the claim's verdict in counts and tables."""
        return self.variant == self.claim.variant


def judge(
    claim: Claim, variant: str, predicted: Sequence[float], measured: Sequence[float], runs: int | None = None
) -> Gap:
    """Compare paired predictions and measurements, one pair a seed.

    `runs` is the number of runs behind each measurement, for a claim about a share. One seed has no spread
    to learn from, so its interval is the whole line and its verdict inconclusive, unless the claim is exact.

    >>> claim = Claim("mathematics/area", "area", "", "", "textbook", "equals", 0.1, "m2", control="half")
    >>> judge(claim, "whole", [1.0, 1.0, 1.0], [1.51, 1.49, 1.50]).verdict
    <Verdict.GAP: 'gap'>
    >>> judge(claim, "whole", [1.0], [1.0]).verdict
    <Verdict.INCONCLUSIVE: 'inconclusive'>
    """
    if not measured:
        return Gap(claim, variant, math.nan, math.nan, math.nan, -math.inf, math.inf, math.nan, 0, Verdict.NOT_RUN)
    gaps = [m - p for p, m in zip(predicted, measured, strict=True)]
    centre = median if claim.tail == "heavy" else mean
    low, high = _interval(claim, gaps, predicted, measured, runs)
    tolerance = tolerance_of(claim, mean(predicted))
    verdict = _verdict(claim, low, high, tolerance, ROUNDING * max(1.0, abs(mean(predicted))))
    return Gap(
        claim, variant, centre(predicted), centre(measured), centre(gaps), low, high, tolerance, len(gaps), verdict
    )


def tolerance_of(claim: Claim, predicted: float) -> float:
    """`within` in the claim's unit.

    >>> claim = Claim("mathematics/area", "area", "", "", "textbook", "equals", "2%", "m2", control="half")
    >>> tolerance_of(claim, -50.0)
    1.0
    """
    if isinstance(claim.within, str):
        return abs(predicted) * float(claim.within.removesuffix("%")) / 100
    return float(claim.within)


def _interval(
    claim: Claim, gaps: Sequence[float], predicted: Sequence[float], measured: Sequence[float], runs: int | None
) -> tuple[float, float]:
    if claim.exact:
        return min(gaps), max(gaps)
    if claim.tail == "heavy":
        return order_statistic(gaps)
    if claim.share_of and runs:
        total = runs * len(gaps)
        low, high = wilson(round(mean(measured) * total), total)
        return low - mean(predicted), high - mean(predicted)
    return student(gaps)


def _verdict(claim: Claim, low: float, high: float, tolerance: float, rounding: float) -> Verdict:
    if (claim.bound == "above" and low > rounding) or (claim.bound == "below" and high < -rounding):
        return Verdict.IMPOSSIBLE
    lowest = -math.inf if claim.relation == "at_most" else -tolerance
    highest = math.inf if claim.relation == "at_least" else tolerance
    if lowest <= low and high <= highest:
        return Verdict.HOLDS
    if high < lowest or highest < low:
        return Verdict.GAP
    return Verdict.INCONCLUSIVE
