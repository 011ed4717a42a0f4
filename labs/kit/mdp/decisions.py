"""Decision processes with few states: optimal and policy values, and the random ones that studies are made on.

Moves and rewards are arrays of actions x states x (states + endings), as far as a problem has endings; a policy is an
array of states x actions whose rows sum to 1.
"""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from labs.kit.mdp.chains import solve

Array = NDArray[np.float64]


def garnet(rng: Generator, states: int, actions: int, branching: int) -> tuple[Array, Array]:
    """Moves and rewards of a random continuing problem (Archibald, McKinnon and Thomas 1995).

    Each pair of state and action reaches `branching` different states, with the gaps between sorted uniform cuts as
    their chances. Its reward is one draw of N(0, 1), the same wherever it leads.
    """
    moves = np.zeros((actions, states, states))
    cuts = np.sort(rng.random((actions, states, branching - 1)), axis=2)
    chances = np.diff(cuts, axis=2, prepend=0.0, append=1.0)
    reached = rng.random(moves.shape).argsort(axis=2)[:, :, :branching]
    np.put_along_axis(moves, reached, chances, axis=2)
    rewards = np.broadcast_to(rng.standard_normal((actions, states, 1)), moves.shape)
    return moves, rewards


def pays(moves: Array, rewards: Array) -> Array:
    """Expected reward of each action in each state: actions x states."""
    return np.asarray((moves * rewards).sum(axis=2), dtype=np.float64)


def under(policy: Array, moves: Array, rewards: Array) -> tuple[Array, Array]:
    """The chain that a policy makes of a problem: its moves, and what each state pays on average."""
    return np.einsum("sa,ast->st", policy, moves), np.einsum("sa,as->s", policy, pays(moves, rewards))


def policy_values(policy: Array, moves: Array, rewards: Array, discount: float) -> Array:
    """V of a policy, by one linear solve."""
    return solve(*under(policy, moves, rewards), discount)


def action_values(value: Array, moves: Array, rewards: Array, discount: float) -> Array:
    """Worth of each action in each state when `value` follows: actions x states."""
    return pays(moves, rewards) + discount * np.asarray(moves[:, :, : len(value)] @ value, dtype=np.float64)


def optimal_values(moves: Array, rewards: Array, discount: float = 1.0) -> Array:
    """Value of the best policy that sees the state, for actions x states x (states + endings); policy iteration.

    It starts from the policy that acts at random, which ends every episode wherever any policy can.
    """
    states = np.arange(moves.shape[1])
    paid = (moves * rewards).sum(axis=2)
    value = solve(moves.mean(axis=0), paid.mean(axis=0), discount)
    while True:
        of_action = paid + discount * moves[:, :, : len(states)] @ value
        best = of_action.argmax(axis=0)
        better = solve(moves[best, states], paid[best, states], discount)
        if np.all(better <= value + 1e-12 * np.abs(value).max()):
            return better
        value = better
