"""Take maxima of noisy means, learn Example 6.7 with Q-learning, and watch one Q-value forget where it began."""

import numpy as np
from numba import njit
from numpy.random import Generator
from numpy.typing import NDArray

from labs.kit.trial import Log, Measured

Array = NDArray[np.float64]


def trial(
    seed: int,
    log: Log,
    *,
    experiment: str,
    double: bool,
    actions: int,
    reward_mean: float,
    reward_sd: float,
    samples: int,
    replications: int,
    runs: int,
    episodes: int,
    window: int,
    epsilon: float,
    step_size: float,
    decay: float,
    discount: float,
    updates: int,
    schedule: str,
) -> dict[str, Measured]:
    """One of four experiments; each uses its own part of the setting."""
    rng = np.random.default_rng(seed)
    if experiment == "maximum":
        rewards = rng.normal(reward_mean, reward_sd, (1 + double, replications, actions, samples))
        return {"maximization_bias": _largest_mean(rewards)}
    if experiment == "left_or_right":
        went, many = _left_or_right(rng, 1 + double, actions, reward_mean, (runs, episodes), epsilon, step_size, decay)
        for begin, end in _blocks(episodes):
            log("curve.left_rate", float(went[begin:end].mean()), end)
        return {"left_rate": float(went[-window:].mean()), "largest_q": float(many.max(axis=2).mean())}
    if experiment == "bias":
        return {"remaining_bias": _forget(log, discount, updates, schedule)}
    return {"noise_kept": _average(rng, log, discount, updates, schedule, reward_sd, runs)}


def _largest_mean(rewards: Array) -> float:
    """Choose the action by the first set of rewards, value it by the last: the same set, unless there are two."""
    means = rewards.mean(axis=-1)
    return float(np.take_along_axis(means[-1], means[0].argmax(axis=1)[:, None], axis=1).mean())


# Compiled, because each episode of a learner follows from the one before it, and nearly all of them are one step long.
@njit(cache=True)
def _left_or_right(
    rng: Generator,
    tables: int,
    actions: int,
    reward_mean: float,
    shape: tuple[int, int],
    epsilon: float,
    step_size: float,
    decay: float,
) -> tuple[Array, Array]:
    """Example 6.7: the share of runs that go left in each episode, and the estimates behind left at the end.

    Going right pays 0 for certain, so its estimate stays 0; left leads to many noisy actions.
    """
    (runs, episodes), every = shape, np.zeros((shape[0], tables, actions))
    went, start, behind = np.zeros(episodes), np.zeros(2), np.zeros(actions)  # behind left, what all tables say
    for run in range(runs):
        left, left_count, many, many_count = np.zeros(tables), np.zeros(tables), every[run], np.zeros((tables, actions))
        for episode in range(episodes):
            start[1] = left[0] if tables == 1 else left[0] + left[1]
            if _choose(rng, start, epsilon) == 0:
                continue
            went[episode] += 1 / runs
            for action in range(actions):
                behind[action] = many[0, action] if tables == 1 else many[0, action] + many[1, action]
            action = _choose(rng, behind, epsilon)
            reward = reward_mean + rng.standard_normal()
            table, other = int(rng.random() * tables), int(rng.random() * tables)
            favourite = 0
            for other_action in range(1, actions):
                if many[table, other_action] > many[table, favourite]:
                    favourite = other_action
            ahead = many[tables - 1 - table, favourite]  # the other table's word, where there are two
            left_count[table] += 1
            left[table] += (left_count[table] ** -decay if decay else step_size) * (ahead - left[table])
            many_count[other, action] += 1
            step = many_count[other, action] ** -decay if decay else step_size
            many[other, action] += step * (reward - many[other, action])
    return went, every


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


def _forget(log: Log, discount: float, updates: int, schedule: str) -> float:
    """Q of one state whose reward is 0, from 1 downwards. Nothing is drawn, so every seed gives the same."""
    value, ends = 1.0, {end for _, end in _blocks(updates)}
    for n in range(1, updates + 1):
        value += _step(schedule, n, discount) * (0.0 + discount * value - value)
        if n in ends:
            log("curve.remaining_bias", value, n)
    return value


def _average(
    rng: Generator, log: Log, discount: float, updates: int, schedule: str, reward_sd: float, runs: int
) -> float:
    """Variance over `runs` Q-values of one state whose reward is noise, all begun at the truth, 0."""
    value, ends = np.zeros(runs), {end for _, end in _blocks(updates)}
    for n in range(1, updates + 1):
        reward = reward_sd * rng.standard_normal(runs)
        value += _step(schedule, n, discount) * (reward + discount * value - value)
        if n in ends:
            log("curve.noise_kept", float(np.var(value, ddof=1)), n)
    return float(np.var(value, ddof=1))


def _step(schedule: str, n: int, discount: float) -> float:
    if schedule == "rescaled":
        return 1 / (1 + (1 - discount) * n)
    return 1 / n if schedule == "harmonic" else float(n**-0.6)


def _blocks(steps: int) -> list[tuple[int, int]]:
    """Blocks whose ends are evenly spaced on a log axis."""
    ends = np.unique(np.geomspace(1, steps, 60).astype(int)).tolist()
    return list(zip([0, *ends[:-1]], ends, strict=True))
