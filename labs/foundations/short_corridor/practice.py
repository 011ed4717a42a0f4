"""Walk the short corridor with a fixed chance of going right, or with REINFORCE learning it."""

import numpy as np
from numba import njit
from numpy.random import Generator
from numpy.typing import NDArray

from labs.kit.trial import Log, Measured

Array = NDArray[np.float64]

NEXT = np.array([[0, 1], [2, 0], [1, 3]])
"""Where (left, right) lead from each state; the middle one is reversed, and 3 is the goal."""
GROUP = 8
"""Episodes in a group whose mean return is the baseline."""


def trial(
    seed: int,
    log: Log,
    *,
    experiment: str,
    right: float,
    runs: int,
    episodes: int,
    cap: int,
    last_reward: float,
    baseline: str,
    step_size: float,
    baseline_step: float,
    within_episode: bool,
    window: int,
    collapsed_below: float,
) -> dict[str, Measured]:
    """Measure a fixed policy's return and its sampled gradient, or what REINFORCE has learnt at the end."""
    rng, theta = np.random.default_rng(seed), float(np.log(right / (1 - right)))
    if experiment == "fixed":
        step_size, baseline_step = 0.0, 0.0
    returns, gradients, scores = _runs(
        rng, runs, episodes, theta, cap, last_reward, step_size, baseline_step, within_episode
    )
    if experiment == "fixed":
        estimates = gradients - _baseline(baseline, returns) * scores
        return {"expected_return": float(returns.mean()), "policy_gradient": float(estimates.mean())}
    ends = np.unique(np.geomspace(1, episodes, 40).astype(int))
    for begin, end in zip([0, *ends[:-1]], ends, strict=True):
        log("curve.optimum", float(np.median(returns[:, begin:end].mean(axis=1))), int(end))
    final = returns[:, -window:].mean(axis=1)
    return {
        "optimum": float(np.median(final)),
        "collapse_share": float(np.mean(final < collapsed_below)),
        "mean_return": float(final.mean()),
    }


# Compiled, because every step moves its run's policy: on one array axis all runs would wait for the longest episode.
@njit()
def _runs(
    rng: Generator,
    runs: int,
    episodes: int,
    theta: float,
    cap: int,
    last_reward: float,
    step_size: float,
    baseline_step: float,
    within_episode: bool,
) -> tuple[Array, Array, Array]:
    """Each episode's return, sum of G_t z_t and sum of z_t, with z_t = 1{right} - P(right); learning follows each."""
    returns, gradients, scores = np.zeros((3, runs, episodes))
    actions = np.zeros(cap)
    for run in range(runs):
        preference, value = theta, 0.0
        for episode in range(episodes):
            length, place = _walk(rng, preference, actions)
            last = last_reward if place == 3 else -1.0
            returns[run, episode] = last - (length - 1)
            preference, value, gradients[run, episode], scores[run, episode] = _learn(
                actions[:length], last, preference, value, step_size, baseline_step, within_episode
            )
    return returns, gradients, scores


@njit()
def _walk(rng: Generator, preference: float, actions: Array) -> tuple[int, int]:
    """Walk until the goal or the end of `actions`, filling them in (1 for right); return the length and the place."""
    chance, place, length = 1 / (1 + np.exp(-preference)), 0, 0
    while place != 3 and length < len(actions):
        goes_right = rng.random() < chance
        actions[length] = goes_right
        place = NEXT[place, int(goes_right)]
        length += 1
    return length, place


@njit()
def _learn(
    actions: Array,
    last: float,
    preference: float,
    value: float,
    step_size: float,
    baseline_step: float,
    within_episode: bool,
) -> tuple[float, float, float, float]:
    """Follow the book's box: each step moves theta, so later steps are scored by a policy that did not take them.

    Where not `within_episode`, all of them are scored by the policy that walked.
    """
    gradient, score, chance = 0.0, 0.0, 1 / (1 + np.exp(-preference))
    for step in range(len(actions)):
        to_go = last - (len(actions) - 1 - step)
        if within_episode:
            chance = 1 / (1 + np.exp(-preference))
        scored = actions[step] - chance
        gradient += to_go * scored
        score += scored
        error = to_go - value
        value += baseline_step * error
        preference += 2 * step_size * error * scored  # two preferences move by step_size each, in opposite directions
    return preference, value, gradient, score


def _baseline(kind: str, returns: Array) -> Array | float:
    """What is subtracted from each return before it weighs its episode's score."""
    if kind == "zero":
        return 0.0
    total: Array = returns.reshape(-1, GROUP).sum(axis=1).repeat(GROUP).reshape(returns.shape)
    return total / GROUP if kind == "own_too" else (total - returns) / (GROUP - 1)
