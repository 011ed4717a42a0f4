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
    floor: float,
    window: int,
    collapsed_below: float,
) -> dict[str, Measured]:
    """Measure a fixed policy's return and its sampled gradient, or what REINFORCE has learnt at the end."""
    rng, theta = np.random.default_rng(seed), float(np.log(right / (1 - right)))
    if experiment == "fixed":
        total, gradient, score = _play(rng, right, runs * episodes, cap)
        estimate = gradient - _baseline(baseline, total) * score
        return {"expected_return": float(total.mean()), "policy_gradient": float(estimate.mean())}
    returns = _learn(rng, runs, episodes, theta, cap, last_reward, step_size, baseline_step, within_episode, floor)
    ends = np.unique(np.geomspace(1, episodes, 40).astype(int))
    for begin, end in zip([0, *ends[:-1]], ends, strict=True):
        log("curve.optimum", float(np.median(returns[:, begin:end].mean(axis=1))), int(end))
    final = returns[:, -window:].mean(axis=1)
    return {
        "optimum": float(np.median(final)),
        "collapse_share": float(np.mean(final < collapsed_below)),
        "mean_return": float(final.mean()),
    }


def _play(rng: Generator, right: float, episodes: int, cap: int) -> tuple[Array, Array, Array]:
    """Return, sum of G_t z_t, and sum of z_t of each episode, with z_t = 1{right} - P(right) and -1 a step.

    All episodes walk side by side, and those that end are set aside. G_t is the whole return plus t.
    """
    total, late, score = np.zeros((3, episodes))
    walking, place, step = np.arange(episodes), np.zeros(episodes, dtype=int), 0
    while len(walking):
        goes_right = rng.random(len(walking)) < right
        score[walking] += goes_right - right
        late[walking] += step * (goes_right - right)
        place, step = NEXT[place, goes_right.astype(int)], step + 1
        stays = (place != 3) & (step < cap)
        total[walking[~stays]] = -step
        walking, place = walking[stays], place[stays]
    return total, total * score + late, score


def _baseline(kind: str, returns: Array) -> Array | float:
    """What is subtracted from each return before it weighs its episode's score."""
    if kind == "zero":
        return 0.0
    total: Array = returns.reshape(-1, GROUP).sum(axis=1).repeat(GROUP)
    return total / GROUP if kind == "own_too" else (total - returns) / (GROUP - 1)


# Compiled, because each step moves its own run's policy: on one array axis all would wait for the longest episode.
@njit(cache=True)
def _learn(
    rng: Generator,
    runs: int,
    episodes: int,
    theta: float,
    cap: int,
    last_reward: float,
    step_size: float,
    baseline_step: float,
    within_episode: bool,
    floor: float,
) -> Array:
    """Returns of runs x episodes while REINFORCE learns, as in the book's box.

    There each step of an episode that is over moves theta, so that later steps are scored by a policy that never took
    them. Where not `within_episode`, all of them are scored by the policy that walked.
    """
    returns, took = np.zeros((runs, episodes)), np.zeros(cap)
    for run in range(runs):
        preference, value = theta, 0.0
        for episode in range(episodes):
            chance, place, length = _chance(preference, floor), 0, 0
            while place != 3 and length < cap:
                took[length] = rng.random() < chance
                place = NEXT[place, int(took[length])]
                length += 1
            to_go = (last_reward if place == 3 else -1.0) - (length - 1)
            returns[run, episode] = to_go
            for action in took[:length]:
                if within_episode:
                    chance = _chance(preference, floor)
                error = to_go - value
                value += baseline_step * error
                preference += 2 * step_size * error * (action - chance)  # two preferences move, in opposite directions
                to_go += 1
    return returns


@njit(cache=True)
def _chance(preference: float, floor: float) -> float:
    """Of going right; neither action is ever rarer than `floor`."""
    return float(min(max(1 / (1 + np.exp(-preference)), floor), 1 - floor))
