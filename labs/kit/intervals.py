"""Confidence intervals over seeds: Student's t, the median's order statistics, Wilson's for a share."""

import math
from collections.abc import Sequence
from statistics import mean, stdev

CONFIDENCE = 0.95


def student(values: Sequence[float]) -> tuple[float, float]:
    """Student's t interval of the mean; the whole line for a single value.

    Five seeds: it covers 95% as promised where a percentile bootstrap covers 83%.

    >>> [round(edge, 4) for edge in student([0.0, 1.0])]      # 0.5 ± 12.706 * 0.7071 / sqrt(2)
    [-5.8531, 6.8531]
    """
    if len(values) < 2:
        return -math.inf, math.inf
    # scipy.special takes 0.1 s to import, scipy.stats 0.9 s; a listing needs neither.
    from scipy.special import stdtrit

    half = float(stdtrit(len(values) - 1, (1 + CONFIDENCE) / 2)) * stdev(values) / math.sqrt(len(values))
    return mean(values) - half, mean(values) + half


def order_statistic(values: Sequence[float]) -> tuple[float, float]:
    """The narrowest symmetric pair of order statistics that covers the median with 95% at least.

    No spread is assumed, so a heavy tail does it no harm. Under six values there is none: the whole line.

    >>> order_statistic([1, 2, 3, 4, 5])
    (-inf, inf)
    >>> order_statistic([1, 2, 3, 4, 5, 6])                    # misses with 2/64
    (1, 6)
    """
    ranked, count = sorted(values), len(values)
    outside, rank = 0.0, 0
    while rank < count // 2:
        outside += 2 * math.comb(count, rank) / 2**count
        if outside > 1 - CONFIDENCE:
            break
        rank += 1
    return (ranked[rank - 1], ranked[count - rank]) if rank else (-math.inf, math.inf)


def wilson(hits: int, total: int) -> tuple[float, float]:
    """Wilson's score interval of a share: it has width even where nothing was hit.

    >>> [round(edge, 4) for edge in wilson(0, 100)]            # z^2 / (n + z^2), z = 1.96
    [0.0, 0.037]
    """
    z = 1.959963984540054
    share, spread = hits / total, z * z / total
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(share * (1 - share) / total + spread / (4 * total))
    return max(0.0, middle - half), min(1.0, middle + half)
