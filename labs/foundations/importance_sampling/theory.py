"""What theory says of importance sampling: tails and slopes, exact biases and errors, a hand of blackjack."""

from collections.abc import Sequence
from math import log2

import numpy as np
from numpy.typing import NDArray

from labs.kit.mdp import blackjack

Array = NDArray[np.float64]

HAND, SHOWING = (13, True), 2
"""Example 5.4: the player holds 13 with a usable ace, the dealer shows a deuce."""


def error_slope(stay: float) -> float:
    r"""Slope of the log of the error in the log of n, for returns weighed by ratios that double with every step.

    $$P(\rho > x) \sim x^{-\alpha},\quad \alpha = 1+\log_2\tfrac1q,\qquad |\bar X_n - 1| \sim n^{1/\min(\alpha,\,2)-1}$$

    >>> error_slope(stay=0.25)                                 # alpha = 3: a finite variance
    -0.5
    >>> round(error_slope(stay=0.9), 6)
    -0.131947
    """
    return 1 / min(1 + log2(1 / stay), 2) - 1


def error_slope_curve(step: int, stay: float, slope_from: int, error_from: float) -> float:
    """A line of that slope, through the error measured at the step from which the slope is."""
    return float(error_from * (step / slope_from) ** error_slope(stay))


def coverage() -> float:
    r"""Share of intervals of 1.96 standard errors that cover the truth, by the central limit theorem.

    $$P\left(|\bar X_n - \mu| \le 1.96\,\frac{s_n}{\sqrt n}\right) \to 0.95$$

    >>> coverage()
    0.95
    """
    return 0.95


def median_estimate() -> float:
    r"""Where estimates lie that are right on average: each all-left episode of k + 1 steps returns 1.

    $$\mathbb{E}[\rho\,G] = \sum_k 2^{k+1}\cdot\left(\tfrac q2\right)^k\tfrac{1-q}{2} = 1$$

    >>> median_estimate()
    1.0
    """
    return 1.0


def median_estimate_curve(step: int) -> float:
    """The same at every n."""
    return median_estimate()


def weighted_exact() -> float:
    r"""Error of the weighted estimate once a ratio is not 0, if every return that has weight is 1.

    $$\frac{\sum_i \rho_i G_i}{\sum_i \rho_i} = \frac{\sum_i \rho_i}{\sum_i \rho_i} = 1$$

    >>> weighted_exact()
    0.0
    """
    return 0.0


def weighted_bias(target: Sequence[float], behaviour: Sequence[float], returns: Sequence[float], samples: int) -> float:
    r"""Bias of the weighted estimate from n samples, exact, because 1 / x is the integral of exp(-tx).

    $$\mathbb{E}\left[\frac{\sum\rho_i G_i}{\sum\rho_i}\right] - v
    = n\int_0^\infty \mathbb{E}\left[\rho G e^{-t\rho}\right]\,\mathbb{E}\left[e^{-t\rho}\right]^{n-1}dt - v$$

    One sample: the ratio cancels, and the mean is the behaviour policy's value, here 0 where the target's is 1/2.

    >>> round(weighted_bias([0.75, 0.25], [0.5, 0.5], [1.0, -1.0], samples=1), 9)
    -0.5
    >>> round(weighted_bias([0.8, 0.1, 0.1], [0.1, 0.3, 0.6], [1.0, 0.0, -1.0], samples=10), 6)
    -0.380945
    """
    return _weighted_moments(*_law(target, behaviour, returns), samples)[0] - float(np.dot(target, returns))


def bias_rate(target: Sequence[float], behaviour: Sequence[float], returns: Sequence[float], samples: int) -> float:
    r"""First term of that bias in 1 / n, by the delta method.

    $$-\frac{\mathbb{E}\left[\rho^2\,(G-v)\right]}{n}$$

    Left pays 1 and right pays -1. The target goes left in 3 of 4, so v = 1/2; a coin gives ratios 3/2 and 1/2.

    >>> bias_rate([0.75, 0.25], [0.5, 0.5], [1.0, -1.0], samples=1)    # -(9/4 * 1/2 - 1/4 * 3/2) / 2
    -0.375
    """
    chance, ratio, paid = _law(target, behaviour, returns)
    return -float(chance @ (ratio**2 * (paid - np.dot(target, returns)))) / samples


def blackjack_value() -> float:
    r"""Worth of the hand for a player who sticks on 20 and 21, summed over all hands and all of the dealer's totals.

    $$v = \sum_{k,\,G} P_\pi(k \text{ decisions},\, G)\; G$$

    >>> round(blackjack_value(), 6)                            # the book's 10^8 episodes say -0.27726 (+- 0.00009)
    -0.277204
    """
    return blackjack.moment(HAND, SHOWING, power=1)


def ratio_variance() -> float:
    r"""Variance of one episode's rho G under a coin: each of its k decisions has ratio 2.

    $$\mathrm{Var}(\rho G) = \sum_{k,\,G} P_\pi(k, G)\; 2^k\, G^2 - v^2$$

    >>> round(ratio_variance(), 4)
    10.1562
    """
    return blackjack.moment(HAND, SHOWING, power=2) - blackjack_value() ** 2


def ordinary_mse(
    experiment: str, target: Sequence[float], behaviour: Sequence[float], returns: Sequence[float], samples: int
) -> float:
    r"""Mean squared error of the mean of n independent rho G.

    $$\frac{\mathrm{Var}(\rho G)}{n}$$

    >>> ordinary_mse("bandit", [0.75, 0.25], [0.5, 0.5], [1.0, -1.0], samples=4)    # 3/2 or -1/2 by a coin: variance 1
    0.25
    """
    chance, ratio, paid = _law_of(experiment, target, behaviour, returns)
    return float(chance @ (ratio * paid) ** 2 - (chance @ (ratio * paid)) ** 2) / samples


def ordinary_mse_curve(
    step: int, experiment: str, target: Sequence[float], behaviour: Sequence[float], returns: Sequence[float]
) -> float:
    """The same from `step` episodes."""
    return ordinary_mse(experiment, target, behaviour, returns, step)


def weighted_mse(
    experiment: str, target: Sequence[float], behaviour: Sequence[float], returns: Sequence[float], samples: int
) -> float:
    r"""Mean squared error of the weighted estimate W from n samples, exact; W is 0 where all ratios are.

    $$\mathbb{E}[W^2] = \int_0^\infty t\left(n\,\mathbb{E}[\rho^2G^2e^{-t\rho}]\,\varphi^{n-1}
    + n(n-1)\,\mathbb{E}[\rho Ge^{-t\rho}]^2\,\varphi^{n-2}\right)dt,\quad \varphi = \mathbb{E}[e^{-t\rho}]$$

    One sample is its own estimate, 1 or -1 by a coin, where v = 1/2: errors 1/2 and 3/2.

    >>> round(weighted_mse("bandit", [0.75, 0.25], [0.5, 0.5], [1.0, -1.0], samples=1), 9)
    1.25
    """
    chance, ratio, paid = _law_of(experiment, target, behaviour, returns)
    value = float(chance @ (ratio * paid))
    mean, square = _weighted_moments(chance, ratio, paid, samples)
    return square - 2 * value * mean + value**2


def weighted_mse_curve(
    step: int, experiment: str, target: Sequence[float], behaviour: Sequence[float], returns: Sequence[float]
) -> float:
    """The same from `step` episodes."""
    return weighted_mse(experiment, target, behaviour, returns, step)


def _law_of(
    experiment: str, target: Sequence[float], behaviour: Sequence[float], returns: Sequence[float]
) -> tuple[Array, Array, Array]:
    """Chance under the behaviour policy, ratio and return of every kind of episode whose ratio may not be 0."""
    if experiment == "bandit":
        return _law(target, behaviour, returns)
    table = blackjack.law(HAND, SHOWING)
    ratio = np.repeat(2.0 ** np.arange(len(table)), len(blackjack.RETURNS))
    return table.ravel() / ratio, ratio, np.tile(blackjack.RETURNS, len(table))


def _law(target: Sequence[float], behaviour: Sequence[float], returns: Sequence[float]) -> tuple[Array, Array, Array]:
    return np.array(behaviour), np.divide(target, behaviour), np.array(returns)


def _weighted_moments(chance: Array, ratio: Array, paid: Array, samples: int) -> tuple[float, float]:
    """E[W] and E[W^2] by the trapezoid rule in log t, which is exact to rounding for integrands as smooth as these."""
    t, width = np.exp(np.arange(-30, 10, 0.02)), 0.02
    decay = np.exp(-np.outer(t, ratio))
    every, some, square = (decay @ (chance * factor) for factor in (1.0, ratio * paid, (ratio * paid) ** 2))
    every += 1 - chance.sum()  # episodes of ratio 0
    pairs = (samples - 1) * some**2 * every ** max(samples - 2, 0)
    mean = samples * np.sum(t * some * every ** (samples - 1)) * width
    return float(mean), float(samples * np.sum(t**2 * (square * every ** (samples - 1) + pairs)) * width)
