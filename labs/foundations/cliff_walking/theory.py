"""What the cliff is worth to a policy that explores all its life: the best such policy, and the one around Q*."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from labs.kit.mdp import cliff


def soft_optimum(epsilon: float) -> float:
    r"""Return of the best policy that gives every action at least epsilon / 4: what on-policy learning aims at.

    It is the optimal policy of a cliff whose actions slip, with probability epsilon, into a uniform one.

    $$v(s) = (1-\varepsilon)\max_a q(s,a) + \frac{\varepsilon}{4}\sum_a q(s,a),\qquad q(s,a) = r(s,a) + v(s'_{s,a})$$

    >>> round(soft_optimum(epsilon=0.0), 9)        # up, eleven times right, down
    -13.0
    >>> round(soft_optimum(epsilon=0.1), 4)
    -20.7077
    """
    return float(_best(epsilon)[0][cliff.START])


def soft_optimum_curve(step: int, epsilon: float) -> float:
    """Theory knows the limit alone."""
    return soft_optimum(epsilon)


def slipping_optimum(epsilon: float) -> float:
    r"""Return of the policy that is greedy for Q*, the path along the edge, and explores: Q-learning's own behaviour.

    Where several actions are optimal they share the greedy part.

    $$v(s) = \sum_a \pi(a|s)\,(r(s,a) + v(s'_{s,a})),\qquad
    \pi(a|s) = (1-\varepsilon)\,\frac{\mathbf 1\{a\in A^*_s\}}{|A^*_s|} + \frac\varepsilon4,\quad
    A^*_s = \arg\max_a q_*(s,a)$$

    >>> round(slipping_optimum(epsilon=0.0), 9)
    -13.0
    >>> round(slipping_optimum(epsilon=0.1), 4)
    -50.8
    """
    return _along_the_edge(epsilon)


def slipping_optimum_curve(step: int, epsilon: float) -> float:
    """Theory knows the limit alone."""
    return slipping_optimum(epsilon)


def learnt_value(epsilon: float) -> float:
    r"""What the best eps-soft policy's action values say of the start, before the first slip.

    $$\max_a q(s_0,a)\quad\text{with } q \text{ as in the eps-soft optimality equation}$$

    >>> round(learnt_value(epsilon=0.0), 9)
    -13.0
    >>> round(learnt_value(epsilon=0.1), 4)        # 2.76 more than the start is worth: only later steps slip
    -17.9509
    """
    return float(_best(epsilon)[1][:, cliff.START].max())


def edge_value() -> float:
    r"""What Q* says of the start: the path along the edge has 13 steps, each costing 1.

    $$\max_a q_*(s_0,a) = -(1 + 11 + 1)$$

    >>> edge_value() == round(soft_optimum(epsilon=0.0), 9)
    True
    """
    return -float(1 + (cliff.WIDTH - 1) + 1)


def path_length(method: str, epsilon: float) -> float:
    r"""Steps of the greedy path: of Q* for Q-learning, of the best eps-soft policy for both kinds of Sarsa.

    $$\left|\,s_0,\ s_{t+1}=s'\big(s_t,\arg\max_a q(s_t,a)\big)\right|$$

    >>> path_length("q", epsilon=0.1)
    13.0
    >>> [path_length("sarsa", epsilon) for epsilon in (0.1, 0.157, 0.158)]
    [15.0, 15.0, 17.0]
    """
    _, of_action = _best(0.0 if method == "q" else epsilon)
    return float(len(cliff.greedy_path(cliff.world()[0], of_action)))


def upper_row() -> float:
    r"""Steps of the path along the upper row, as far from the cliff as can be.

    $$2\,(h-1) + (w-1)$$

    >>> upper_row()                                # 3 up, 11 right, 3 down
    17.0
    """
    return float(2 * (cliff.HEIGHT - 1) + cliff.WIDTH - 1)


@lru_cache
def _best(epsilon: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return cliff.soft_optimum(*cliff.world(), epsilon)


@lru_cache
def _along_the_edge(epsilon: float) -> float:
    return float(cliff.greedy_with_slips(*cliff.world(), epsilon)[cliff.START])
