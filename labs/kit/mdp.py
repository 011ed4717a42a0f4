r"""Exact solutions of small Markov chains and decision processes: linear algebra, nothing sampled or iterated.

An online learner whose estimates move affinely, V <- M V + c with M and c given by the step taken, has exact first and
second moments: x = (1, V) moves by one matrix B a step, so E[x (x) x] moves by E[B (x) B]. That is a whole learning
curve and its floor, not only a fixed point.
"""

from collections.abc import Callable
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
    return _solve(chain.moves, (chain.moves * chain.rewards).sum(axis=1), discount)


def _solve(moves: Array, paid: Array, discount: float) -> Array:
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


def optimal_values(moves: Array, rewards: Array, discount: float = 1.0) -> Array:
    """Value of the best policy that sees the state, for actions x states x (states + endings); policy iteration.

    It starts from the policy that acts at random, which ends every episode wherever any policy can.
    """
    states = np.arange(moves.shape[1])
    paid = (moves * rewards).sum(axis=2)
    value = _solve(moves.mean(axis=0), paid.mean(axis=0), discount)
    while True:
        of_action = paid + discount * moves[:, :, : len(states)] @ value
        best = of_action.argmax(axis=0)
        better = _solve(moves[best, states], paid[best, states], discount)
        if np.all(better <= value + 1e-12 * np.abs(value).max()):
            return better
        value = better


def td_episode(chain: Chain, step_size: float, discount: float = 1.0) -> Array:
    """What one episode of TD(0) does to E[x (x) x], x = (1, V): a matrix of (n + 1)^2 squared numbers.

    For the walk of five states it is 36 x 36, of which 31 rows differ: E[V_i V_j] counts once, and E[V_i] stands twice.
    """
    size = len(chain.start)

    def moved(state: int, to: int) -> Array:
        step = np.eye(size + 1)
        step[1 + state, 0] += step_size * chain.rewards[state, to]
        step[1 + state, 1 + state] -= step_size
        if to < size:
            step[1 + state, 1 + to] += step_size * discount
        return step

    return _episode(chain, moved, range(size, chain.moves.shape[1]))


def mc_episode(chain: Chain, step_size: float) -> Array:
    """The same for constant-step, every-visit Monte Carlo, where only endings pay and nothing is discounted.

    All visits of an episode are moved towards its one return, so the endings are followed one by one.
    """
    size = len(chain.start)
    if chain.rewards[:, :size].any():
        raise ValueError("mc_episode() follows one return per episode, so only the endings may pay.")
    return sum((_mc_ending(chain, step_size, end) for end in range(size, chain.moves.shape[1])), np.zeros(()))


def _mc_ending(chain: Chain, step_size: float, end: int) -> Array:
    size, paid = len(chain.start), chain.rewards[:, end].max()

    def moved(state: int, to: int) -> Array:
        step = np.eye(size + 1)
        step[1 + state, 0] += step_size * paid
        step[1 + state, 1 + state] -= step_size
        return step

    return _episode(chain, moved, range(end, end + 1))


def _episode(chain: Chain, moved: Callable[[int, int], Array], endings: range) -> Array:
    """U (I - T)^-1 S: start somewhere, take live steps any number of times, leave by one of the endings."""
    size, width = len(chain.start), (len(chain.start) + 1) ** 2
    live, leave = np.zeros((size, width, size, width)), np.zeros((width, size, width))
    for state, to in zip(*np.nonzero(chain.moves), strict=True):
        weighed = chain.moves[state, to] * np.kron(moved(state, to), moved(state, to))
        if to < size:
            live[to, :, state, :] += weighed
        elif to in endings:
            leave[:, state, :] += weighed
    begin = np.kron(chain.start[:, None], np.eye(width))
    through = np.linalg.solve(np.eye(size * width) - live.reshape(size * width, size * width), begin)
    return leave.reshape(width, size * width) @ through


def moments(estimate: Array) -> Array:
    """E[x (x) x] of an estimate that is still certain."""
    return np.kron(np.append(1.0, estimate), np.append(1.0, estimate))


def stationary_moments(episode: Array) -> Array:
    """What E[x (x) x] tends to when the episodes never stop: the fixed point whose constant part is 1."""
    rest = np.linalg.solve(np.eye(len(episode) - 1) - episode[1:, 1:], episode[1:, 0])
    return np.append(1.0, rest)


def rms_error(moment: Array, truth: Array) -> float:
    """Root of the mean squared error, over runs and states, that E[x (x) x] implies."""
    size = len(truth) + 1
    table = moment.reshape(size, size)
    return float(np.sqrt(np.mean(np.diag(table)[1:] - 2 * truth * table[0, 1:] + truth**2)))
