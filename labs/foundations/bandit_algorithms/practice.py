"""Play the ten-armed testbed by four algorithms: eps-greedy, UCB, optimistic greedy and the gradient bandit."""

from collections.abc import Iterator

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from labs.kit.trial import Log, Measured

Array = NDArray[np.float64]
Arms = NDArray[np.int64]

BLOCK = 100
"""Pulls whose random numbers are drawn in one call."""


def trial(
    seed: int,
    log: Log,
    *,
    algorithm: str,
    parameter: float,
    baseline: bool,
    runs: int,
    steps: int,
    arms: int,
    centre: float,
    reward_sd: float,
) -> dict[str, Measured]:
    """What the pulled arms are worth: after each was tried once, over all pulls; and how often it was the best."""
    rng = np.random.default_rng(seed)
    values = centre + rng.standard_normal((runs, arms))
    if algorithm == "gradient":
        paid, share = _gradient(rng, values, parameter, baseline, steps, reward_sd)
    else:
        paid, share = _by_estimate(rng, values, algorithm, parameter, steps, reward_sd)
    for begin, end in _blocks(steps, arms + 2):
        place = end if end == steps else (begin + end + 1) // 2
        log("curve.earned", float(paid[begin:end].mean()), place)
        if algorithm == "gradient":
            log("curve.best_share", float(share[begin:end].mean()), place)
    return {
        "spike": float(paid[arms]),
        "after_spike": float(paid[arms + 1]),
        "earned": float(paid.mean()),
        "best_share": float(share[-(steps // 10) :].mean()),
        "action_values": values,
    }


def _blocks(steps: int, single: int) -> list[tuple[int, int]]:
    """The first pulls one by one, then blocks: evenly spaced on a log axis at first, and on a plain one later."""
    later = [np.geomspace(single, steps, 30), np.linspace(steps / 20, steps, 20)]
    ends = np.unique(np.concatenate([np.arange(1, single + 1), *later]).astype(int))
    ends = ends[(ends > 0) & (ends <= steps)].tolist()
    return list(zip([0, *ends[:-1]], ends, strict=True))


def _noise(rng: Generator, steps: int, runs: int) -> Iterator[tuple[int, Array, Array]]:
    """Each pull's number, and for each run a uniform and a normal number."""
    for start in range(0, steps, BLOCK):
        shape = min(BLOCK, steps - start), runs
        pulls = range(start + 1, start + shape[0] + 1)
        yield from zip(pulls, rng.random(shape), rng.standard_normal(shape), strict=True)


def _by_estimate(
    rng: Generator, values: Array, algorithm: str, parameter: float, steps: int, reward_sd: float
) -> tuple[Array, Array]:
    """Worth of what is pulled, and the share that is the best arm, at each pull; by estimates of the arms' worth.

    Sample averages from 0, or with optimism a step of 0.1 from `parameter`. A tie falls to the first arm: the arms are
    drawn alike, so that is as good as any.
    """
    runs, arms = values.shape
    first, value, best = np.arange(runs) * arms, values.ravel(), values.argmax(axis=1)
    estimate = np.full((runs, arms), parameter if algorithm == "optimistic" else 0.0)
    count, seen = np.full((runs, arms), 1e-9), np.zeros((2, steps))  # a count of almost 0 makes UCB try each arm once
    for pull, chance, noise in _noise(rng, steps, runs):
        index = estimate + parameter * np.sqrt(np.log(pull) / count) if algorithm == "ucb" else estimate
        arm = index.argmax(axis=1)
        if algorithm == "epsilon":  # the same number that tells whether to explore tells which arm, in its tenths
            arm = np.where(chance < parameter, (chance / parameter * arms).astype(int), arm)
        cell, paid = first + arm, value[first + arm]
        count.ravel()[cell] += 1
        size = 0.1 if algorithm == "optimistic" else 1 / count.ravel()[cell]
        estimate.ravel()[cell] += size * (paid + reward_sd * noise - estimate.ravel()[cell])
        seen[:, pull - 1] = paid.mean(), np.mean(arm == best)
    return seen[0], seen[1]


def _gradient(
    rng: Generator, values: Array, step_size: float, baseline: bool, steps: int, reward_sd: float
) -> tuple[Array, Array]:
    """The same by preferences; the baseline is the mean of the rewards before."""
    runs, arms = values.shape
    first, value, best = np.arange(runs) * arms, values.ravel(), values.argmax(axis=1)
    preference, mean, seen = np.zeros((runs, arms)), np.zeros(runs), np.zeros((2, steps))
    for pull, chance, noise in _noise(rng, steps, runs):
        weight = np.exp(preference - preference.max(axis=1, keepdims=True))
        edges = weight.cumsum(axis=1)
        arm = np.minimum((edges < chance[:, None] * edges[:, -1:]).sum(axis=1), arms - 1)
        cell, paid = first + arm, value[first + arm]
        reward = paid + reward_sd * noise
        before = mean if pull > 1 else reward  # nothing was paid before the first
        push = step_size * (reward - before if baseline else reward)
        preference -= (push / edges[:, -1])[:, None] * weight
        preference.ravel()[cell] += push
        mean += (reward - mean) / pull
        seen[:, pull - 1] = paid.mean(), np.mean(arm == best)
    return seen[0], seen[1]
