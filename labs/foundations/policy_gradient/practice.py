"""Sample episodes of the short corridor, or groups of rewards, and turn them into policy gradients."""

import numpy as np
from numba import njit
from numpy.random import Generator
from numpy.typing import NDArray

from labs.kit.trial import Log, Measured

Array = NDArray[np.float64]

NEXT = np.array([[0, 1], [2, 0], [1, 3]])
"""Where (left, right) lead from each state of the corridor; the middle one is reversed, and 3 is the goal."""


def trial(
    seed: int,
    log: Log,
    *,
    experiment: str,
    right: float,
    episodes: int,
    weight: str,
    baseline: str,
    success: float,
    group_size: int,
    groups: int,
    others: bool,
    divide: bool,
    ddof: int,
) -> dict[str, Measured]:
    """Measure the noise of one episode's gradient, or the mean gradient of groups."""
    rng = np.random.default_rng(seed)
    if experiment == "groups":
        return _group(rng, success, group_size, groups, others, divide, ddof)
    length, score, late = _play(rng, right, episodes)
    gradient = -late if weight == "to_go" else -length * score  # each step costs 1
    regression = np.cumsum(gradient * score) / np.cumsum(score**2)
    for count in np.unique(np.geomspace(100, episodes, 50).astype(int)):
        log("curve.best_baseline", float(regression[count - 1]), int(count))
    return _noise(gradient, score, -float(length.mean()) if baseline == "value" else 0.0)


@njit(cache=True)
def _play(rng: Generator, right: float, episodes: int) -> tuple[Array, Array, Array]:
    """Length T, sum of scores z_t = 1{right} - P(right), and sum of (T - t) z_t of each episode."""
    length, score, late = np.zeros(episodes), np.zeros(episodes), np.zeros(episodes)
    for episode in range(episodes):
        place, before = 0, 0.0
        while place != 3:
            goes_right = rng.random() < right
            before += goes_right - right
            late[episode] += before  # each score counts once for every step from its own to the end
            place = NEXT[place, int(goes_right)]
            length[episode] += 1
        score[episode] = before
    return length, score, late


def _noise(gradient: Array, score: Array, value: float) -> dict[str, Measured]:
    """Mean and deviation of the gradients of episodes, and what baselines, the best one and `value`, leave of them."""
    noise, best = gradient.var(), float(np.mean(gradient * score) / np.mean(score**2))
    least = np.var(gradient - best * score)
    return {
        "gradient_noise": float(np.sqrt(noise)),
        "signal_to_noise": float(gradient.mean() / np.sqrt(noise)),
        "best_baseline": best,
        "baseline_gain": float(noise / least),
        "value_baseline": float(np.var(gradient - value * score) / least),
    }


def _group(
    rng: Generator, success: float, size: int, groups: int, others: bool, divide: bool, ddof: int
) -> dict[str, Measured]:
    """Mean gradient, in the logit of success, of groups of rewards turned into advantages."""
    reward = (rng.random((groups, size)) < success).astype(float)
    total = reward.sum(axis=1, keepdims=True)
    advantage = reward - ((total - reward) / (size - 1) if others else total / size)
    if divide:
        spread = reward.std(axis=1, ddof=ddof, keepdims=True)
        advantage = np.divide(advantage, spread, out=np.zeros_like(advantage), where=spread > 0)
    mean = float(np.mean(advantage * (reward - success)))
    silent = float(np.mean((total == 0) | (total == size)))
    return {"group_mean": mean, "std_weight": mean / (success * (1 - success)), "silent_share": silent}
