r"""Whole learning curves of affine online learners, exactly.

An online learner whose estimates move affinely, V <- M V + c with M and c given by the step taken, has exact first and
second moments: x = (1, V) moves by one matrix B a step, so E[x (x) x] moves by E[B (x) B]. That is a whole learning
curve and its floor, not only a fixed point.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from labs.kit.mdp.chains import Chain

Array = NDArray[np.float64]


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
