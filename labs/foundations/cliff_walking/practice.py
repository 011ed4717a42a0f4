"""Walk the cliff with Sarsa, Expected Sarsa or Q-learning, many learners, one after the other."""

from itertools import pairwise

import numpy as np
from numba import njit
from numpy.random import Generator
from numpy.typing import NDArray

from labs.kit.mdp import cliff
from labs.kit.trial import Log, Measured

Array = NDArray[np.float64]
Table = NDArray[np.int64]

METHODS = ("sarsa", "expected", "q")
SARSA, EXPECTED = 0, 1


def trial(
    seed: int,
    log: Log,
    *,
    method: str,
    step_size: float,
    epsilon: float,
    runs: int,
    episodes: int,
    window: int,
) -> dict[str, Measured]:
    """What the learners earn while they explore, what they think the start is worth, and where their greed leads."""
    moves, rewards = cliff.world()
    ahead, paid = moves.argmax(axis=2).T.copy(), (moves * rewards).sum(axis=2).T.copy()
    rng = np.random.default_rng(seed)
    returns, learnt = _learn(rng, ahead, paid, METHODS.index(method), step_size, epsilon, runs, episodes)
    aim = "slipping_optimum" if method == "q" else "soft_optimum"
    for begin, end in _blocks(episodes):
        log(f"curve.{aim}", float(returns[:, begin:end].mean()), end)
    online, worth = float(returns[:, -window:].mean()), learnt[:, cliff.START].max(axis=1)
    length = np.array([_path_length(ahead, greedy) for greedy in learnt.argmax(axis=2)])
    shares = {f"share_of_{steps}": float(np.mean(length == steps)) for steps in (13, 15, 17)}
    return {
        "soft_optimum": online,
        "slipping_optimum": online,
        "learnt_value": float(worth.mean()),
        "edge_value": float(worth.mean()),
        "path_length": float(np.median(length)),
        "upper_row": float(np.median(length)),
        **shares,
    }


def _blocks(episodes: int) -> list[tuple[int, int]]:
    """Blocks of 10 episodes up to the 500th, log-spaced after; the first is left out, as it would flatten the rest."""
    ends = np.append(np.linspace(10, 500, 50), np.geomspace(500, max(episodes, 500), 15)).round().astype(int)
    ends = np.unique(ends[ends <= episodes])
    return list(pairwise(ends.tolist()))


def _path_length(ahead: Table, greedy: Table) -> float:
    """Steps from the start to the goal if nobody explores; infinite where the greedy actions lead in a circle."""
    state = cliff.START
    for steps in range(1, len(ahead) + 1):
        state = ahead[state, greedy[state]]
        if state == len(ahead):
            return steps
    return np.inf


# Compiled, because learners are few and their episodes many: on one array axis a step would be all calls and no work.
@njit(cache=True)
def _learn(
    rng: Generator,
    ahead: Table,
    paid: Array,
    method: int,
    step_size: float,
    epsilon: float,
    runs: int,
    episodes: int,
) -> tuple[Array, Array]:
    """Returns of runs x episodes, and what each run has learnt at the end: runs x states x actions."""
    states, actions = ahead.shape
    returns, learnt = np.zeros((runs, episodes)), np.zeros((runs, states + 1, actions))
    for run in range(runs):
        value = learnt[run]  # the goal's row stays 0
        for episode in range(episodes):
            state = cliff.START
            action = follow = _choose(rng, value[state], epsilon)
            while state < states:
                to = ahead[state, action]
                if method == SARSA:
                    follow = _choose(rng, value[to], epsilon)
                    worth = value[to, follow]
                else:
                    worth = value[to].max()
                    if method == EXPECTED:
                        worth = (1 - epsilon) * worth + epsilon * value[to].mean()
                value[state, action] += step_size * (paid[state, action] + worth - value[state, action])
                if method != SARSA:
                    follow = _choose(rng, value[to], epsilon)  # after the update, as the book's boxes have it
                returns[run, episode] += paid[state, action]
                state, action = to, follow
    return returns, learnt[:, :states]


@njit(cache=True)
def _choose(rng: Generator, value: Array, epsilon: float) -> int:
    """The best action, or with probability epsilon any; a tie falls at random."""
    if rng.random() < epsilon:
        return int(rng.random() * len(value))
    best, tied = 0, 1
    for action in range(1, len(value)):
        if value[action] > value[best]:
            best, tied = action, 1
        elif value[action] == value[best]:
            tied += 1
            if rng.random() * tied < 1:
                best = action
    return best
