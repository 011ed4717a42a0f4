"""Learn from random walks with eligibility traces, and estimate a ring's values from returns of one step to many."""

import numpy as np
from numba import njit
from numpy.random import Generator
from numpy.typing import NDArray

from labs.kit.trial import Log, Measured

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

TRACES = ("offline", "accumulating", "dutch")
OFFLINE, _, DUTCH = range(3)
HUNDREDTHS = 15
"""Step sizes are swept up to this many hundredths."""
NOTHING_LEARNT = 0.55
"""RMS value of the states of the walk: the sweep is drawn while an error is below it, as in the book's figure."""


def trial(
    seed: int,
    log: Log,
    *,
    experiment: str,
    trace: str,
    trace_decay: float,
    step_size: float,
    states: int,
    runs: int,
    episodes: int,
    replayed: int,
    returns: int,
    steps: int,
    longest: int,
    discount: float,
    reward_sd: float,
    noise: str,
    confidence: float,
) -> dict[str, Measured]:
    """Learn the walk with one kind of trace, or estimate the ring's values from returns of 1 to `longest` steps."""
    rng = np.random.default_rng(seed)
    if experiment == "ring":
        return _ring(rng, log, (runs, states, returns), steps, longest, discount, reward_sd, noise, confidence)
    walks, first = _walks(rng, runs * episodes, states)
    kind, shape = TRACES.index(trace), (runs, episodes, states)
    errors = _learn(walks[:, 1], first, shape, kind, step_size, trace_decay)
    for hundredths in range(1, HUNDREDTHS + 1):
        swept = _over_runs(_learn(walks[:, 1], first, shape, kind, hundredths / 100, trace_decay))
        if swept < NOTHING_LEARNT:
            log("curve.lambda_error", swept, hundredths)
    seen = float(np.sqrt(errors[:replayed]).mean())  # whose walks theory is given
    return {
        "offline_view": seen,
        "online_view": seen,
        "lambda_error": _over_runs(errors),
        "walks": walks[: first[replayed * episodes]].astype(float),
    }


def _over_runs(errors: Array) -> float:
    """Mean over episodes of the root of the mean squared error over runs."""
    return float(np.sqrt(errors.mean(axis=0)).mean())


def _walks(rng: Generator, count: int, states: int) -> tuple[Rows, Rows]:
    """Rows of walk and state from the middle to an exit, 0 or past the last; and where each walk begins."""
    walking = np.arange(count)
    place = np.full(count, states // 2 + 1)
    rows = [np.stack([walking, place], axis=1)]
    while len(walking):
        place = place + rng.choice((-1, 1), size=len(place))
        rows.append(np.stack([walking, place], axis=1))
        stays = (place > 0) & (place <= states)
        walking, place = walking[stays], place[stays]
    told = np.concatenate(rows)
    told = told[np.argsort(told[:, 0], kind="stable")]
    return told, np.searchsorted(told[:, 0], np.arange(count + 1))


# Compiled, because every step reads what the step before it wrote, and moves a trace of all states.
@njit(cache=True)
def _learn(
    places: Rows, first: Rows, shape: tuple[int, int, int], kind: int, step_size: float, trace_decay: float
) -> Array:
    """Squared error, mean over states, of each run after each episode: runs x episodes."""
    runs, episodes, states = shape
    errors = np.zeros((runs, episodes))
    for run in range(runs):
        value = np.zeros(states + 2)
        for episode in range(episodes):
            walk = run * episodes + episode
            _episode(value, places[first[walk] : first[walk + 1]], kind, step_size, trace_decay)
            for state in range(1, states + 1):
                errors[run, episode] += (value[state] - (2 * state / (states + 1) - 1)) ** 2 / states
    return errors


@njit(cache=True)
def _episode(value: Array, walk: Rows, kind: int, step_size: float, trace_decay: float) -> None:
    """One episode of TD(lambda): with `known` values that stand still, with an accumulating trace, or true online."""
    known = value.copy() if kind == OFFLINE else value
    trace, before, exit_right = np.zeros(len(value)), 0.0, len(value) - 1
    for step in range(len(walk) - 1):
        here, there = walk[step], walk[step + 1]
        reward = 1.0 * (there == exit_right) - 1.0 * (there == 0)
        error = reward + known[there] - known[here]
        entered = 1 - step_size * trace_decay * trace[here] if kind == DUTCH else 1.0
        extra = known[here] - before if kind == DUTCH else 0.0
        before = known[there]
        for state in range(len(value)):
            trace[state] *= trace_decay
        trace[here] += entered
        for state in range(len(value)):
            value[state] += step_size * (error + extra) * trace[state]
        value[here] -= step_size * extra


def _ring(
    rng: Generator,
    log: Log,
    shape: tuple[int, int, int],
    steps: int,
    longest: int,
    discount: float,
    reward_sd: float,
    noise: str,
    confidence: float,
) -> dict[str, Measured]:
    """Returns of 1 to `longest` steps from each state of a ring, averaged: one walk serves all lengths."""
    angle = 2 * np.pi * np.arange(shape[1]) / shape[1]
    truth = np.sin(angle) / (1 - discount * np.cos(angle[1]))  # the reward is an eigenvector of the walk
    wrong, place = truth + 2 * np.cos(2 * angle), np.broadcast_to(np.arange(shape[1])[:, None], shape)
    drawn = shape if noise == "own" else (*shape[:2], 1)
    total, errors = np.zeros(shape), []
    for step in range(longest):
        total += discount**step * (np.sin(angle)[place] + reward_sd * rng.standard_normal(drawn))
        place = (place + 2 * rng.integers(2, size=shape) - 1) % shape[1]
        estimate = (total + discount ** (step + 1) * wrong[place]).mean(axis=2)
        errors.append(estimate - truth)
        log("curve.n_step_error", float(np.sqrt(np.mean(errors[-1] ** 2))), step + 1)
    size = np.sqrt(np.mean(np.square(errors), axis=(1, 2)))
    return {
        "n_step_error": float(size[steps - 1]),
        "best_steps": float(1 + size.argmin()),
        "phased_bound": float(np.quantile(np.abs(errors[steps - 1]), confidence)),
    }
