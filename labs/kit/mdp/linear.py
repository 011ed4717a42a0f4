r"""Linear estimates learnt along a Markov chain: fixed points, errors, and exact moments of the weights.

A learner whose weights move affinely by a step's two states, (1, w) <- B (1, w) with B given by where the step came
from and where it went, has exact moments even where states follow each other: E[(1, w) 1{S = s}] moves by one matrix.
The means alone do not close, because the weights and the next state share the step that made them.
"""

from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import eigs

from labs.kit.mdp.chains import solve, stationary

Array = NDArray[np.float64]


def lazy_ring(states: int) -> Array:
    """Moves of a walk on a ring that steps to the left, stays, or steps to the right, all alike."""
    moves = np.zeros((states, states))
    for state, step in product(range(states), (-1, 0, 1)):
        moves[state, (state + step) % states] += 1 / 3
    return moves


def grouped_walk() -> tuple[Array, Array, Array]:
    """Moves, pay and features of a ring of 50 states that pays a sine and is seen as five groups of ten."""
    pay: Array = np.sin(2 * np.pi * np.arange(50) / 50)
    return lazy_ring(50), pay, np.repeat(np.eye(5), 10, axis=0)


def wave_ring() -> tuple[Array, Array, Array]:
    """Moves, pay and features of a ring of five states that pays 1 in the first; the features are 1 and a cosine."""
    return lazy_ring(5), np.eye(5)[0], np.stack([np.ones(5), np.cos(2 * np.pi * np.arange(5) / 5)], axis=1)


def td_system(moves: Array, paid: Array, features: Array, discount: float, share: Array) -> tuple[Array, Array]:
    """A = X' D (I - g P) X and b = X' D r: TD(0) moves its weights by b - A w on average, states weighed by `share`."""
    weighed = features.T * share
    return weighed @ (features - discount * moves @ features), weighed @ paid


def td_weights(moves: Array, paid: Array, features: Array, discount: float) -> Array:
    """Where on-policy TD(0) points: A w = b, with states weighed by their stationary share."""
    return np.asarray(np.linalg.solve(*td_system(moves, paid, features, discount, stationary(moves))))


def best_weights(features: Array, value: Array, share: Array) -> Array:
    """The weights nearest to `value`, states weighed by `share`: what Monte Carlo learns."""
    return np.asarray(np.linalg.solve((features.T * share) @ features, (features.T * share) @ value))


def error_ratio(moves: Array, paid: Array, features: Array, discount: float) -> float:
    """VE of the TD fixed point by the least VE that the features allow; VE weighs states by their stationary share."""
    share, value = stationary(moves), solve(moves, paid, discount)
    found = features @ td_weights(moves, paid, features, discount) - value
    least = features @ best_weights(features, value, share) - value
    return float(share @ found**2 / (share @ least**2))


def worst_error_ratio(moves: Array, features: Array, discount: float) -> float:
    """The same for the worst of all rewards: 1 + |(I - g Pi P)^-1 g Pi P|^2 on what the features cannot say.

    With e the part of v outside the features, the fixed point misses its projection by (I - g Pi P)^-1 g Pi P e.
    """
    root = np.sqrt(stationary(moves))
    scaled = features * root[:, None]
    project = scaled @ np.linalg.pinv(scaled)
    back = discount * project @ (root[:, None] * moves / root)
    outside = np.eye(len(root)) - project
    return float(1 + np.linalg.norm(np.linalg.solve(np.eye(len(root)) - back, back @ outside), 2) ** 2)


def td_steps(features: Array, rewards: Array, discount: float, step_size: float, ratios: Array | None = None) -> Array:
    """What TD(0) does to (1, w) on the way from a state to another: states x states x (k + 1) x (k + 1).

    `rewards` and the importance `ratios` (1 where on-policy) are states x states.
    """
    states, width = features.shape
    weigh = step_size * (np.ones((states, states)) if ratios is None else ratios)
    ahead = discount * features[None, :, :] - features[:, None, :]
    steps = np.tile(np.eye(width + 1), (states, states, 1, 1))
    steps[:, :, 1:, 0] += (weigh * rewards)[:, :, None] * features[:, None, :]
    steps[:, :, 1:, 1:] += weigh[:, :, None, None] * features[:, None, :, None] * ahead[:, :, None, :]
    return steps


def tdc_steps(
    features: Array, rewards: Array, discount: float, step_size: float, second_step: float, ratios: Array
) -> Array:
    """What TD with gradient correction does to (1, w, v): states x states x (2 k + 1) x (2 k + 1).

    w moves by a rho (error x - g x' (x . v)), v by b rho (error - x . v) x (Sutton and Barto 2018, section 11.7).
    """
    states, width = features.shape
    first, second = slice(1, width + 1), slice(width + 1, None)
    steps = np.tile(np.eye(2 * width + 1), (states, states, 1, 1))
    td = td_steps(features, rewards, discount, 1.0, ratios)[:, :, 1:] - np.eye(width + 1)[1:]
    seen = ratios[:, :, None, None] * features[:, None, None, :]
    steps[:, :, first, : width + 1] += step_size * td
    steps[:, :, first, second] -= step_size * discount * features[None, :, :, None] * seen
    steps[:, :, second, : width + 1] += second_step * td
    steps[:, :, second, second] -= second_step * features[:, None, :, None] * seen
    return steps


def moment_map(moves: Array, steps: Array, order: int = 1) -> sparse.csr_array:
    """What one step of the chain does to E[x 1{S = s}], or with order 2 to E[x (x) x 1{S = s}], stacked by state."""
    states = len(moves)
    blocks: list[list[sparse.csr_array | None]] = [[None] * states for _ in range(states)]
    for here, there in zip(*np.nonzero(moves), strict=True):
        step = sparse.csr_array(steps[here, there])
        moved = step if order == 1 else sparse.kron(step, step, format="csr")
        blocks[there][here] = moves[here, there] * moved
    return sparse.block_array(blocks, format="csr")


def moments(share: Array, state: Array, order: int = 1) -> Array:
    """The same stack for x that is still certain and apart from where the chain stands."""
    return np.kron(share, state if order == 1 else np.kron(state, state))


def moments_after(step: sparse.csr_array, stack: Array, states: int, steps: int) -> Array:
    """Summed over the states, after 0, 1, ... `steps` steps: one row each."""
    told = np.empty((steps + 1, len(stack) // states))
    for count in range(steps + 1):
        told[count] = stack.reshape(states, -1).sum(axis=0)
        stack = step @ stack
    return told


def stationary_moments(step: sparse.csr_array, states: int) -> Array:
    """What the stack tends to where nothing grows, as states x moments; its first column is the chain's share."""
    size = step.shape[0]
    equations = np.vstack([step.toarray() - np.eye(size), np.zeros(size)])
    equations[-1, :: size // states] = 1.0
    found: Array = np.linalg.lstsq(equations, np.append(np.zeros(size), 1.0), rcond=None)[0]
    return found.reshape(states, -1)


def growth(step: sparse.csr_array) -> float:
    """The log of the largest eigenvalue: how fast the moments grow in the long run, a step."""
    largest = eigs(step, k=1, v0=np.ones(step.shape[0]), return_eigenvectors=False)
    return float(np.log(np.abs(largest[0])))
