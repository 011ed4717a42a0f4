"""How errors grow with the horizon 1 / (1 - discount), and what discounting cannot change."""

from functools import cache
from math import log, pi, sqrt

import numpy as np
from scipy.special import gammaln, xlog1py, xlogy


def value_error(horizons: tuple[int, ...], samples: int) -> float:
    r"""RMS error of the value of a model estimated from n samples, at the longest horizon: the binomial sum, exactly.

    $$\mathbb{E}\Big[\Big(\frac{1}{1-\gamma K/n} - \frac{1}{1-\gamma p}\Big)^2\Big],\qquad K\sim\mathrm{Bin}(n,p),\quad
    p = \frac{4\gamma-1}{3\gamma}$$

    One sample at discount 1/2: p = 2/3, so the value is seen as 1 or 2 where it is 3/2.

    >>> round(value_error((2,), samples=1), 12)
    0.5
    """
    discount, stay = _hard(horizons[-1])
    stays = np.arange(samples + 1)
    ways = gammaln(samples + 1) - gammaln(stays + 1) - gammaln(samples - stays + 1)
    chance = np.exp(ways + xlogy(stays, stay) + xlog1py(samples - stays, -stay))
    off = 1 / (1 - discount * stays / samples) - 1 / (1 - discount * stay)
    return float(np.sqrt(chance @ off**2))


def minimax_slope() -> float:
    r"""Growth of that error with the horizon, log against log: 3/2, the least that any estimator can promise.

    $$\mathrm{sd} \approx \frac{\gamma}{(1-\gamma p)^2}\sqrt{\frac{p(1-p)}{n}}
    = \frac{3}{16}\sqrt{\frac{4\gamma-1}{n}}\,(1-\gamma)^{-3/2}$$

    A horizon four times as long, where discounts are near 1: eight times the error.

    >>> round(minimax_slope_curve(4_000_000, 1) / minimax_slope_curve(1_000_000, 1), 3), 4 ** minimax_slope()
    (8.0, 8.0)
    """
    return 1.5


def minimax_slope_curve(step: int, samples: int) -> float:
    """The error at a horizon of `step`, to first order in the model's error (the delta method)."""
    discount, _ = _hard(step)
    return float(3 / 16 * sqrt((4 * discount - 1) / samples) * step**1.5)


def worst_case_slope() -> float:
    r"""The growth that the simulation lemma promises when it is fed with Hoeffding's bound on the model's error.

    $$|\hat v - v| \le \frac{\gamma\,\|\hat P-P\|_1}{(1-\gamma)^2} \le
    \frac{2\gamma}{(1-\gamma)^2}\sqrt{\frac{\ln(2/\delta)}{2n}}$$

    >>> far, near = (worst_case_slope_curve(step, 1, confidence=0.95) for step in (2_000_000, 1_000_000))
    >>> round(far / near, 4), 2 ** worst_case_slope()
    (4.0, 4.0)
    """
    return 2.0


def worst_case_slope_curve(step: int, samples: int, confidence: float) -> float:
    """The bound at a horizon of `step`."""
    return 2 * _hard(step)[0] * step**2 * sqrt(log(2 / (1 - confidence)) / (2 * samples))


def lemma_looseness() -> float:
    r"""The simulation lemma's bound, fed with the model's true error, over the true error of the value.

    To first order the value is off by gamma |dp| / (1 - gamma p)^2, with 1 - gamma p = 4/3 (1 - gamma). Both of the two
    chances are off by |dp|.

    $$\frac{2\gamma|dp|/(1-\gamma)^2}{\gamma|dp|/(1-\gamma p)^2} = 2\Big(\frac43\Big)^2 = \frac{32}{9}$$

    >>> lemma_looseness() * 9
    32.0
    """
    return 32 / 9


def lemma_looseness_curve(step: int, samples: int) -> float:
    """The lemma's mean bound at a horizon of `step`: a normal error's mean size is sqrt(2 / pi) of its sd."""
    return lemma_looseness() * sqrt(2 / pi) * minimax_slope_curve(step, samples)


def td_slope(horizons: tuple[int, ...], budget: float) -> float:
    r"""Growth of TD's RMS error with the horizon H, where it has budget x H^3 samples: it tends to 0.

    An update is V <- (1 - a) V + a (1 + gamma B V), B = 1 with probability p, so first and second moments are exact:

    $$\mathbb{E}V \leftarrow (1-a)\,\mathbb{E}V + a\,(1 + \gamma p\,\mathbb{E}V),\qquad
    \mathbb{E}V^2 \leftarrow p\,\mathbb{E}\big[((1-a+a\gamma)V+a)^2\big] + (1-p)\,\mathbb{E}\big[((1-a)V+a)^2\big]$$

    One sample at discount 1/2 is a step of 2/3 from 0 to 2/3, where the value is 3/2. The slope fades as horizons grow:

    >>> round(td_slope_curve(2, budget=1 / 8), 12)                    # 3/2 - 2/3
    0.833333333333
    >>> abs(td_slope((60, 80), budget=0.5)) < 0.02
    True
    """
    return float(np.polyfit(np.log(horizons), [log(_td_error(horizon, budget)) for horizon in horizons], 1)[0])


def td_slope_curve(step: int, budget: float) -> float:
    """TD's RMS error at a horizon of `step`."""
    return _td_error(step, budget)


def extra_horizon() -> float:
    r"""The same growth for Q-learning with two actions: half a power of the horizon more, all of it overestimation.

    $$T \propto \frac{1}{(1-\gamma)^4\varepsilon^2}\ \text{ against }\ \frac{1}{(1-\gamma)^3\varepsilon^2}
    \quad\Rightarrow\quad \varepsilon \propto H^{1/2}\ \text{ at } T \propto H^3$$

    >>> round(extra_horizon_curve(400_000, budget=5) / extra_horizon_curve(100_000, budget=5), 4), 4 ** extra_horizon()
    (2.0, 2.0)
    """
    return 0.5


def extra_horizon_curve(step: int, budget: float) -> float:
    """Q-learning's overestimation at a horizon of `step`."""
    return overestimate((step,), budget)


def overestimate(horizons: tuple[int, ...], budget: float) -> float:
    r"""By how much the larger of two equal actions is overestimated after t = budget x H^3 updates, H being long.

    An update's noise has variance 3H/16. The difference D of the two forgets at the rate H/t, so its variance is
    3 H^2 / (16 t), and the larger one is b / sqrt(t) = E|D|/2 above their mean. That feeds the error e of the mean,
    which shrinks at the rate 1 - gamma p = 4 / (3H):

    $$\dot e = \frac{H}{t}\Big(\frac{b}{\sqrt t} - \frac{4}{3H}\,e\Big),\quad b = \frac{\sqrt3}{8}\sqrt{\frac2\pi}\,H
    \quad\Rightarrow\quad e + \frac{b}{\sqrt t} = \Big(\frac65 H + 1\Big)\frac{b}{\sqrt t}$$

    At a budget of 3 / (32 pi) samples b / sqrt(t) is 1 / sqrt(H), and so with H = 1:

    >>> round(overestimate((1,), budget=3 / (32 * pi)), 12)           # 6/5 + 1
    2.2
    """
    horizon = horizons[-1]
    above_mean = sqrt(3) / 8 * sqrt(2 / (pi * budget * horizon))
    return (6 / 5 * horizon + 1) * above_mean


def futility() -> float:
    r"""Largest distance of a discounted value, averaged over the states visited, from reward / (1 - gamma).

    $$\sum_s \mu_\pi(s)\,v_\pi^\gamma(s) = \mu_\pi^{\!\top}(I-\gamma P_\pi)^{-1} r_\pi
    = \frac{\mu_\pi^{\!\top} r_\pi}{1-\gamma},\qquad \mu_\pi^{\!\top}P_\pi = \mu_\pi^{\!\top}$$

    >>> futility()
    0.0
    """
    return 0.0


def rank_changes() -> float:
    r"""Share of pairs of policies that discounting puts into another order than their reward a step does.

    $$\frac{r(\pi)}{1-\gamma} > \frac{r(\pi')}{1-\gamma} \iff r(\pi) > r(\pi')$$

    >>> rank_changes()
    0.0
    """
    return 0.0


def _hard(horizon: int) -> tuple[float, float]:
    """Discount and chance to stay of the hard instance (Azar, Munos and Kappen 2013)."""
    discount = 1 - 1 / horizon
    return discount, (4 * discount - 1) / (3 * discount)


@cache
def _td_error(horizon: int, budget: float) -> float:
    discount, stay = _hard(horizon)
    first, second = 0.0, 0.0
    for step in range(1, round(budget * horizon**3) + 1):
        size = 1 / (1 + step / horizon)
        kept, lost = 1 - size + size * discount, 1 - size
        second = (
            (stay * kept * kept + (1 - stay) * lost * lost) * second
            + 2 * size * (stay * kept + (1 - stay) * lost) * first
            + size * size
        )
        first = lost * first + size * (1 + discount * stay * first)
    value = 1 / (1 - discount * stay)
    return sqrt(second - 2 * value * first + value * value)
