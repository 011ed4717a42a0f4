"""The intervals against a second derivation of each."""

import math

import numpy as np
import pytest
from scipy.stats import binom, t

from labs.kit.intervals import order_statistic, student, wilson


def test_student_agrees_with_scipy() -> None:
    values = [0.3, 1.1, -0.4, 0.9, 2.0]
    low, high = t.interval(0.95, 4, loc=np.mean(values), scale=np.std(values, ddof=1) / math.sqrt(5))
    assert student(values) == pytest.approx((low, high))


@pytest.mark.parametrize("count", [6, 7, 9, 12, 20, 51])
def test_order_statistics_cover_the_median_and_the_next_pair_does_not(count: int) -> None:
    """The pair misses when all but `rank - 1` values or fewer lie on one side of the median: a binomial tail."""
    low, high = order_statistic(list(range(1, count + 1)))
    assert low + high == count + 1
    assert 2 * binom.cdf(low - 1, count, 0.5) <= 0.05 < 2 * binom.cdf(low, count, 0.5)


def test_five_values_have_no_interval_of_the_median_at_95() -> None:
    assert order_statistic([1.0, 2.0, 3.0, 4.0, 5.0]) == (-math.inf, math.inf)


def test_order_statistics_cover_a_median_without_a_mean() -> None:
    rng = np.random.default_rng(0)
    pairs = [order_statistic(list(rng.standard_cauchy(9))) for _ in range(3_000)]
    assert np.mean([low <= 0 <= high for low, high in pairs]) >= 0.95 - 0.01


@pytest.mark.parametrize(("hits", "total"), [(0, 20), (3, 20), (20, 20), (200, 500)])
def test_wilson_edges_solve_its_quadratic(hits: int, total: int) -> None:
    """At an edge the observed share lies 1.96 standard errors of that edge away."""
    for edge in wilson(hits, total):
        if 0 < edge < 1:
            assert abs(hits / total - edge) == pytest.approx(1.959964 * math.sqrt(edge * (1 - edge) / total), rel=1e-6)
