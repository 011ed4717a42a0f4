"""Play bandits: eps-greedy on many testbeds at once, sampled gradient-bandit updates, running estimates of one arm."""

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from labs.kit.trial import Log, Measured

Array = NDArray[np.float64]

BLOCK = 1000
"""Steps whose random numbers are drawn in one call: ten times cheaper than drawing them step by step."""
GROUP = 8
"""Rewards in a group whose mean is the baseline; also the group of GRPO's usual setting."""


def trial(
    seed: int,
    log: Log,
    *,
    experiment: str,
    runs: int,
    steps: int,
    window: int,
    arms: int,
    epsilon: float,
    decay: float,
    success_rates: Sequence[float],
    draws: int,
    baseline: str,
    estimates: int,
    step_size: float,
    drift_sd: float,
    reward_sd: float,
) -> dict[str, Measured]:
    """One of three experiments; each uses its own part of the setting."""
    rng = np.random.default_rng(seed)
    if experiment == "one_arm":
        return {"noise_floor": _track(rng, log, estimates, steps, step_size, drift_sd, reward_sd)}
    if experiment == "gradient":
        return _gradient(rng, arms, draws, baseline, reward_sd)
    coins = experiment == "coins"
    values = np.tile(success_rates, (runs, 1)) if coins else rng.standard_normal((runs, arms))
    share, reward = _epsilon_greedy(rng, values, steps, decay if decay else epsilon, bool(decay), coins)
    best = values.max(axis=1).mean()
    curves = {"optimal_share": share, "mean_reward": reward, "linear_regret": best - reward}
    for name, curve in curves.items():
        _log_curve(log, name, curve)
    told = {name: float(curve[-window:].mean()) for name, curve in curves.items()}
    return {**told, "best_value": float(best), "mean_value": float(values.mean())}


def _epsilon_greedy(
    rng: Generator, values: Array, steps: int, exploring: float, decays: bool, coins: bool
) -> tuple[Array, Array]:
    """Share of runs that pull their best arm, and the value of what they pull, at each step; sample averages."""
    runs, arms = values.shape
    first, value = np.arange(runs) * arms, values.ravel()
    is_best = (values == values.max(axis=1, keepdims=True)).ravel()
    estimate = 1e-9 * rng.random((runs, arms))  # ties among untried arms fall at random
    flat, count, seen = estimate.ravel(), np.zeros(runs * arms), np.zeros((2, steps))
    for start in range(0, steps, BLOCK):
        block = np.arange(start, min(start + BLOCK, steps))
        shape = len(block), runs
        explores = rng.random(shape) < (exploring / (block[:, None] + 1) if decays else exploring)
        other, noise = rng.integers(arms, size=shape), rng.random(shape) if coins else rng.standard_normal(shape)
        for row, step in enumerate(block):
            cell = first + np.where(explores[row], other[row], estimate.argmax(axis=1))
            paid = value[cell]
            count[cell] += 1
            flat[cell] += ((noise[row] < paid if coins else noise[row] + paid) - flat[cell]) / count[cell]
            seen[:, step] = is_best[cell].sum(), paid.sum()
    share, reward = seen / runs
    return share, reward


def _log_curve(log: Log, name: str, curve: Array) -> None:
    """Means over blocks whose ends are evenly spaced on a log axis."""
    ends = np.unique(np.geomspace(1, len(curve), 60).astype(int))
    for begin, end in zip([0, *ends[:-1]], ends, strict=True):
        log(f"curve.{name}", float(curve[begin:end].mean()), int(end))


def _gradient(rng: Generator, arms: int, draws: int, baseline: str, reward_sd: float) -> dict[str, Measured]:
    """The mean and the spread of `draws` updates (R - b)(1_A - pi) of one fixed bandit and policy."""
    drawn = np.random.default_rng(0)
    values, preferences = 4 + drawn.standard_normal(arms), drawn.standard_normal(arms)
    policy = np.exp(preferences) / np.exp(preferences).sum()
    arm = rng.choice(arms, size=draws, p=policy)
    reward = values[arm] + reward_sd * rng.standard_normal(draws)
    length = 1 - 2 * policy[arm] + policy @ policy
    signal = reward - _baseline(baseline, reward, policy, values)
    mean, plain_mean = (_mean_update(weight, arm, policy) for weight in (signal, reward))
    plain = np.mean(reward**2 * length) - plain_mean @ plain_mean
    uphill = _uphill(preferences, values)
    return {
        "gradient_ascent": float(mean @ uphill / np.linalg.norm(uphill)),
        "variance_factor": float(plain / (np.mean(signal**2 * length) - mean @ mean)),
        "action_values": values,
        "preferences": preferences,
    }


def _mean_update(signal: Array, arm: NDArray[np.int64], policy: Array) -> Array:
    update: Array = (np.bincount(arm, signal, len(policy)) - signal.sum() * policy) / len(arm)
    return update


def _uphill(preferences: Array, values: Array, nudge: float = 1e-5) -> Array:
    """The direction in which E[R] rises, felt out by nudging each preference."""
    tried = preferences + nudge * np.concatenate([np.eye(len(values)), -np.eye(len(values))])
    reward = np.exp(tried) @ values / np.exp(tried).sum(axis=1)
    rise: Array = (reward[: len(values)] - reward[len(values) :]) / (2 * nudge)
    return rise


def _baseline(kind: str, reward: Array, policy: Array, values: Array) -> Array | float:
    """What is subtracted from each reward before it weighs its update."""
    if kind in ("own_too", "others"):
        total: Array = reward.reshape(-1, GROUP).sum(axis=1).repeat(GROUP)
        return total / GROUP if kind == "own_too" else (total - reward) / (GROUP - 1)
    if kind == "two_before":
        two: Array = np.roll(reward, 1) + np.roll(reward, 2)
        return two / 2
    length = policy * (1 - 2 * policy + policy @ policy)
    best = length @ values / length.sum()
    return float({"zero": 0.0, "minus_three": -3.0, "mean": policy @ values, "least_variance": best}[kind])


def _track(
    rng: Generator, log: Log, estimates: int, steps: int, step_size: float, drift_sd: float, reward_sd: float
) -> float:
    """Variance over `estimates` running estimates of one arm each, all begun at 5 while the arm is worth 0."""
    estimate, worth = np.full(estimates, 5.0), np.zeros(estimates)
    marks = set(np.unique(np.geomspace(1, steps, 40).astype(int)))
    for step in range(1, steps + 1):
        if drift_sd:
            worth += drift_sd * rng.standard_normal(estimates)
        reward = worth + reward_sd * rng.standard_normal(estimates)
        estimate += (step_size or 1 / step) * (reward - estimate)
        if step in marks:
            log("curve.noise_floor", float(np.var(estimate - worth, ddof=1)), step)
    return float(np.var(estimate - worth, ddof=1))
