r"""The short corridor of Example 13.1, its policy learnt by sampled gradients: moments, mean updates, fixed points.

A policy is one number, p = P(right) = 1 / (1 + e^-theta), in all three states; z = 1{right} - p is the score of a step.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from labs.kit.mdp.chains import corridor, corridor_actions, solve, visits

Array = NDArray[np.float64]


def reinforce_moments(right: float) -> Array:
    """E[x x'] of an episode's x = (1, T, Z, A): its length, the sum of its scores, and the sum of G_t z_t.

    The return-to-go G_t is -(T - t). A first step of score z puts T = 1 + T', Z = z + Z' and A = A' - z (1 + T') in the
    place of what follows, so x = B x' with B known from the action, and second moments move by B (x) B.
    """
    moves = corridor_actions()[0]
    system, known = np.eye(3 * 16), np.zeros((3, 16))
    for action, chance in enumerate((1 - right, right)):
        score = action - right
        step = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [score, 0, 1, 0], [-score, -score, 0, 1]])
        both = chance * np.kron(step, step)
        system -= np.kron(moves[action, :, :3], both)
        known += np.outer(moves[action, :, 3], both[:, 0])  # past the end x is (1, 0, 0, 0)
    return np.asarray(np.linalg.solve(system, known.ravel()).reshape(3, 4, 4)[0])


def mean_updates(right: float, trace: float, weight: float) -> tuple[float, float]:
    """What a step adds on average to theta and to the one weight of an aliased critic, each a unit of step size.

    All states look alike to the critic, so the temporal difference is -1 on the way and -1 - weight at the end. Its sum
    with weights trace^k from a step on is the advantage; eligibility traces add up the same.
    """
    chain, moves, rewards = corridor(right), *corridor_actions()
    change = np.array([0.0, 0.0, 0.0, -weight])
    ahead = solve(chain.moves, chain.moves @ change - 1, trace)
    of_action = (moves * (rewards + change)).sum(axis=2) + trace * moves[:, :, :3] @ ahead
    often = visits(chain)
    push = right * (1 - right) * often @ (of_action[1] - of_action[0])
    return float(push / often.sum()), float(often @ ahead / often.sum())


def critic(right: float, trace: float) -> float:
    """The weight at which TD(trace) leaves an aliased critic in the mean: its update is affine in the weight."""
    at_zero, at_one = (mean_updates(right, trace, weight)[1] for weight in (0.0, 1.0))
    return at_zero / (at_zero - at_one)


def actor_push(right: float, trace: float) -> float:
    """What an episode adds to theta on average, a unit of step size, with the aliased critic at its fixed point."""
    step = mean_updates(right, trace, critic(right, trace))[0]
    return step * float(visits(corridor(right)).sum())


def settles(trace: float) -> float:
    """Where actor-critic with an aliased critic leaves p, by small steps: 1, where the push to the right never ends."""
    below, above = 0.5, 1 - 1e-6
    if actor_push(above, trace) > 0:
        return 1.0
    return float(brentq(actor_push, below, above, args=(trace,), xtol=1e-14))
