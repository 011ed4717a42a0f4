"""Where linear TD(0) ends, how far from the best that is, and what a constant step adds to it under Markov sampling."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from labs.kit.mdp import linear

Array = NDArray[np.float64]


def fixed_point(discount: float) -> float:
    r"""Contrast of the second group and the fourth at the TD fixed point, on the ring of 50 states in five groups.

    $$w_{\mathrm{TD}}=A^{-1}b,\qquad A=X^\top D\,(I-\gamma P)\,X,\qquad b=X^\top D\,r$$

    With nothing to come, a group is worth the mean of its pay: states 10 to 19, and 30 to 39.

    >>> pay = np.sin(2 * np.pi * np.arange(50) / 50)
    >>> bool(np.isclose(fixed_point(discount=0.0), pay[10:20].mean() - pay[30:40].mean()))
    True
    >>> round(fixed_point(discount=0.95), 4)
    18.9529
    """
    moves, paid, features = linear.grouped_walk()
    return _contrast(linear.td_weights(moves, paid, features, discount))


def averaged_weights(discount: float, step_size: float) -> float:
    r"""The same contrast in the long-run mean of TD(0) with a constant step, where states follow each other.

    The weights and the state are not independent: both come from the same last steps. So their joint moments are what
    closes, m(s) = E[(1, w) 1{S = s}].

    $$m(s')=\sum_s P(s,s')\,B_{ss'}\,m(s),\qquad \mathbb{E}\,w=\sum_s m_w(s)\neq w_{\mathrm{TD}}$$

    A tiny step ends at the fixed point.

    >>> abs(averaged_weights(discount=0.95, step_size=1e-5) - fixed_point(discount=0.95)) < 0.01
    True
    >>> round(averaged_weights(discount=0.95, step_size=0.05), 4)
    20.7781
    """
    return _contrast(_stationary("walk", discount, step_size))


def averaged_weights_curve(step: int, discount: float, step_size: float, steps: int) -> float:
    """The mean over runs of the contrast after `step` steps."""
    return _contrast(_means("walk", discount, step_size, steps // 4)[step])


def biased_mean(discount: float, step_size: float) -> float:
    r"""Long-run mean of the constant feature's weight, on the ring of five states.

    $$\mathbb{E}\,w=w_{\mathrm{TD}}+\alpha\,\beta+O(\alpha^2)$$

    >>> round(biased_mean(discount=0.9, step_size=0.4), 4)               # the fixed point is 2
    1.7505
    >>> round(biased_mean(discount=0.9, step_size=1e-5), 4)
    2.0
    """
    return float(_stationary("ring", discount, step_size)[0])


def biased_mean_curve(step: int, discount: float, step_size: float, steps: int) -> float:
    """The mean over runs after `step` steps."""
    return float(_means("ring", discount, step_size, steps // 4)[step][0])


def halving() -> float:
    r"""By how much a step twice as large is more biased, to first order.

    $$\frac{\mathbb{E}\,w_{\alpha}-w_{\mathrm{TD}}}{\mathbb{E}\,w_{\alpha/2}-w_{\mathrm{TD}}}\to 2$$

    >>> halving()
    2.0
    """
    return 2.0


def extrapolated(discount: float) -> float:
    r"""The fixed point's weight of the constant feature: what Richardson's 2 E w(a/2) - E w(a) gives to first order.

    Each of five states is seen alike, one of them pays 1, and the cosine adds up to 0: the weight is the mean value.

    $$2\,\mathbb{E}\,w_{\alpha/2}-\mathbb{E}\,w_{\alpha}=w_{\mathrm{TD}}+O(\alpha^2),\qquad
    w_{\mathrm{TD}}=\frac{1/5}{1-\gamma}$$

    >>> round(extrapolated(discount=0.9), 12)
    2.0
    """
    return 0.2 / (1 - discount)


def book_bound(discount: float) -> float:
    r"""How many times the least value error the TD fixed point may have, by the book's bound.

    $$\overline{\mathrm{VE}}(w_{\mathrm{TD}})\;\le\;\frac1{1-\gamma}\,\min_w\overline{\mathrm{VE}}(w)$$

    >>> book_bound(discount=0.5)
    2.0
    """
    return 1 / (1 - discount)


def error_bound(discount: float) -> float:
    r"""The same, tighter: the part of the error within the features is at most g times the whole error (Pythagoras).

    $$\lVert v_{\mathrm{TD}}-v\rVert^2=\lVert\Pi v-v\rVert^2+\lVert\Pi\gamma P(v_{\mathrm{TD}}-v)\rVert^2
    \;\le\;\lVert\Pi v-v\rVert^2+\gamma^2\lVert v_{\mathrm{TD}}-v\rVert^2$$

    >>> round(error_bound(discount=0.5), 12) == round(4 / 3, 12)
    True
    """
    return 1 / (1 - discount**2)


def worst_case(discount: float) -> float:
    r"""The ratio of two states that swap places under the feature (c - m, c + m), which attains the bound.

    With d = (c + m, c - m) for the fixed point's error, P d is the feature: nothing is lost in projecting, and P keeps
    every length. And d - g P d is at right angles to P d, since their angle has the cosine g.

    $$\langle d,Pd\rangle=2(c^2-m^2)=\gamma\lVert d\rVert^2,\quad c^2=\tfrac{1+\gamma}2,\; m^2=\tfrac{1-\gamma}2
    \;\Rightarrow\;\frac{\overline{\mathrm{VE}}(w_{\mathrm{TD}})}{\min\overline{\mathrm{VE}}}=\frac1{1-\gamma^2}$$

    >>> root = np.array([(1 + 0.6) / 2, (1 - 0.6) / 2]) ** 0.5
    >>> feature, swap = np.array([[root[0] - root[1]], [root[0] + root[1]]]), np.array([[0.0, 1.0], [1.0, 0.0]])
    >>> round(linear.worst_error_ratio(swap, feature, 0.6), 9), round(worst_case(discount=0.6), 9)
    (1.5625, 1.5625)
    """
    return 1 / (1 - discount**2)


def _contrast(weights: Array) -> float:
    return float(weights[1] - weights[3])


def _step(problem: str, discount: float, step_size: float) -> sparse.csr_array:
    moves, paid, features = linear.grouped_walk() if problem == "walk" else linear.wave_ring()
    rewards = np.repeat(paid[:, None], len(paid), axis=1)
    return linear.moment_map(moves, linear.td_steps(features, rewards, discount, step_size))


def _stationary(problem: str, discount: float, step_size: float) -> Array:
    states = 50 if problem == "walk" else 5
    mean: Array = linear.stationary_moments(_step(problem, discount, step_size), states).sum(axis=0)
    return mean[1:]


@lru_cache
def _means(problem: str, discount: float, step_size: float, steps: int) -> Array:
    """E w after 0, 1, ... `steps` steps from weights of 0."""
    states, width = (50, 5) if problem == "walk" else (5, 2)
    start = linear.moments(np.full(states, 1 / states), np.eye(width + 1)[0])
    return linear.moments_after(_step(problem, discount, step_size), start, states, steps)[:, 1:]
