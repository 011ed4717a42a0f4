"""What is promised of a step that stays near the old policy, and what PPO's clip promises."""

from math import log

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def improvement_bound() -> float:
    r"""The least that the improvement exceeds its guarantee by, anywhere along the ray: at the start both are 0.

    $$J(\pi')-J(\pi)\;\ge\;\sum_s\rho(s)\sum_a\pi'(a|s)A(s,a)-\frac{4\varepsilon\gamma}{(1-\gamma)^2}\alpha^2,\qquad
    \varepsilon=\max_{s,a}|A|,\quad \alpha=\max_s D_{TV}(\pi'\|\pi)[s]$$

    >>> improvement_bound()
    0.0
    """
    return 0.0


def improvement_bound_curve(step: int, moves: Array, pay: Array, policy: Array, discount: float, unit: float) -> float:
    """What the guarantee promises at that step, mean over problems.

    One state and two actions that pay 1 and -1, alike likely, nothing that follows counts: tanh(t).

    >>> round(improvement_bound_curve(10, *_COIN, discount=0.0, unit=0.1), 6)      # tanh 1
    0.761594
    """
    worth, share = _surroundings(moves, pay, policy, discount)
    apart, better = _step(step * unit, worth, policy)
    penalty = 4 * np.abs(worth).max(axis=(1, 2)) * discount * apart.max(axis=1) ** 2 / (1 - discount) ** 2
    return float((np.sum(share * better, axis=1) / (1 - discount) - penalty).mean())


def average_bound() -> float:
    r"""The same for Achiam's guarantee, which averages the divergence over the states that the old policy visits.

    $$J(\pi')-J(\pi)\;\ge\;\frac{1}{1-\gamma}\,\mathbb{E}_{s\sim d}\Big[\sum_a\pi'(a|s)A(s,a)
    -\frac{2\gamma\,\varepsilon'}{1-\gamma}D_{TV}(\pi'\|\pi)[s]\Big],\qquad
    \varepsilon'=\max_s\Big|\sum_a\pi'(a|s)A(s,a)\Big|$$

    >>> average_bound()
    0.0
    """
    return 0.0


def average_bound_curve(step: int, moves: Array, pay: Array, policy: Array, discount: float, unit: float) -> float:
    """What that guarantee promises at that step, mean over problems: for the coin the same, where nothing follows.

    >>> round(average_bound_curve(10, *_COIN, discount=0.0, unit=0.1), 6)      # tanh 1
    0.761594
    """
    worth, share = _surroundings(moves, pay, policy, discount)
    apart, better = _step(step * unit, worth, policy)
    penalty = 2 * discount * np.abs(better).max(axis=1) * np.sum(share * apart, axis=1) / (1 - discount) ** 2
    return float((np.sum(share * better, axis=1) / (1 - discount) - penalty).mean())


def certified_share() -> float:
    r"""Share of the best improvement along the ray that the certified step brings, if the guarantee were one to use.

    $$\frac{J(\pi_{t^*})-J(\pi)}{\max_t J(\pi_t)-J(\pi)}=1$$

    >>> certified_share()
    1.0
    """
    return 1.0


def average_gain(moves: Array, pay: Array, policy: Array, discount: float) -> float:
    r"""How many times as much the step that Achiam's guarantee certifies brings as TRPO's, mean over problems.

    Both steps are short, so the improvement is G t, and the penalties are quadratic: with tau(s) = E|A|/2 and
    v(s) = E A^2 under the old policy, alpha is t max tau, Achiam's average divergence t E tau, and its eps' is t max v.
    The best t of G t - c t^2 is G/2c.

    $$\frac{t_{\mathrm{avg}}}{t_{\mathrm{max}}}=\frac{c_{\max}}{c_{\mathrm{avg}}}
    =\frac{2\,\varepsilon\,(\max_s\tau)^2}{\max_s v\;\mathbb{E}_{s\sim d}\,\tau}$$

    The coin: eps = 1, tau = 1/2, v = 1, and one state is its own average.

    >>> average_gain(*_COIN, discount=0.9)
    1.0
    """
    worth, share = _surroundings(moves, pay, policy, discount)
    apart, square = np.sum(policy * np.abs(worth), axis=2) / 2, np.sum(policy * worth**2, axis=2)
    largest = 2 * np.abs(worth).max(axis=(1, 2)) * apart.max(axis=1) ** 2
    return float((largest / (square.max(axis=1) * np.sum(share * apart, axis=1))).mean())


def clip_keeps() -> float:
    r"""Share of the batch whose ratio lies outside the clip range, if clipping the ratio kept it there.

    $$\Pr\big(|r-1|>\epsilon\big)=0,\qquad r=\frac{\pi(a|s)}{\pi_{\mathrm{old}}(a|s)}$$

    >>> clip_keeps()
    0.0
    """
    return 0.0


def clip_keeps_curve(step: int) -> float:
    """The same after every step."""
    return 0.0


def largest_ratio(clip: float) -> float:
    r"""The largest ratio there can be, if clipping the ratio kept it there.

    $$\max_{s,a} r(s,a) = 1+\epsilon$$

    >>> largest_ratio(clip=0.2)
    1.2
    """
    return 1 + clip


def clip_divergence(clip: float) -> float:
    r"""The largest divergence from the old policy, if clipping the ratio kept it in the clip range.

    Ratios average to 1 under the old policy and -log is convex, so the divergence is largest where half of the
    probability stands at either end of the range.

    $$\mathrm{KL}(\pi_{\mathrm{old}}\|\pi)=\mathbb{E}[-\log r]\le-\tfrac12\log(1-\epsilon)-\tfrac12\log(1+\epsilon)
    =-\tfrac12\log(1-\epsilon^2)$$

    >>> round(clip_divergence(clip=0.6), 6)                   # 1 - 0.36 = 0.8^2, so -log 0.8
    0.223144
    """
    return -log(1 - clip**2) / 2


def overshoot(rare: float, clip: float) -> float:
    r"""Where the ratio of the better of two actions ends that the old policy takes with probability `rare`.

    It is clipped at 1 + eps, and then pulls no more; but the other is pushed down until its own ratio is 1 - eps, and
    what it loses the better one gains: 1 - (1 - p)(1 - eps) = p + eps (1 - p).

    $$r=\max\Big(1+\epsilon,\;1+\epsilon\,\frac{1-p}{p}\Big)$$

    >>> overshoot(rare=0.1, clip=0.2)                         # 1 - 0.9 * 0.8 = 0.28
    2.8
    """
    return max(1 + clip, 1 + clip * (1 - rare) / rare)


_COIN = np.ones((1, 2, 1, 1)), np.array([[[1.0], [-1.0]]]), np.full((1, 1, 2), 0.5)
"""Moves, pay and policy of one problem with one state."""


def _surroundings(moves: Array, pay: Array, policy: Array, discount: float) -> tuple[Array, Array]:
    """Advantages (problems x states x actions), and the discounted share of time spent in each state."""
    live = np.eye(policy.shape[1]) - discount * np.einsum("psa,past->pst", policy, moves)
    value = np.linalg.solve(live, np.einsum("psa,pas->ps", policy, pay)[..., None])
    worth = np.swapaxes(pay + discount * (moves @ value[:, None])[..., 0], 1, 2) - value
    start = np.full_like(value, 1 / policy.shape[1])
    return worth, (1 - discount) * np.linalg.solve(np.swapaxes(live, 1, 2), start)[..., 0]


def _step(size: float, worth: Array, policy: Array) -> tuple[Array, Array]:
    """Divergence in each state, and the advantage there on average, after a step along the natural gradient."""
    raised = policy * np.exp(size * (worth - worth.max(axis=2, keepdims=True)))
    new = raised / raised.sum(axis=2, keepdims=True)
    return np.abs(new - policy).sum(axis=2) / 2, (new * worth).sum(axis=2)
