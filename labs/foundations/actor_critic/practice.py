"""Walk the short corridor with an actor and a critic that sees all states as one, or tells them apart."""

import numpy as np
from numba import njit
from numpy.random import Generator
from numpy.typing import NDArray

from labs.kit.trial import Log, Measured

Array = NDArray[np.float64]
Cells = NDArray[np.int64]

NEXT = np.array([[0, 1], [2, 0], [1, 3]])
"""Where (left, right) lead from each state of the corridor; the middle one is reversed, and 3 is the goal."""


def trial(
    seed: int,
    log: Log,
    *,
    experiment: str,
    right: float,
    trace: float,
    aliased: bool,
    episodes: int,
    actor_step: float,
    critic_step: float,
    runs: int,
    steps: int,
) -> dict[str, Measured]:
    """Measure where a critic pushes a policy that stands still, or where actor and critic have gone after `steps`."""
    rng = np.random.default_rng(seed)
    cells = np.array([0, 0, 0, 1]) if aliased else np.arange(4)  # what the critic sees of each state and of the goal
    if experiment == "push":
        return {"actor_push": _push(rng, right, episodes, trace, cells)}
    marks = np.linspace(0, steps, 51).astype(int)[1:]
    reached = _learn(rng, runs, marks, right, trace, cells, actor_step, critic_step)
    for step, mean in zip(marks, reached.mean(axis=0), strict=True):
        log("curve.settles_at", float(mean), int(step))
        log("curve.climbs_to_best", float(mean), int(step))
    end = float(reached[:, -1].mean())
    return {"settles_at": end, "climbs_to_best": end}


def _push(rng: Generator, right: float, episodes: int, trace: float, cells: Cells) -> float:
    """Mean push of an episode on theta, with the critic that least-squares TD(trace) fits to the same episodes."""
    sums, size = _walk(rng, right, episodes, trace, cells), cells[3]
    critic = np.linalg.solve(sums[:size, :size], -sums[:size, -1])
    return float(sums[size, -1] + sums[size, :size] @ critic) / episodes


@njit(cache=True)
def _walk(rng: Generator, right: float, episodes: int, trace: float, cells: Cells) -> Array:
    """Sum over all steps of traces times temporal differences: a column for each weight's part, the last for the pay.

    A row for each of the critic's traces, the last for the actor's. The end has a weight too, which nobody reads.
    """
    size = cells[3]
    sums = np.zeros((size + 1, size + 2))
    for _ in range(episodes):
        place, seen = 0, np.zeros(size + 1)
        while place != 3:
            goes_right = rng.random() < right
            to = NEXT[place, int(goes_right)]
            for row in range(size + 1):
                seen[row] = trace * seen[row] + (goes_right - right if row == size else row == cells[place])
                sums[row, cells[place]] -= seen[row]
                sums[row, cells[to]] += seen[row]
                sums[row, -1] -= seen[row]
            place = to
    return sums


# Compiled, because runs are few and long, and no run's step can be taken before its last.
@njit(cache=True)
def _learn(
    rng: Generator,
    runs: int,
    marks: NDArray[np.int64],
    right: float,
    trace: float,
    cells: Cells,
    actor_step: float,
    critic_step: float,
) -> Array:
    """P(right) of each run after `marks` steps of the book's actor-critic with eligibility traces."""
    reached = np.zeros((runs, len(marks)))
    for run in range(runs):
        theta, value, seen, scored, place, step = np.log(right / (1 - right)), np.zeros(4), np.zeros(4), 0.0, 0, 0
        for mark in range(len(marks)):
            while step < marks[mark]:
                chance = 1 / (1 + np.exp(-theta))
                goes_right = rng.random() < chance
                to = NEXT[place, int(goes_right)]
                error = value[cells[to]] - value[cells[place]] - 1
                scored = trace * scored + goes_right - chance
                theta += actor_step * error * scored
                for cell in range(cells[3]):
                    seen[cell] = trace * seen[cell] + (cell == cells[place])
                    value[cell] += critic_step * error * seen[cell]
                place, step = to, step + 1
                if to == 3:
                    place, scored, seen[:] = 0, 0.0, 0.0
            reached[run, mark] = 1 / (1 + np.exp(-theta))
    return reached
