"""Where an actor-critic goes when its critic cannot tell states apart."""

from collections.abc import Callable
from functools import lru_cache
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from labs.kit.mdp import corridor


def actor_push(right: float, trace: float) -> float:
    r"""What an episode of actor-critic adds to theta, a unit of step size, when an aliased critic has settled.

    The critic has one weight w for all states; where p = 2 - sqrt(2) the gradient of J is 0.

    $$p(1-p)\sum_s \eta(s)\,\big(\hat Q_\lambda(s,R) - \hat Q_\lambda(s,L)\big),\qquad
    \hat Q_\lambda = \mathbb{E}\sum_k \lambda^k\delta_{t+k}$$

    Without traces it is the chance of left times the length of an episode.

    >>> round(actor_push(right=0.5, trace=0.0), 9)            # 1/2 of 12
    6.0
    """
    return corridor.actor_push(right, trace)


def settles_at(trace: float) -> float:
    r"""Where actor-critic with an aliased critic leaves p: the stable zero of its mean push.

    $$\hat g_\lambda(p_\infty) = 0:\quad p_\infty(0) = 1,\quad p_\infty(0.9) = 0.6015,\quad p_\infty(1) = 2 - \sqrt2$$

    >>> settles_at(trace=0.0)
    1.0
    >>> round(settles_at(trace=1.0), 4)
    0.5858
    """
    return corridor.settles(trace)


def settles_at_curve(step: int, steps: int, trace: float, right: float, actor_step: float, critic_step: float) -> float:
    """Path of p under the mean updates of actor and critic, from w = 0: the limit of small steps."""
    return _logistic(_path(steps, trace, right, actor_step, critic_step)(step)[0])


@lru_cache
def _path(
    steps: int, trace: float, right: float, actor_step: float, critic_step: float
) -> Callable[[float], NDArray[np.float64]]:
    def moves(_: float, at: NDArray[np.float64]) -> list[float]:
        actor, critic = corridor.mean_updates(_logistic(at[0]), trace, at[1])
        return [actor_step * actor, critic_step * critic]

    start = [np.log(right / (1 - right)), 0.0]
    path = solve_ivp(moves, (0, steps), start, method="LSODA", rtol=1e-6, dense_output=True).sol
    assert path is not None
    return path


def _logistic(theta: float) -> float:
    return float(1 / (1 + np.exp(-theta)))


def climbs_to_best() -> float:
    r"""The best p of the corridor: where actor-critic ends, if it ascends J.

    $$p^* = \arg\max_p \frac{2p-4}{p\,(1-p)} = 2 - \sqrt2$$

    >>> round(climbs_to_best(), 6)
    0.585786
    """
    return 2 - sqrt(2)
