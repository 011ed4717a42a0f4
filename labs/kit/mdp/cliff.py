"""The cliff of Example 6.6, and what a policy that explores all its life can be worth there, or anywhere.

An eps-soft policy gives every action at least eps over their number. It is a free choice in a problem where each
action slips, with probability eps, into a uniform one: so the best of them is an ordinary optimal policy.
"""

import numpy as np
from numpy.typing import NDArray

from labs.kit.mdp.decisions import action_values, optimal_values, pays, policy_values

Array = NDArray[np.float64]

HEIGHT, WIDTH = 4, 12
START = (HEIGHT - 1) * WIDTH
"""The start's number, after the cells above the cliff, row by row; the goal comes after it, as the one ending."""


def world() -> tuple[Array, Array]:
    """Moves and rewards of up, right, down, left: -1 a step, and -100 for a fall, which leads back to the start."""
    moves, rewards = np.zeros((2, 4, START + 1, START + 2))
    cells = [divmod(state, WIDTH) for state in range(START + 1)]
    for action, (down, right) in enumerate(((-1, 0), (0, 1), (1, 0), (0, -1))):
        for state, (row, column) in enumerate(cells):
            to = min(max(row + down, 0), HEIGHT - 1), min(max(column + right, 0), WIDTH - 1)
            falls = to[0] == HEIGHT - 1 and 0 < to[1] < WIDTH - 1
            ahead = START if falls else START + 1 if to == (HEIGHT - 1, WIDTH - 1) else to[0] * WIDTH + to[1]
            moves[action, state, ahead], rewards[action, state, ahead] = 1.0, -100.0 if falls else -1.0
    return moves, rewards


def slippery(moves: Array, rewards: Array, epsilon: float) -> tuple[Array, Array]:
    """The problem in which each action is replaced, with probability epsilon, by a uniform one."""
    paid = pays(moves, rewards)
    slips, pay = ((1 - epsilon) * whole + epsilon * whole.mean(axis=0) for whole in (moves, paid))
    return slips, np.broadcast_to(pay[:, :, None], moves.shape)


def soft_optimum(moves: Array, rewards: Array, epsilon: float, discount: float = 1.0) -> tuple[Array, Array]:
    """Values of the best eps-soft policy, and its action values: actions x states, with no slip in the first step."""
    value = optimal_values(*slippery(moves, rewards, epsilon), discount)
    return value, action_values(value, moves, rewards, discount)


def around(of_action: Array, epsilon: float) -> Array:
    """The eps-greedy policy around action values, states x actions; equally good actions share the greedy part."""
    best = np.isclose(of_action, of_action.max(axis=0), rtol=0, atol=1e-9).T
    policy: Array = (1 - epsilon) * best / best.sum(axis=1, keepdims=True) + epsilon / len(of_action)
    return policy


def greedy_with_slips(moves: Array, rewards: Array, epsilon: float, discount: float = 1.0) -> Array:
    """Values of the eps-greedy policy around Q*: of one who learns the optimal policy and explores along it."""
    best = action_values(optimal_values(moves, rewards, discount), moves, rewards, discount)
    return policy_values(around(best, epsilon), moves, rewards, discount)


def greedy_path(moves: Array, of_action: Array, state: int = START) -> list[int]:
    """The states that the greedy policy visits before the ending, where each action leads to one state."""
    path = [state]
    while len(path) <= moves.shape[1]:
        ahead = int(moves[of_action[:, path[-1]].argmax(), path[-1]].argmax())
        if ahead >= moves.shape[1]:
            return path
        path.append(ahead)
    raise ValueError(f"The greedy path from {state} runs in a circle.")
