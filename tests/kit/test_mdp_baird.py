"""Baird's counterexample: closed forms against eigenvalues of the update written out, and against listing paths."""

from itertools import pairwise, product

import numpy as np
import pytest
from numpy.typing import NDArray

from labs.kit.mdp import baird

Array = NDArray[np.float64]


def _expected(discount: float) -> Array:
    """The matrix of the expected update, by state: solid has a chance of 1/7 and a ratio of 7, dashed a ratio of 0."""
    matrix = np.zeros((8, 8))
    for state in range(7):
        x, after = baird.FEATURES[state], baird.FEATURES[6]
        matrix += 1 / 7 * 1 / 7 * 7 * np.outer(x, discount * after - x)
    return matrix


@pytest.mark.parametrize("discount", [0.0, 0.5, 0.9, 0.95, 0.99, 1.0])
def test_rate_in_closed_form_is_the_eigenvalue_furthest_right(discount: float) -> None:
    """Of the eight eigenvalues one is 0: no state sees that weight. It is the largest where the rest is stable."""
    seen = np.linalg.eigvals(_expected(discount)).real.max()
    assert max(0.0, baird.expected_rate(discount).real) == pytest.approx(seen, abs=1e-7)


def test_rate_changes_its_sign_at_fifteen_seventeenths() -> None:
    assert baird.expected_rate(15 / 17 - 1e-9).real < 0 < baird.expected_rate(15 / 17 + 1e-9).real


def test_sweeps_of_a_finite_step_grow_a_little_earlier() -> None:
    """At 15/17 the eigenvalues are imaginary, so |1 + a lambda| = 1 where 49 (17 g - 15) = -182 a (1 - g)."""
    step = 0.3
    edge = (735 - 182 * step) / (833 - 182 * step)
    assert baird.sweep_growth(edge, step) == pytest.approx(0.0, abs=1e-12)
    assert edge < 15 / 17


def test_sweeps_grow_as_the_closed_form_says() -> None:
    matrix, weights = np.eye(8) + 0.1 * _expected(0.99), baird.START
    sizes = []
    for _ in range(3_000):
        weights = matrix @ weights
        sizes.append(np.linalg.norm(baird.FEATURES @ weights))
    assert np.log(sizes[-1] / sizes[-2]) == pytest.approx(baird.sweep_growth(0.99, 0.1))


@pytest.mark.parametrize("order", [1, 2])
def test_moments_are_what_listing_every_path_says(order: int) -> None:
    """343 paths of two steps, all as likely: only a step into the seventh state moves the weights."""
    expected = np.zeros(8**order)
    for path in product(range(7), repeat=3):
        w = baird.START
        for here, there in pairwise(path):
            x = baird.FEATURES[here]
            if there == 6:
                w = w + 0.1 * 7 * ((0.9 * baird.FEATURES[6] - x) @ w) * x
        expected += (w if order == 1 else np.kron(w, w)) / 343
    assert baird.td_moments(0.9, 0.1, 2, order)[2] == pytest.approx(expected)


def test_tdc_moments_are_what_listing_every_path_says() -> None:
    expected = np.zeros(16)
    for path in product(range(7), repeat=3):
        w, v = baird.START, np.zeros(8)
        for here, there in pairwise(path):
            x, after = baird.FEATURES[here], baird.FEATURES[6]
            if there == 6:
                error, seen = (0.9 * after - x) @ w, x @ v
                w = w + 0.05 * 7 * (error * x - 0.9 * after * seen)
                v = v + 0.2 * 7 * (error - seen) * x
        expected += np.append(w, v) / 343
    assert baird.tdc_moments(0.9, 0.05, 0.2, 2, 1)[2] == pytest.approx(expected)


def test_chain_visits_each_state_as_often_as_it_says() -> None:
    assert baird.share(0.4) @ baird.moves(0.4) == pytest.approx(baird.share(0.4))
    assert (baird.moves(0.4) * baird.ratios(0.4)).sum(axis=1) == pytest.approx(np.ones(7))
