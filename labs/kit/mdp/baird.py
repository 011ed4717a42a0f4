r"""Baird's counterexample (Sutton and Barto 2018, Example 11.1): the problem, and its exact divergence.

Seven states, eight weights. Solid leads to the seventh state, dashed to one of the first six at random, from wherever
one is; nothing is ever paid. The target policy is solid always, the behaviour solid with a chance of 1/7.
"""

import cmath
from functools import lru_cache
from math import log

import numpy as np
from numpy.typing import NDArray

from labs.kit.mdp.linear import moment_map, moments, moments_after, td_steps, tdc_steps

Array = NDArray[np.float64]

STATES, SOLID = 7, 6
"""How many states there are, and the one that solid leads to."""
FEATURES: Array = np.hstack([np.diag([2.0] * 6 + [1.0]), np.array([[1.0]] * 6 + [[2.0]])])
"""2 w_i + w_8 for the first six, w_7 + 2 w_8 for the seventh."""
START: Array = np.array([1.0, 1, 1, 1, 1, 1, 10, 1])
"""The weights that the book starts from."""


def moves(solid: float = 1 / 7) -> Array:
    """The chain under a behaviour that is solid with this chance: every row alike, so each state is drawn afresh."""
    return np.tile(share(solid), (STATES, 1))


def share(solid: float = 1 / 7) -> Array:
    """How much of the time that behaviour spends in each state."""
    return np.append(np.full(6, (1 - solid) / 6), solid)


def ratios(solid: float = 1 / 7) -> Array:
    """Importance ratios, from state to state: the next state tells which action was taken."""
    told = np.zeros((STATES, STATES))
    told[:, SOLID] = 1 / solid
    return told


def steps(discount: float, step_size: float) -> Array:
    """What off-policy TD(0) does to the weights on the way from a state to another: states x states x 8 x 8."""
    return td_steps(FEATURES, np.zeros((STATES, STATES)), discount, step_size, ratios())[:, :, 1:, 1:]


@lru_cache
def td_moments(discount: float, step_size: float, steps_taken: int, order: int) -> Array:
    """E w, or with order 2 E[w (x) w], after each step of sampled off-policy TD(0) from where the book starts."""
    return _moments(steps(discount, step_size), START, steps_taken, order)


@lru_cache
def tdc_moments(discount: float, step_size: float, second_step: float, steps_taken: int, order: int) -> Array:
    """The same of TD with gradient correction, for (w, v)."""
    nothing = np.zeros((STATES, STATES))
    moved = tdc_steps(FEATURES, nothing, discount, step_size, second_step, ratios())[:, :, 1:, 1:]
    return _moments(moved, np.append(START, np.zeros(8)), steps_taken, order)


def _moments(moved: Array, start: Array, steps_taken: int, order: int) -> Array:
    return moments_after(moment_map(moves(), moved, order), moments(share(), start, order), STATES, steps_taken)


def expected_rate(discount: float) -> complex:
    r"""The eigenvalue furthest to the right of the expected update, w <- w + a A w, in closed form.

    The first six states share a value u, the seventh has z; with states weighed alike these two move by the matrix
    [[-10, 12 g - 2], [-12, 17 g - 5]] / 7, whose trace is (17 g - 15) / 7 and whose determinant is 26 (1 - g) / 49.
    Differences between the six decay with -4/7, the weight that no state sees stays.
    """
    trace, determinant = (17 * discount - 15) / 7, 26 * (1 - discount) / 49
    return (trace + cmath.sqrt(trace**2 - 4 * determinant)) / 2


def sweep_growth(discount: float, step_size: float) -> float:
    """Log growth a sweep of the expected update with this step: log |1 + a lambda|."""
    return log(abs(1 + step_size * expected_rate(discount)))
