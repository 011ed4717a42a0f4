"""Take maxima of noisy means, learn Example 6.7 with Q-learning, and watch one Q-value forget where it began."""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from labs.kit.trial import Log, Measured

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
Step = Callable[[Array], Array | float]
"""The step size of the n-th update of an estimate."""


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
        went, many = _left_or_right(
            rng, double, actions, reward_mean, (runs, episodes), epsilon, lambda n: n**-decay if decay else step_size
        )
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


def _left_or_right(
    rng: Generator, double: bool, actions: int, reward_mean: float, shape: tuple[int, int], epsilon: float, step: Step
) -> tuple[Array, Array]:
    """Example 6.7: the share of runs that go left in each episode, and the estimates behind left at the end.

    Going right pays 0 for certain, so its estimate stays 0; left leads to many noisy actions.
    """
    (runs, episodes), tables = shape, 1 + double
    left, many = np.zeros((tables, runs)), np.zeros((tables, runs, actions))
    left_count, many_count, went = np.zeros_like(left), np.zeros_like(many), np.zeros(episodes)
    for episode in range(episodes):
        prefers = left.sum(axis=0) + 1e-12 * rng.standard_normal(runs) > 0  # a tie falls at random
        goes = np.where(rng.random(runs) < epsilon, rng.random(runs) < 0.5, prefers)
        went[episode], who = goes.mean(), np.flatnonzero(goes)
        action = _epsilon_greedy(rng, many[:, who].sum(axis=0), epsilon)
        reward = reward_mean + rng.standard_normal(len(who))
        table = rng.integers(tables, size=(2, len(who)))
        best = many[table[0], who].argmax(axis=1)
        ahead = many[tables - 1 - table[0], who, best]  # the other table's word, where there are two
        _move(left, left_count, (table[0], who), ahead, step)
        _move(many, many_count, (table[1], who, action), reward, step)
    return went, many


def _epsilon_greedy(rng: Generator, value: Array, epsilon: float) -> Rows:
    greedy = (value + 1e-12 * rng.random(value.shape)).argmax(axis=1)
    return np.where(rng.random(len(value)) < epsilon, rng.integers(value.shape[1], size=len(value)), greedy)


def _move(value: Array, count: Array, cell: tuple[Rows, ...], target: Array, step: Step) -> None:
    count[cell] += 1
    value[cell] += step(count[cell]) * (target - value[cell])


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
    ends = np.unique(np.geomspace(1, steps, 40).astype(int)).tolist()
    return list(zip([0, *ends[:-1]], ends, strict=True))
