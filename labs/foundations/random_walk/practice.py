"""Walk at random, many walks at once, and learn each state's chance of an exit on the right: online or from a batch."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from labs.kit.trial import Log, Measured

Array = NDArray[np.float64]
Rows = NDArray[np.int64]


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
    tolerance: float,
) -> dict[str, Measured]:
    """Learn online and measure the error after each episode, or learn from batches until nothing moves."""
    rng = np.random.default_rng(seed)
    if experiment == "batch":
        return _replay(_record(rng, batches, states, episodes), batches, states, method, step_size, tolerance, initial)
    errors = _online(rng, runs, states, episodes, method, step_size, decay, initial)
    curve = np.sqrt(errors.mean(axis=0)) if error == "root_of_mean" else np.sqrt(errors).mean(axis=0)
    for end in np.unique(np.geomspace(1, episodes, 50).astype(int)):
        log("curve.learning_curve", float(curve[end - 1]), int(end))
        log("curve.error_floor", float(curve[end - 1]), int(end))
    return {"learning_curve": float(curve[-1]), "error_floor": float(np.sqrt(errors[:, -window:].mean()))}


def _online(
    rng: Generator, runs: int, states: int, episodes: int, method: str, step_size: float, decay: float, initial: float
) -> Array:
    """Squared error, mean over states, of each run after each episode. Runs do not wait for each other."""
    truth, lane = np.arange(1, states + 1) / (states + 1), np.arange(runs)
    value = np.full((runs, states + 2), initial)
    value[:, [0, -1]] = 0.0  # the exits are worth nothing; the states are columns 1 to `states`
    flat, place, done = value.ravel(), np.full(runs, states // 2 + 1), np.zeros(runs, dtype=int)
    visits, errors = np.zeros_like(value), np.zeros((runs, episodes))
    while len(lane):
        to = place + np.where(rng.random(len(lane)) < 0.5, 1, -1)
        reward, step = to == states + 1, (done + 1.0) ** -decay if decay else step_size
        here = lane * (states + 2) + place
        if method == "td":
            flat[here] += step * (reward + flat[here - place + to] - flat[here])
        else:
            visits.ravel()[here] += 1
        place, ended = to, reward | (to == 0)
        over = lane[ended]
        if method == "mc":
            _towards_return(value, visits, over, reward[ended], np.broadcast_to(step, len(lane))[ended])
        errors[over, done[ended]] = np.mean((value[over, 1:-1] - truth) ** 2, axis=1)
        place[ended] = states // 2 + 1
        done[ended] += 1
        if (done == episodes).any():
            stays = done < episodes
            lane, place, done = lane[stays], place[stays], done[stays]
    return errors


def _towards_return(value: Array, visits: Array, over: Rows, reward: NDArray[np.bool_], step: Array) -> None:
    """Move each visited state towards the episode's return, once a visit."""
    kept = (1 - step[:, None]) ** visits[over, 1:-1]
    value[over, 1:-1] = reward[:, None] + kept * (value[over, 1:-1] - reward[:, None])
    visits[over] = 0


def _replay(
    rows: tuple[Rows, Rows, Rows, Array],
    batches: int,
    states: int,
    method: str,
    step_size: float,
    tolerance: float,
    initial: float,
) -> dict[str, Measured]:
    """Replay each batch's transitions until a sweep moves its estimates by less than `tolerance` in sum."""
    owner, here, there, exit_reward = rows
    truth, cell = np.arange(1, states + 1) / (states + 1), owner * (states + 2) + here
    ahead, reward = owner * (states + 2) + there, (there == states + 1).astype(float)
    value = np.full((batches, states + 2), initial)
    value[:, [0, -1]] = 0.0
    flat, moving, sweeps = value.ravel(), np.ones(batches, dtype=bool), 0
    while moving.any():
        target = reward + flat[ahead] if method == "td" else exit_reward
        pull = step_size * np.bincount(cell, target - flat[cell], flat.size).reshape(value.shape)
        moving &= np.abs(pull).sum(axis=1) >= tolerance
        value += pull * moving[:, None]
        sweeps += 1
        if sweeps > 1_000_000:
            raise RuntimeError(f"{moving.sum()} batches still move after {sweeps} sweeps: step_size is too large.")
    error = np.sqrt(np.mean((value[:, 1:-1] - truth) ** 2, axis=1))
    told = np.stack([owner, here - 1, np.where(there == 0, states, np.where(there > states, states + 1, there - 1))], 1)
    return {"certainty_equivalence": float(error.mean()), "transitions": told.astype(float), "sweeps": float(sweeps)}


def _record(rng: Generator, batches: int, states: int, episodes: int) -> tuple[Rows, Rows, Rows, Array]:
    """Every transition of every batch: whose, from, to, and the return of its episode."""
    walks = np.arange(batches * episodes)
    place, rows, exit_reward = np.full(len(walks), states // 2 + 1), [], np.zeros(len(walks))
    while len(walks):
        to = place + rng.choice((-1, 1), size=len(walks))
        rows.append(np.stack([walks, place, to]))
        exit_reward[walks] = to == states + 1
        stays = (to > 0) & (to <= states)
        walks, place = walks[stays], to[stays]
    walk, here, there = np.concatenate(rows, axis=1)
    return walk // episodes, here, there, exit_reward[walk]
