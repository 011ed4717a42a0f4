"""Ascend a bandit by softmax policy gradient: exact or natural, or with one sampled arm a step."""

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.random import Generator
from numpy.typing import NDArray

from labs.kit.trial import Log, Measured

Array = NDArray[np.float64]
Marks = NDArray[np.int64]


def trial(
    seed: int,
    log: Log,
    *,
    gradient: str,
    rewards: Sequence[float],
    best: float,
    second: float,
    step_size: float,
    steps: int,
    reached: float,
    baseline: float,
    runs: int,
) -> dict[str, Measured]:
    """Measure how the suboptimality of one exact ascent falls, or which arms many sampled ones end on."""
    pay = np.array(rewards)
    marks = np.unique(np.geomspace(1, steps, 60).astype(int))
    if gradient == "sampled":
        chance = _sample(np.random.default_rng(seed), pay, step_size, baseline, runs, marks)
        for step, share in zip(marks, (chance < 0.5).mean(axis=0), strict=True):
            log("curve.committal_share", float(share), int(step))
        return {"committal_share": float(np.mean(chance[:, -1] < 0.5))}
    rest = np.full(len(pay) - 2, (1 - best - second) / (len(pay) - 2))
    start = np.log(np.concatenate([rest, [second, best]]))
    lost, least = _ascend(pay, start, step_size, gradient == "natural", steps)
    for step in marks:
        log("curve.rate", float(lost[step]), int(step))
        log("curve.natural_rate", float(lost[step]), int(step))
    return _speed(lost, least, pay, step_size, reached)


def _speed(lost: Array, least: float, pay: Array, step_size: float, reached: float) -> dict[str, Measured]:
    """Slopes, waits and bounds of a suboptimality; the wait is missing where it never ended."""
    last, time = len(lost) - 1, np.arange(1, len(lost))
    measured: dict[str, Measured] = {
        "rate": float(np.log10(lost[last] / lost[last // 10])),
        "upper_bound": float(np.max(lost[1:] * time) * least**2 / 5),
        "lower_bound": float(6 * last * lost[last] / (pay[-1] - pay[-2]) ** 2),
        "natural_rate": float((lost[last] / lost[last // 2]) ** (1 / (last - last // 2))),
        "natural_bound": float(np.max(lost[1:] * time) * step_size / np.log(len(pay))),
        "least_chance": least,
    }
    if lost[last] < reached:
        measured["plateau"] = float(np.argmax(lost < reached))
    return measured


@njit(cache=True)
def _ascend(pay: Array, start: Array, step_size: float, natural: bool, steps: int) -> tuple[Array, float]:
    """Suboptimality before each step and after the last, and the least chance that the best arm ever had."""
    theta, lost, least = start.copy(), np.zeros(steps + 1), 1.0
    policy = np.zeros(len(pay))
    for step in range(steps + 1):
        _softmax(theta, policy)
        value = _mean(policy, pay)
        for arm in range(len(pay)):
            lost[step] += policy[arm] * (pay[-1] - pay[arm])
        least = min(least, policy[-1])
        for arm in range(len(pay)):
            theta[arm] += step_size * (pay[arm] - value) * (1.0 if natural else policy[arm])
    return lost, least


# Compiled, because no step of a run can be taken before its last, and there are few runs.
@njit(cache=True)
def _sample(rng: Generator, pay: Array, step_size: float, baseline: float, runs: int, marks: Marks) -> Array:
    """Chance of the best arm of each run after `marks` steps; `baseline` times the policy's worth is subtracted."""
    chance = np.zeros((runs, len(marks)))
    policy = np.zeros(len(pay))
    for run in range(runs):
        theta, step = np.zeros(len(pay)), 0
        for mark in range(len(marks)):
            while step < marks[mark]:
                _softmax(theta, policy)
                drawn, arm = rng.random() - policy[0], 0
                while drawn >= 0 and arm < len(pay) - 1:
                    arm += 1
                    drawn -= policy[arm]
                push = step_size * (pay[arm] - baseline * _mean(policy, pay))
                for other in range(len(pay)):
                    theta[other] -= push * policy[other]
                theta[arm] += push
                step += 1
            _softmax(theta, policy)
            chance[run, mark] = policy[-1]
    return chance


# Loops, here and above: array expressions of ten numbers take seconds to compile and gain nothing.
@njit(cache=True)
def _softmax(theta: Array, policy: Array) -> None:
    """Write the policy of these preferences."""
    highest, total = theta[0], 0.0
    for preference in theta:
        highest = max(highest, preference)
    for arm in range(len(theta)):
        policy[arm] = np.exp(theta[arm] - highest)
        total += policy[arm]
    for arm in range(len(theta)):
        policy[arm] /= total


@njit(cache=True)
def _mean(policy: Array, pay: Array) -> float:
    total = 0.0
    for arm in range(len(pay)):
        total += policy[arm] * pay[arm]
    return total
