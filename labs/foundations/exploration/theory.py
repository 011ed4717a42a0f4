"""What theory says of exploring: regret, exact rewards of rules, sizes of tests, tracking errors."""

from collections.abc import Callable, Sequence
from functools import cache
from math import log, pi, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import betainc, betaln

Array = NDArray[np.float64]

_nodes = cache(np.polynomial.legendre.leggauss)


def regret_bound(success_rates: Sequence[float], steps: int) -> float:
    r"""The most that UCB1 can lose in n pulls of two arms with rewards in [0, 1], whose means are `gap` apart.

    $$\mathbb{E}[\mathrm{Regret}_n] \le \frac{8\ln n}{\Delta} + \left(1+\frac{\pi^2}{3}\right)\Delta$$

    >>> round(regret_bound([1.0, 0.0], steps=1), 4)                 # ln 1 = 0, and pi^2 / 3 = 3.2899
    4.2899
    """
    return 8 * log(steps) / _gap(success_rates) + (1 + pi**2 / 3) * _gap(success_rates)


def regret_bound_curve(step: int, success_rates: Sequence[float]) -> float:
    """The same after `step` pulls."""
    return regret_bound(success_rates, step)


def index_balance(success_rates: Sequence[float], steps: int) -> float:
    r"""Regret of UCB1 if sample means were exact: the m pulls of the worse arm that make both indices equal.

    $$\sqrt{\frac{2\ln n}{m}} = \Delta + \sqrt{\frac{2\ln n}{n-m}},\qquad \mathrm{Regret}_n = m\Delta$$

    >>> gap = sqrt(log(10)) / 2             # = sqrt(2 ln 10) (1 / sqrt 2 - 1 / sqrt 8): two pulls of ten
    >>> round(index_balance([gap, 0.0], steps=10) / gap, 9)
    2.0
    """
    gap, bonus = _gap(success_rates), sqrt(2 * log(steps))
    return gap * float(brentq(lambda m: bonus / sqrt(m) - gap - bonus / sqrt(steps - m), 1e-9, steps / 2))


def index_balance_curve(step: int, success_rates: Sequence[float]) -> float:
    """The same after `step` pulls."""
    return index_balance(success_rates, step)


def regret_slope(success_rates: Sequence[float], slope_from: int, steps: int) -> float:
    r"""How much regret UCB1 adds for a unit of ln n, by the balance of its indices.

    $$\frac{\mathrm{Regret}_n - \mathrm{Regret}_{n_0}}{\ln n - \ln n_0} \;\longrightarrow\; \frac{2}{\Delta}$$

    >>> round(regret_slope([1.0, 0.0], slope_from=10**16, steps=10**17), 4)    # the limit
    2.0
    """
    return (index_balance(success_rates, steps) - index_balance(success_rates, slope_from)) / log(steps / slope_from)


def asymptotic_regret(success_rates: Sequence[float], steps: int) -> float:
    r"""The leading term of UCB1's regret.

    $$\mathrm{Regret}_n \approx \frac{2}{\Delta}\,\ln n$$

    >>> round(asymptotic_regret([1.0, 0.0], steps=8) / log(2), 9)   # 2 ln 8
    6.0
    """
    return 2 / _gap(success_rates) * log(steps)


def lai_robbins(success_rates: Sequence[float], steps: int) -> float:
    r"""The line that a consistent policy's regret is not under in the limit; KL is the worse coin's from the better.

    $$\liminf_{n\to\infty}\frac{\mathbb{E}[\mathrm{Regret}_n]}{\ln n} \ge \frac{\Delta}{\mathrm{KL}(p_2, p_1)}$$

    >>> round(lai_robbins([0.75, 0.25], steps=9), 9)                # KL = (ln 3) / 2 and the gap is 1/2
    2.0
    """
    worse, best = sorted(success_rates)
    divergence = worse * log(worse / best) + (1 - worse) * log((1 - worse) / (1 - best))
    return (best - worse) / divergence * log(steps)


def lai_robbins_curve(step: int, success_rates: Sequence[float]) -> float:
    """The same after `step` pulls."""
    return lai_robbins(success_rates, step)


def heuristic_value(policy: str, steps: int, epsilon: float) -> float:
    r"""What a rule that sees wins s and pulls n of two coins earns on average, if success rates are uniform.

    $$V = \sum_a \pi(a\mid s, n)\left[m_a\,(1+V^{+}_a) + (1-m_a)\,V^{-}_a\right],\qquad m_a=\frac{s_a+1}{n_a+2}$$

    >>> round(heuristic_value("posterior", steps=2, epsilon=0.1) * 12, 9)       # 1/2, then 2/3 if won, else 1/2: 13/12
    13.0
    """
    return _worth(steps, lambda first, second: _share(policy, first, second, epsilon))


def bayes_optimum(steps: int) -> float:
    r"""The most that any rule can earn on average in n pulls of two coins with uniform success rates.

    $$V^* = \max_a \left[m_a\,(1+V^{*+}_a) + (1-m_a)\,V^{*-}_a\right]$$

    >>> round(bayes_optimum(steps=2) * 12, 9)                       # with two pulls greedy is the best there is
    13.0
    """
    return _worth(steps, None)


def optimism_pays() -> float:
    r"""The least that UCB1 earns beyond greedy, by those who look at the limit alone.

    $$\mathrm{Regret}^{\mathrm{UCB1}}_n = O(\ln n),\qquad \mathrm{Regret}^{\mathrm{greedy}}_n = \Theta(n)$$

    >>> optimism_pays()
    0.0
    """
    return 0.0


def stopping_bound(gap: float, delta: float) -> float:
    r"""The fewest samples, on average, of a test between two arms of N(., 1) that errs with probability delta at most.

    $$\mathbb{E}[\tau] \ge \frac{8}{\Delta^2}\ln\frac{1}{2.4\,\delta}$$

    >>> round(stopping_bound(gap=2.0, delta=0.1 / 2.4) / log(10), 9)           # 8 / 4 ln 10
    2.0
    """
    return 8 / gap**2 * log(1 / (2.4 * delta))


def stopping_time(gap: float, delta: float) -> float:
    r"""The same bound, taken for what a good test needs.

    $$\mathbb{E}[\tau] \approx \frac{8}{\Delta^2}\ln\frac{1}{2.4\,\delta}$$

    >>> stopping_time(gap=2.0, delta=1 / 2.4)                       # such a test may as well guess
    0.0
    """
    return stopping_bound(gap, delta)


def error_share(delta: float) -> float:
    r"""The share of tests that name the wrong arm: what the test was built for.

    $$P(\hat a \ne a^*) \le \delta$$

    >>> error_share(delta=0.05)
    0.05
    """
    return delta


def tracking_error(estimator: str, steps: int, step_size: float, drift_sd: float, reward_sd: float) -> float:
    r"""Mean squared error, after t rewards, of an estimate of an arm that begins at 0 like the estimate and walks.

    $$\frac{\sigma_w^2 (t-1)(2t-1)}{6t} + \frac{\sigma^2}{t}\ \text{(average)},\qquad
    P\left(1-(1-\alpha)^{2t}\right),\ P=\frac{(1-\alpha)^2\sigma_w^2+\alpha^2\sigma^2}{1-(1-\alpha)^2}$$

    >>> tracking_error("average", steps=2, step_size=0.1, drift_sd=1.0, reward_sd=1.0)    # 1/4 walked, 1/2 noise
    0.75
    """
    if estimator == "average":
        return drift_sd**2 * (steps - 1) * (2 * steps - 1) / (6 * steps) + reward_sd**2 / steps
    kept = (1 - step_size) ** 2
    return (kept * drift_sd**2 + step_size**2 * reward_sd**2) / (1 - kept) * (1 - kept**steps)


def tracking_error_curve(step: int, estimator: str, step_size: float, drift_sd: float, reward_sd: float) -> float:
    """The same after `step` rewards."""
    return tracking_error(estimator, step, step_size, drift_sd, reward_sd)


def constant_wins() -> float:
    r"""The least by which the sample average is worse, by those who do not ask after how many rewards.

    $$\lim_{t\to\infty}\frac{\sigma_w^2\,t}{3} = \infty$$

    >>> constant_wins()
    0.0
    """
    return 0.0


def kalman_floor(steps: int, drift_sd: float, reward_sd: float) -> float:
    r"""The least mean squared error after t rewards that any estimate can have, of an arm known to begin at 0.

    $$\frac{1}{P_t} = \frac{1}{P_{t-1}+\sigma_w^2} + \frac{1}{\sigma^2},\qquad P_0 = 0$$

    >>> kalman_floor(steps=1, drift_sd=1.0, reward_sd=1.0)          # half of the step's variance is left
    0.5
    """
    error = 0.0
    for _ in range(steps):
        error = 1 / (1 / (error + drift_sd**2) + 1 / reward_sd**2)
    return error


def kalman_floor_curve(step: int, drift_sd: float, reward_sd: float) -> float:
    """The same after `step` rewards."""
    return kalman_floor(step, drift_sd, reward_sd)


def _gap(success_rates: Sequence[float]) -> float:
    return max(success_rates) - min(success_rates)


def _worth(steps: int, first_share: Callable[[int, int], Array] | None) -> float:
    """Backwards over every count: `first_share` of the pulls go to the first arm, or whichever is better where None."""
    after = [np.zeros((n + 1, steps - n + 1)) for n in range(steps + 1)]
    for pulled in range(steps - 1, -1, -1):
        now = []
        for first in range(pulled + 1):
            mean = (np.arange(first + 1)[:, None] + 1) / (first + 2)
            other = (np.arange(pulled - first + 1) + 1) / (pulled - first + 2)
            one = mean * (1 + after[first + 1][1:]) + (1 - mean) * after[first + 1][:-1]
            two = other * (1 + after[first][:, 1:]) + (1 - other) * after[first][:, :-1]
            share = (one > two) if first_share is None else first_share(first, pulled - first)
            now.append(two + share * (one - two))
        after = now
    return float(after[0][0, 0])


def _share(policy: str, first: int, second: int, epsilon: float) -> Array:
    """Chance of pulling the first arm, by wins of the first x wins of the second."""
    wins, others = np.arange(first + 1.0)[:, None], np.arange(second + 1.0)
    if policy == "thompson":
        return _beats(first, second)
    if policy == "posterior":
        lead = (wins + 1) * (second + 2) - (others + 1) * (first + 2)
    elif not first or not second:
        return np.full((first + 1, second + 1), 0.0 if first else 1.0)
    elif policy == "ucb1":
        bonus = 2 * log(first + second)
        lead = (wins / first + sqrt(bonus / first)) - (others / second + sqrt(bonus / second))
    else:
        lead = wins * second - others * first
    greedy: Array = (np.sign(lead) + 1) / 2
    return (1 - epsilon) * greedy + epsilon / 2 if policy == "epsilon" else greedy


def _beats(first: int, second: int) -> Array:
    """P(X > Y) for the posteriors of both arms: a polynomial's integral, which Gauss and Legendre do without error."""
    node, weight = _nodes((first + second) // 2 + 2)
    x, wins, others = (node + 1) / 2, np.arange(first + 1)[:, None], np.arange(second + 1)[:, None]
    density = np.exp(wins * np.log(x) + (first - wins) * np.log1p(-x) - betaln(1 + wins, 1 + first - wins))
    return np.asarray((density * weight / 2) @ betainc(1 + others, 1 + second - others, x).T, dtype=np.float64)
