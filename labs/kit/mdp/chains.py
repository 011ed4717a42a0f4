"""Markov chains with episodes, solved by linear algebra: nothing sampled or iterated."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Chain:
    """A Markov chain with rewards and episodes: n states, and columns past the n-th where an episode ends."""

    start: Array
    """The probability of starting in each of the n states."""
    moves: Array
    """The probability of going from a row to a column: n x (n + endings)."""
    rewards: Array
    """The reward on the way: n x (n + endings)."""

    @property
    def live(self) -> Array:
        """The moves that do not end the episode: n x n."""
        return self.moves[:, : len(self.moves)]


def random_walk(states: int = 5) -> Chain:
    """The walk of Example 6.2: from the middle, left or right alike; only the exit on the right pays, 1."""
    moves, rewards = np.zeros((2, states, states + 2))
    left_exit, right_exit = states, states + 1
    for state in range(states):
        moves[state, state - 1 if state else left_exit] += 0.5
        moves[state, state + 1 if state + 1 < states else right_exit] += 0.5
    rewards[:, right_exit] = 1.0
    return Chain(np.eye(states)[states // 2], moves, rewards)


def corridor(right: float) -> Chain:
    """The short corridor of Example 13.1 under a policy that goes right with probability `right` in every state."""
    moves = right * _CORRIDOR[1] + (1 - right) * _CORRIDOR[0]
    return Chain(np.array([1.0, 0.0, 0.0]), moves, -np.ones_like(moves))


def corridor_actions() -> tuple[Array, Array]:
    """The corridor's moves and rewards for each action, left and right, for a learner that can see the state."""
    return _CORRIDOR, -np.ones_like(_CORRIDOR)


_CORRIDOR = np.array(
    [
        [[1.0, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0]],  # left, but the middle state is reversed
        [[0.0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]],  # right
    ]
)


def values(chain: Chain, discount: float = 1.0) -> Array:
    """Expected return from each state: v = (I - discount P)^-1 r."""
    return solve(chain.moves, (chain.moves * chain.rewards).sum(axis=1), discount)


def solve(moves: Array, paid: Array, discount: float) -> Array:
    """Discounted sum of what each state pays on average, along moves whose columns past the states are endings."""
    return np.asarray(np.linalg.solve(np.eye(len(paid)) - discount * moves[:, : len(paid)], paid), dtype=np.float64)


def visits(chain: Chain) -> Array:
    """Expected number of visits to each state in an episode; they add up to its expected length."""
    return np.asarray(np.linalg.solve(np.eye(len(chain.start)) - chain.live.T, chain.start), dtype=np.float64)


def stationary(moves: Array) -> Array:
    """The share of time that an irreducible chain spends in each state, for a square matrix whose rows sum to 1."""
    size = len(moves)
    equations = np.vstack([moves.T - np.eye(size), np.ones(size)])
    share: Array = np.linalg.lstsq(equations, np.append(np.zeros(size), 1.0), rcond=None)[0]
    return share
