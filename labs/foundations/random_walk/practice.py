"""Walk at random, many times, and learn each state's chance of an exit on the right: online or from a batch."""

import numpy as np
from numba import njit
from numpy.random import Generator
from numpy.typing import NDArray

from labs.kit.trial import Log, Measured

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
Shape = tuple[int, int, int]
MOST_SWEEPS = 10_000_000  # a batch that still moves then is not going to settle


def trial(
    seed: int,
    log: Log,
    *,
    experiment: str,
    method: str,
    states: int,
    initial: float,
    step_size: float,
    decay: float,
    runs: int,
    episodes: int,
    window: int,
    error: str,
    batches: int,
    marks: int,
    tolerance: float,
    increments: str,
) -> dict[str, Measured]:
    """Learn online and measure the error after each episode, or learn from batches until nothing moves."""
    rng = np.random.default_rng(seed)
    if experiment == "online":
        errors = _online(rng, (runs, episodes, states), method == "mc", step_size, decay, initial)
        curve = np.sqrt(errors.mean(axis=0)) if error == "root_of_mean" else np.sqrt(errors).mean(axis=0)
        for end in np.unique(np.geomspace(1, episodes, 50).astype(int)):
            log("curve.learning_curve", float(curve[end - 1]), int(end))
            log("curve.error_floor", float(curve[end - 1]), int(end))
        return {"learning_curve": float(curve[-1]), "error_floor": float(np.sqrt(errors[:, -window:].mean()))}
    rows, paid = _record(rng, batches, states, episodes)
    jumps, gain, visits = _counted(rows, paid, (episodes, batches, states), method)
    if experiment == "limit":
        limit = float(_limits(jumps[-1], gain[-1], visits[-1], increments == "averaged").mean())
        return {"step_limit": limit, "own_limit": limit, "transitions": rows.astype(float)}
    truth, value = np.arange(1, states + 1) / (states + 1), np.full((batches, states), initial)
    for at in np.unique(np.geomspace(1, episodes, marks).astype(int) if marks else np.arange(1, episodes + 1)) - 1:
        sweeps = _settle(value, jumps[at], gain[at], visits[at], step_size, tolerance)
        if sweeps == MOST_SWEEPS:
            raise RuntimeError(f"A batch still moves after {sweeps} sweeps: step_size is too large.")
        wrong = float(np.sqrt(np.mean((value - truth) ** 2, axis=1)).mean())
        log("curve.certainty_equivalence", wrong, int(at) + 1)
    return {"certainty_equivalence": wrong, "transitions": rows.astype(float), "sweeps": float(sweeps)}


@njit(cache=True)  # a run's episodes have to wait for each other, and lanes are few for such short steps
def _online(rng: Generator, shape: Shape, monte_carlo: bool, step_size: float, decay: float, initial: float) -> Array:
    """Squared error, mean over states, of each run after each episode: runs x episodes."""
    runs, episodes, states = shape
    errors, value, visits = np.zeros((runs, episodes)), np.zeros(states + 2), np.zeros(states + 2)
    for run in range(runs):
        value[1:-1] = initial  # the exits, at both ends, are worth nothing
        for episode in range(episodes):
            step = (episode + 1.0) ** -decay if decay else step_size
            place, reward, visits[:] = states // 2 + 1, 0.0, 0.0
            while 0 < place <= states:
                to = place + 1 if rng.random() < 0.5 else place - 1
                reward = 1.0 * (to == states + 1)
                visits[place] += 1
                value[place] += 0.0 if monte_carlo else step * (reward + value[to] - value[place])
                place = to
            for state in range(1, states + 1):
                if monte_carlo:  # towards the return, once a visit
                    value[state] = reward + (1 - step) ** visits[state] * (value[state] - reward)
                errors[run, episode] += (value[state] - state / (states + 1)) ** 2 / states
    return errors


def _record(rng: Generator, batches: int, states: int, episodes: int) -> tuple[Rows, Array]:
    """Each transition's batch, state, next state (exits past the last) and episode; and the return of that episode."""
    walks = np.arange(batches * episodes)
    place, rows, paid = np.full(len(walks), states // 2), [], np.zeros(len(walks))
    while len(walks):
        to = place + rng.choice((-1, 1), size=len(walks))
        there = np.where(to < 0, states, np.where(to == states, states + 1, to))
        rows.append(np.stack([walks // episodes, place, there, walks % episodes], axis=1))
        paid[walks] = to == states
        walks, place = walks[there < states], to[there < states]
    told = np.concatenate(rows)
    return told, paid[told[:, 0] * episodes + told[:, 3]]


def _counted(rows: Rows, paid: Array, shape: Shape, method: str) -> tuple[Array, Array, Array]:
    """Moves between states, what they pay (or their returns) and visits, of each batch's first 1, 2, ... episodes."""
    jumps, returns = np.zeros((*shape, shape[-1] + 2)), np.zeros(shape)
    np.add.at(jumps, tuple(rows[:, [3, 0, 1, 2]].T), 1.0)
    np.add.at(returns, tuple(rows[:, [3, 0, 1]].T), paid)
    jumps, returns = jumps.cumsum(axis=0), returns.cumsum(axis=0)
    alive, paying, visits = jumps[..., : shape[-1]].copy(), jumps[..., -1].copy(), jumps.sum(axis=-1)
    return (alive, paying, visits) if method == "td" else (0 * alive, returns, visits)


@njit(cache=True)
def _sweep(value: Array, jumps: Array, gain: Array, visits: Array, step: float) -> tuple[Array, float]:
    """What one sweep over a batch would move each state by, and the sum of that, signs aside."""
    pull, size = np.empty(len(value)), 0.0
    for state in range(len(value)):
        moved = gain[state] - visits[state] * value[state]
        for ahead in range(len(value)):
            moved += jumps[state, ahead] * value[ahead]
        pull[state] = step * moved
        size += abs(pull[state])
    return pull, size


@njit(cache=True)
def _settle(value: Array, jumps: Array, gain: Array, visits: Array, step_size: float, tolerance: float) -> int:
    """Sweep on until a sweep would move values by less than `tolerance` in sum; a step size of 0 is the batch's own."""
    most = 0
    for b in range(len(gain)):
        step = step_size or 1 / max(visits[b])
        for sweep in range(MOST_SWEEPS):
            pull, size = _sweep(value[b], jumps[b], gain[b], visits[b], step)
            most = max(most, sweep + 1)
            if size < tolerance:
                break
            for state in range(len(pull)):  # not at once: array expressions take seconds to compile
                value[b, state] += pull[state]
    return most


@njit(cache=True)
def _limits(jumps: Array, gain: Array, visits: Array, averaged: bool) -> Array:
    """The largest step size with which sweeps still calm down, found for each batch by halving an interval."""
    limits = np.zeros(len(gain))
    for b in range(len(gain)):
        low, high = 1e-4, 10.0
        for _ in range(20):
            step, half, now, value = np.sqrt(low * high), 0.0, 0.0, np.zeros(gain.shape[1])
            for sweep in range(400):
                pull, now = _sweep(value, jumps[b], gain[b], visits[b], step)
                for state in range(len(pull)):
                    value[state] += pull[state] / max(visits[b, state], 1.0) if averaged else pull[state]
                half = now if sweep == 200 else half
            low, high = (step, high) if now <= max(half, 1e-12) else (low, step)
        limits[b] = low
    return limits
