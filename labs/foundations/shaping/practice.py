"""Solve and learn random problems with and without a shaped reward, and cross a grid towards a goal."""

import numpy as np
from numba import njit
from numpy.random import Generator
from numpy.typing import NDArray

from labs.kit.mdp import decisions
from labs.kit.trial import Log, Measured

Array = NDArray[np.float64]


def trial(
    seed: int,
    log: Log,
    *,
    experiment: str,
    shaping: str,
    problems: int,
    states: int,
    endings: int,
    end_potential: float,
    discount: float,
    steps: int,
    side: int,
    share: float,
    runs: int,
    episodes: int,
) -> dict[str, Measured]:
    """Measure what shaping moves in the optimal values, in one learner's path, or in the steps a grid costs."""
    rng = np.random.default_rng(seed)
    if experiment == "grid":
        taken = np.stack([_cross(rng, side, share, episodes) for _ in range(runs)]).mean(axis=0)
        wasted = np.cumsum(taken - 2 * (side - 1))
        for end in np.unique(np.geomspace(1, episodes, 50).astype(int)):
            log("curve.wasted_steps", float(wasted[end - 1]), int(end))
        return {"wasted_steps": float(wasted[-1]), "first": float(taken[0]), "first_30": float(taken[:30].sum())}
    gap, changed = np.zeros((2, problems))
    for problem in range(problems):
        moves, rewards = decisions.garnet(rng, states + endings, actions=4, branching=5)
        moves, rewards = moves[:, :states], rewards[:, :states].copy()
        potential = rng.standard_normal(states + endings)
        potential[states:] *= end_potential
        shaped = rewards + _extra(shaping, potential, states, discount)
        if experiment == "learn":
            gap[problem] = _pair(rng, moves, rewards, shaped, potential[:states], discount, steps)
        else:
            plain, other = _solve(moves, rewards, discount), _solve(moves, shaped, discount)
            gap[problem] = np.abs(other - (plain - potential[:states])).max()
            chosen = np.take_along_axis(plain, other.argmax(axis=0)[None], axis=0)[0]
            changed[problem] = np.mean(chosen < plain.max(axis=0) - 1e-9)
    if experiment == "learn":
        return {"same_as_start": float(gap.max())}
    return {"shaped_values": float(gap.max()), "kept_actions": float(changed.mean())}


def _extra(shaping: str, potential: Array, states: int, discount: float) -> Array:
    """What is added to the reward from a row's state to a column's, states first, then endings."""
    if shaping == "bonus":
        return potential[None, :]
    return (discount if shaping == "potential" else 1.0) * potential[None, :] - potential[:states, None]


def _solve(moves: Array, rewards: Array, discount: float) -> Array:
    """Optimal action values by value iteration, until a sweep moves nothing."""
    paid, live = (moves * rewards).sum(axis=2), moves[:, :, : moves.shape[1]]
    value, change = np.zeros(paid.shape), 1.0
    while change > 1e-13:
        new = paid + discount * live @ value.max(axis=0)
        value, change = new, float(np.abs(new - value).max())
    return value


def _pair(
    rng: Generator, moves: Array, rewards: Array, shaped: Array, potential: Array, discount: float, steps: int
) -> float:
    """Largest difference between Q' + Phi and Q after each learner took its own steps, with the same random numbers."""
    drawn, reach = rng.random((steps, 4)), moves.cumsum(axis=2)
    apart = _learn(drawn, reach, shaped, np.zeros((4, len(potential))), discount)
    started = _learn(drawn, reach, rewards, np.tile(potential, (4, 1)), discount)
    return float(np.abs(apart + potential - started).max())


@njit(cache=True)
def _learn(drawn: Array, reach: Array, rewards: Array, values: Array, discount: float) -> Array:
    """Q-learning, step size .1 and eps .1, on one unending stream; ties are broken by the draw."""
    here = 0
    for explores, which, breaks, goes in drawn:
        action = int(which * 4) if explores < 0.1 else _greedy(values[:, here], breaks)
        there = 0
        while there < reach.shape[2] - 1 and reach[action, here, there] < goes:
            there += 1
        target = rewards[action, here, there] + discount * _most(values[:, there])
        values[action, here] += 0.1 * (target - values[action, here])
        here = there
    return values


@njit(cache=True)
def _greedy(values: Array, draw: float) -> int:
    """One of the best actions, which the draw tells."""
    most = _most(values)
    tied = 0
    for value in values:
        tied += value == most
    left, chosen = int(draw * tied), -1
    while left >= 0:
        chosen += 1
        left -= values[chosen] == most
    return chosen


@njit(cache=True)
def _most(values: Array) -> float:  # a loop, as above: array functions of four numbers take seconds to compile
    most = values[0]
    for value in values:
        most = max(most, value)
    return float(most)


@njit(cache=True)
def _cross(rng: Generator, side: int, share: float, episodes: int) -> Array:
    """Steps of each episode from one corner to the other, at -1 a step, by greedy Q-learning with step size 1.

    The potential is `share` times the optimal value, which is minus the distance to the goal.
    """
    values, taken = np.zeros((side, side, 4)), np.zeros(episodes)
    down, right = np.array([1, -1, 0, 0]), np.array([0, 0, 1, -1])
    for episode in range(episodes):
        row, column = 0, 0
        while row + column < 2 * (side - 1):
            action = _greedy(values[row, column], rng.random())
            to_row = min(max(row + down[action], 0), side - 1)
            to_column = min(max(column + right[action], 0), side - 1)
            nearer = to_row + to_column - row - column
            values[row, column, action] = -1 + share * nearer + _most(values[to_row, to_column])
            row, column = to_row, to_column
            taken[episode] += 1
    return taken
