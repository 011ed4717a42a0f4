"""How fast the softmax policy gradient of a bandit ascends: bounds, and the whole path of small steps, solved."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import exp

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad, solve_ivp
from scipy.optimize import brentq

Array = NDArray[np.float64]


def rate() -> float:
    r"""Slope of log suboptimality in log t, late: the best arm's preference grows like log t, so errors fall like 1/t.

    $$r^* - \pi_t\cdot r \;\to\; \frac{1}{\eta\,t},\qquad \frac{d\log(r^* - \pi_t\cdot r)}{d\log t} \to -1$$

    >>> rate()
    -1.0
    """
    return -1.0


def rate_curve(step: int, steps: int, best: float, second: float, rewards: Sequence[float], step_size: float) -> float:
    """Suboptimality after `step` steps, by the path of small steps."""
    weight = _weights(best, second, len(rewards))
    return _lost(_clock(steps * step_size, weight, tuple(rewards))(step * step_size)[0], weight, tuple(rewards))


def plateau(best: float, second: float, rewards: Sequence[float], step_size: float, reached: float) -> float:
    r"""Steps until the suboptimality is `reached`, when those steps are small.

    Along the flow, u_i = exp(-theta_i) keeps two laws: differences move with one clock, and the product stays.

    $$u_i - u_j = u_i(0) - u_j(0) - (r_i - r_j)\,\tau,\qquad \prod_i u_i = \prod_i u_i(0),\qquad
    t = \frac1\eta\int_0^{\tau}\sum_i\frac{d\tau'}{u_i(\tau')}$$

    Two arms that pay 0 and 1, from the middle, until 19 in 20 are right: (19 - 1/19 + 2 log 19) / (2 x 0.4).

    >>> round(plateau(best=0.5, second=0.5, rewards=[0.0, 1.0], step_size=0.4, reached=0.05), 3)
    31.045
    """
    weight, pay = _weights(best, second, len(rewards)), tuple(rewards)
    end = brentq(lambda clock: _lost(clock, weight, pay) - reached, 0, 1e6)
    narrow = [0.9 * end, 0.99 * end]  # where the best arm overtakes the second
    time = quad(lambda clock: float(np.sum(1 / _inverse(clock, weight, pay))), 0, end, limit=500, points=narrow)[0]
    return float(time / step_size)


def upper_bound() -> float:
    r"""The most that the suboptimality can be, in units of its bound, for rewards in [0, 1] and the step 2/5.

    $$r^* - \pi_t\cdot r \;\le\; \frac{5}{c^2\,t},\qquad c = \inf_t \pi_t(a^*)$$

    >>> upper_bound()
    1.0
    """
    return 1.0


def lower_bound() -> float:
    r"""The least that the suboptimality can be after many steps, in units of its bound; D is the gap to the second arm.

    $$r^* - \pi_t\cdot r \;\ge\; \frac{D^2}{6\,t}$$

    >>> lower_bound()
    1.0
    """
    return 1.0


def natural_rate(rewards: Sequence[float], step_size: float) -> float:
    r"""Factor a step by which the natural gradient's suboptimality falls, late: only the second arm is left.

    $$\pi_t \propto \pi_0\,e^{\eta t r},\qquad \frac{r^* - \pi_{t+1}\cdot r}{r^* - \pi_t\cdot r} \to e^{-\eta D}$$

    >>> round(natural_rate(rewards=[0.9, 1.0], step_size=0.4), 6)     # exp(-0.04)
    0.960789
    """
    second, best = sorted(rewards)[-2:]
    return exp(-step_size * (best - second))


def natural_rate_curve(step: int, best: float, second: float, rewards: Sequence[float], step_size: float) -> float:
    """Suboptimality after `step` steps of the natural gradient, in closed form."""
    pay = np.array(rewards)
    policy = np.exp(step_size * step * (pay - pay[-1])) / _weights(best, second, len(pay))
    return float(policy @ (pay[-1] - pay) / policy.sum())


def natural_bound() -> float:
    r"""The most that the natural gradient's suboptimality can be from the uniform start, in units of its bound.

    $$r^* - \pi_T\cdot r \;\le\; \frac{\log K}{\eta\,T}$$

    >>> natural_bound()
    1.0
    """
    return 1.0


def committal_share() -> float:
    r"""Share of runs that end with less than half of their chance on the best arm, if each follows the exact gradient.

    $$\pi_t(a^*) \to 1 \quad\text{from every start, at every step up to 2/5}$$

    >>> committal_share()
    0.0
    """
    return 0.0


def _weights(best: float, second: float, arms: int) -> tuple[float, ...]:
    """exp(-theta_i) at the start, the best arm last, the second before it, the rest alike."""
    rest = (1 - best - second) / max(arms - 2, 1)
    return (*(1 / rest for _ in range(arms - 2)), 1 / second, 1 / best)


def _inverse(clock: float, start: tuple[float, ...], rewards: tuple[float, ...]) -> Array:
    """exp(-theta_i) where the clock shows tau: the shift of all that keeps their product is found on a log scale."""
    moved = np.array(start) + (rewards[-1] - np.array(rewards)) * clock
    least, product = moved.min(), np.log(start).sum()
    left = brentq(lambda y: np.log(moved - least + np.exp(y)).sum() - product, -500, np.log(least) + 1e-9, xtol=1e-14)
    return np.asarray(moved - least + np.exp(left))


def _lost(clock: float, start: tuple[float, ...], rewards: tuple[float, ...]) -> float:
    policy = 1 / _inverse(clock, start, rewards)
    return float(policy @ (rewards[-1] - np.array(rewards)) / policy.sum())


@lru_cache
def _clock(horizon: float, start: tuple[float, ...], rewards: tuple[float, ...]) -> Callable[[float], Array]:
    """The clock's reading at every time up to the horizon."""

    def pace(_: float, clock: Array) -> list[float]:
        return [1 / float(np.sum(1 / _inverse(clock[0], start, rewards)))]

    found = solve_ivp(pace, (0, horizon), [0.0], method="LSODA", rtol=1e-8, atol=1e-8, dense_output=True).sol
    assert found is not None
    return found
