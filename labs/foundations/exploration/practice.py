"""Play two coins by six rules, test which of two arms is better, follow a drifting arm."""

from collections.abc import Mapping, Sequence
from math import isqrt
from math import log as ln

import numpy as np
from numba import njit
from numpy.random import Generator
from numpy.typing import NDArray

from labs.kit.trial import Log, Measured

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

POLICIES = ("first", "thompson", "posterior", "epsilon", "ucb1", "greedy")
FIRST, THOMPSON, POSTERIOR, EPSILON, UCB1, GREEDY = range(len(POLICIES))
REGRETS = ("regret_bound", "index_balance", "asymptotic_regret", "lai_robbins")


def trial(
    seed: int,
    log: Log,
    *,
    experiment: str,
    runs: int,
    steps: int,
    policy: str,
    epsilon: float,
    success_rates: Sequence[float],
    reward_sd: float,
    slope_from: int,
    dependent: bool,
    gap: float,
    delta: float,
    boundary: str,
    estimator: str,
    step_size: float,
    drift_sd: float,
    reversion: float,
) -> dict[str, Measured]:
    """One of four experiments; each uses its own part of the setting."""
    rng, rule = np.random.default_rng(seed), POLICIES.index(policy)
    if experiment == "stop":
        return _stop(rng, runs, gap, delta, boundary)
    if experiment == "track":
        marks, (average, constant) = _track(rng, runs, steps, step_size, drift_sd, reversion, reward_sd)
        error = average if estimator == "average" else constant
        curves = {"tracking_error": error, "kalman_floor": error, "constant_wins": average - constant}
        return _logged(log, marks, curves)
    if experiment == "prior":
        rates, end = _rates(rng, isqrt(runs), dependent), np.array([steps])
        earned, greedy = (_play(rng, rates, end, which, epsilon, 0.0).mean() for which in (rule, GREEDY))
        return {"heuristic_value": earned, "bayes_optimum": earned, "optimism_pays": earned - greedy}
    marks = np.unique(np.append(np.geomspace(2, steps, 40).astype(int), min(slope_from, steps)))
    earned = _play(rng, np.tile(success_rates, (runs, 1)), marks, rule, epsilon, reward_sd).mean(axis=0)
    regret = marks * max(success_rates) - earned
    told = _logged(log, marks, dict.fromkeys(REGRETS, regret))
    if slope_from < steps:
        told["regret_slope"] = float((regret[-1] - regret[marks == slope_from][0]) / ln(steps / slope_from))
    return told


def _logged(log: Log, marks: Rows, curves: Mapping[str, Array]) -> dict[str, Measured]:
    """Where each curve ends, once it is logged."""
    for name, curve in curves.items():
        for mark, value in zip(marks, curve, strict=True):
            log(f"curve.{name}", float(value), int(mark))
    return {name: float(curve[-1]) for name, curve in curves.items()}


def _rates(rng: Generator, side: int, dependent: bool) -> Array:
    """Uniform success rates of two arms, one pair from each cell of a grid: no cell is drawn too often."""
    cell = np.arange(side * side)
    if dependent:
        rate = (cell + rng.random(len(cell))) / len(cell)
        return np.stack([rate, 1 - rate], axis=1)
    rates: Array = (np.stack([cell // side, cell % side], axis=1) + rng.random((len(cell), 2))) / side
    return rates


# Compiled, because each pull waits for the one before: few runs, long horizons.
@njit(cache=True)
def _play(rng: Generator, rates: Array, marks: Rows, policy: int, epsilon: float, reward_sd: float) -> Array:
    """What each run has earned at each mark, counted by the success rates of the arms that it pulled."""
    earned = np.zeros((len(rates), len(marks)))
    for run in range(len(rates)):
        wins, pulls, total, mark = np.zeros(2), np.zeros(2), 0.0, 0
        for step in range(marks[-1]):
            arm = _choose(rng, policy, wins, pulls, step, epsilon)
            rate = rates[run, arm]
            total += rate
            pulls[arm] += 1
            wins[arm] += rate + reward_sd * rng.standard_normal() if reward_sd else 1.0 * (rng.random() < rate)
            if step + 1 == marks[mark]:
                earned[run, mark] = total
                mark += 1
    return earned


@njit(cache=True)
def _choose(rng: Generator, policy: int, wins: Array, pulls: Array, step: int, epsilon: float) -> int:
    """The arm to pull; ties fall at random."""
    if policy == FIRST or (step < 2 and policy >= EPSILON):
        return 0 if policy == FIRST else step
    if policy == EPSILON and rng.random() < epsilon:
        return int(rng.random() < 0.5)
    if policy == THOMPSON:
        lead = rng.beta(1 + wins[1], 1 + pulls[1] - wins[1]) - rng.beta(1 + wins[0], 1 + pulls[0] - wins[0])
    elif policy == POSTERIOR:
        lead = (wins[1] + 1) * (pulls[0] + 2) - (wins[0] + 1) * (pulls[1] + 2)
    elif policy == UCB1:
        bonus = 2 * np.log(step)
        lead = wins[1] / pulls[1] + np.sqrt(bonus / pulls[1]) - wins[0] / pulls[0] - np.sqrt(bonus / pulls[0])
    else:
        lead = wins[1] * pulls[0] - wins[0] * pulls[1]
    return int(lead > 0 or (lead == 0 and rng.random() < 0.5))


def _stop(rng: Generator, runs: int, gap: float, delta: float, boundary: str) -> dict[str, Measured]:
    """Pull two normal arms in pairs until the difference of their sums leaves the boundary; the first arm is better."""
    lead, samples, testing, pairs = np.zeros(runs), np.zeros(runs), np.arange(runs), 0
    while len(testing):
        pairs += 1
        lead[testing] += gap + np.sqrt(2) * rng.standard_normal(len(testing))
        width = 1.645**2 if boundary == "fixed" else 2 * ln((ln(2 * pairs) + 1) / delta)
        over = np.abs(lead[testing]) > np.sqrt(2 * pairs * width)
        samples[testing[over]] = 2 * pairs
        testing = testing[~over]
    mean = float(samples.mean())
    return {"stopping_bound": mean, "stopping_time": mean, "error_share": float(np.mean(lead < 0))}


def _track(
    rng: Generator, runs: int, steps: int, step_size: float, drift_sd: float, reversion: float, reward_sd: float
) -> tuple[Rows, Array]:
    """Steps, and the mean squared errors there of a sample average and a constant step that see the same rewards."""
    worth, average, constant = np.zeros((3, runs))
    marks, errors = np.unique(np.geomspace(1, steps, 50).astype(int)), []
    for step in range(1, steps + 1):
        worth += drift_sd * rng.standard_normal(runs) - reversion * worth
        reward = worth + reward_sd * rng.standard_normal(runs)
        average += (reward - average) / step
        constant += step_size * (reward - constant)
        if step in marks:
            errors.append([np.mean((estimate - worth) ** 2) for estimate in (average, constant)])
    return marks, np.array(errors).T
