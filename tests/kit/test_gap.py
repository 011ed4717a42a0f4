"""The verdicts: where the interval lies against the tolerance."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs.kit.gap import Verdict, judge
from labs.kit.words import Claim, Relation

CLAIM = Claim(
    "mathematics/area", "area", "A square of side 1 has area 1.", "Euclid", "textbook", "equals", 0.1, "m2", "half"
)
NUMBERS = st.lists(st.floats(-10, 10), min_size=2, max_size=8)


@pytest.mark.parametrize(
    ("relation", "measured", "verdict"),
    [
        ("equals", [1.01, 1.00, 0.99], Verdict.HOLDS),
        ("equals", [1.51, 1.50, 1.49], Verdict.GAP),
        ("equals", [1.30, 1.10, 0.90], Verdict.INCONCLUSIVE),
        ("equals", [], Verdict.NOT_RUN),
        ("at_most", [0.51, 0.50, 0.49], Verdict.HOLDS),
        ("at_most", [1.51, 1.50, 1.49], Verdict.GAP),
        ("at_least", [0.51, 0.50, 0.49], Verdict.GAP),
        ("at_least", [1.51, 1.50, 1.49], Verdict.HOLDS),
    ],
)
def test_verdict_follows_the_interval(relation: Relation, measured: Sequence[float], verdict: Verdict) -> None:
    assert judge(replace(CLAIM, relation=relation), "whole", [1.0] * len(measured), measured).verdict is verdict


def test_one_seed_never_decides() -> None:
    """One seed has no spread, so nothing is known of its error: not zero, unknown."""
    gap = judge(CLAIM, "whole", [1.0], [1.0])
    assert (gap.low, gap.high, gap.verdict) == (-math.inf, math.inf, Verdict.INCONCLUSIVE)


def test_one_trial_decides_an_identity_and_the_worst_one_counts() -> None:
    exact = replace(CLAIM, exact=True, within=1e-9)
    assert judge(exact, "whole", [1.0], [1.0 + 1e-12]).verdict is Verdict.HOLDS
    assert judge(exact, "whole", [1.0, 1.0], [1.0, 1.1]).verdict is Verdict.INCONCLUSIVE
    assert judge(exact, "whole", [1.0, 1.0], [1.1, 1.1]).verdict is Verdict.GAP


def test_beating_a_proven_bound_is_impossible_whatever_the_relation() -> None:
    """A corridor that earns more than its own optimum has a fault; `gap` would hide that."""
    for relation in ("equals", "at_most", "at_least"):
        bound = replace(CLAIM, relation=relation, bound="above")
        assert judge(bound, "whole", [1.0] * 3, [1.21, 1.20, 1.19]).verdict is Verdict.IMPOSSIBLE
        below = replace(bound, bound="below")
        assert judge(below, "whole", [1.0] * 3, [0.81, 0.80, 0.79]).verdict is Verdict.IMPOSSIBLE


def test_rounding_error_beats_no_bound() -> None:
    assert judge(replace(CLAIM, bound="above"), "whole", [1.0] * 3, [1.0 + 1e-15] * 3).verdict is Verdict.HOLDS


def test_a_bound_is_not_beaten_by_an_interval_that_reaches_it() -> None:
    assert judge(replace(CLAIM, bound="above"), "whole", [1.0] * 3, [1.3, 1.1, 0.9]).verdict is Verdict.INCONCLUSIVE


def test_heavy_tail_is_judged_by_its_median() -> None:
    """One collapsed run of seven moves the mean by 143 and the median by nothing."""
    heavy = replace(CLAIM, tail="heavy")
    measured = [1.01, 1.02, 0.99, 1.0, 0.98, 1.03, 1000.0]
    assert judge(CLAIM, "whole", [1.0] * 7, measured).verdict is Verdict.INCONCLUSIVE
    assert judge(heavy, "whole", [1.0] * 7, measured).measured == 1.01
    assert judge(heavy, "whole", [1.0] * 5, measured[:5]).verdict is Verdict.INCONCLUSIVE


def test_share_of_runs_that_never_happened_still_has_width() -> None:
    """0 of 500 is not 0 for certain; Student's t over five zeros would say so."""
    share = replace(CLAIM, within=0.02, share_of="runs")
    gap = judge(share, "whole", [0.0] * 5, [0.0] * 5, runs=100)
    assert gap.high == pytest.approx(1.96**2 / (500 + 1.96**2), rel=1e-3)
    assert gap.verdict is Verdict.HOLDS


def test_tolerance_may_be_a_share_of_the_prediction() -> None:
    assert judge(replace(CLAIM, within="10%"), "whole", [50.0] * 3, [54.0, 54.1, 53.9]).verdict is Verdict.HOLDS


@settings(deadline=None)  # a busy machine is no fault of the code
@given(NUMBERS, st.randoms())
def test_order_of_seeds_does_not_matter(measured: list[float], random: object) -> None:
    shuffled = list(measured)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, two = (judge(CLAIM, "whole", [1.0] * len(measured), told) for told in (measured, shuffled))
    assert one.verdict is two.verdict
    assert one.low == pytest.approx(two.low)


@settings(deadline=None)  # a busy machine is no fault of the code
@given(NUMBERS, st.floats(0.001, 5), st.floats(1, 10), st.sampled_from(["equals", "at_most", "at_least"]))
def test_a_wider_tolerance_never_turns_holds_into_gap(
    measured: list[float], within: float, wider: float, relation: Relation
) -> None:
    narrow = judge(replace(CLAIM, relation=relation, within=within), "whole", [0.0] * len(measured), measured)
    wide = judge(replace(CLAIM, relation=relation, within=within * wider), "whole", [0.0] * len(measured), measured)
    assert not (narrow.verdict is Verdict.HOLDS and wide.verdict is not Verdict.HOLDS)
    assert not (narrow.verdict is Verdict.INCONCLUSIVE and wide.verdict is Verdict.GAP)


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_interval_covers_the_truth_as_often_as_it_says(seeds: int) -> None:
    """4,000 sets of seeds with a true gap of 0.3: 95% of the intervals contain it, give or take 1%."""
    rng = np.random.default_rng(seeds)
    gaps = (judge(CLAIM, "whole", [1.0] * seeds, list(1.3 + 0.2 * rng.normal(size=seeds))) for _ in range(4_000))
    assert np.mean([gap.low <= 0.3 <= gap.high for gap in gaps]) == pytest.approx(0.95, abs=0.01)


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_false_holds_at_the_edge_are_rare(seeds: int) -> None:
    """A true gap that is just the tolerance passes for agreement in 5% of the cases at most."""
    rng = np.random.default_rng(100 + seeds)
    gaps = (judge(CLAIM, "whole", [1.0] * seeds, list(1.1 + 0.05 * rng.normal(size=seeds))) for _ in range(4_000))
    assert np.mean([gap.verdict is Verdict.HOLDS for gap in gaps]) <= 0.05
