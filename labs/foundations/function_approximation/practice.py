"""Learn linear values on a ring with TD(0), search random problems for bad fixed points, and sweep the worst one."""

import numpy as np
from numba import njit
from numpy.random import Generator
from numpy.typing import NDArray

from labs.kit.mdp.linear import grouped_walk, wave_ring
from labs.kit.trial import Log, Measured

Array = NDArray[np.float64]
Steps = NDArray[np.int64]


def trial(
    seed: int,
    log: Log,
    *,
    experiment: str,
    discount: float,
    step_size: float,
    apart: bool,
    runs: int,
    steps: int,
    problems: int,
    states: int,
    width: int,
    uniform: bool,
    stay: float,
) -> dict[str, Measured]:
    """One of four experiments; each uses its own part of the setting."""
    if experiment == "search":
        ratios = _error_ratios(np.random.default_rng(seed), problems, states, width, discount, uniform)
        largest = float(ratios.max())
        return {"book_bound": largest, "error_bound": largest, "median_ratio": float(np.median(ratios))}
    if experiment == "swap":
        return {"worst_case": _swap(discount, stay)}
    _, paid, features = grouped_walk() if experiment == "walk" else wave_ring()
    marks = np.unique(np.geomspace(1, steps // 4, 50).astype(np.int64))

    def averaged(step_size: float) -> tuple[Array, Array]:
        """The same walks for each step size."""
        rng = np.random.default_rng(seed)
        return _learn(rng, paid, features, discount, step_size, apart, runs, steps, marks)

    average, curve = averaged(step_size)
    if experiment == "walk":
        _draw(log, "averaged_weights", marks, curve[:, 1] - curve[:, 3])
        contrast = float(average[1] - average[3])
        return {"averaged_weights": contrast, "fixed_point": contrast}
    _draw(log, "biased_mean", marks, curve[:, 0])
    halved, aim = averaged(step_size / 2)[0][0], _settle(paid, features, discount)[0]
    return {
        "biased_mean": float(average[0]),
        "halving": float((average[0] - aim) / (halved - aim)),
        "extrapolated": float(2 * halved - average[0]),
    }


def _draw(log: Log, claim: str, marks: Steps, curve: Array) -> None:
    for mark, number in zip(marks, curve, strict=True):
        log(f"curve.{claim}", float(number), int(mark))


@njit(cache=True)  # few runs, long, each with a state of its own
def _learn(
    rng: Generator,
    paid: Array,
    features: Array,
    discount: float,
    step_size: float,
    apart: bool,
    runs: int,
    steps: int,
    marks: Steps,
) -> tuple[Array, Array]:
    """Mean over runs of the weights: averaged over the last three quarters of the steps, and at each mark."""
    states, width = features.shape
    average, curve = np.zeros(width), np.zeros((len(marks), width))
    for _ in range(runs):
        w, total, mark, here = np.zeros(width), np.zeros(width), 0, int(rng.random() * states)
        for step in range(1, steps + 1):
            there = here + int(rng.random() * 3) - 1
            there += states * (there < 0) - states * (there == states)
            error = paid[here]
            for k in range(width):
                error += (discount * features[there, k] - features[here, k]) * w[k]
            for k in range(width):
                w[k] += step_size * error * features[here, k]
            here = int(rng.random() * states) if apart else there
            for k in range(width):  # loops: array expressions of so few numbers take seconds to compile
                total[k] += w[k] * (step > steps // 4)
            if mark < len(marks) and step == marks[mark]:
                for k in range(width):
                    curve[mark, k] += w[k] / runs
                mark += 1
        for k in range(width):
            average[k] += total[k] / (steps - steps // 4) / runs
    return average, curve


def _settle(paid: Array, features: Array, discount: float) -> Array:
    """Where sweeps of the expected update on the ring end: the three next states of each state are averaged."""
    w: Array = np.zeros(features.shape[1])
    ahead = sum(np.roll(features, shift, axis=0) for shift in (-1, 0, 1)) / 3
    for _ in range(4_000):
        w = w + 0.5 * features.T @ (paid + (discount * ahead - features) @ w) / len(paid)
    return w


def _error_ratios(rng: Generator, problems: int, states: int, width: int, discount: float, uniform: bool) -> Array:
    """VE of the fixed point by the least VE, of random problems; all are solved side by side."""
    moves = rng.dirichlet(np.full(states, 0.2), size=(problems, states))
    paid, features = rng.standard_normal((problems, states, 1)), rng.standard_normal((problems, states, width))
    eye = np.eye(states)
    share = np.linalg.solve(eye - moves.swapaxes(1, 2) + 1, np.ones((problems, states, 1)))
    if uniform:
        share = np.full_like(share, 1 / states)
    value, weighed = np.linalg.solve(eye - discount * moves, paid), (share * features).swapaxes(1, 2)
    found = np.linalg.solve(weighed @ (features - discount * moves @ features), weighed @ paid)
    best = np.linalg.solve(weighed @ features, weighed @ value)
    of_td, least = ((share * (features @ w - value) ** 2).sum(axis=(1, 2)) for w in (found, best))
    return np.asarray(of_td / least)


def _swap(discount: float, stay: float) -> float:
    """The same ratio where two states swap places and one feature says the most misleading thing of them."""
    common, apart = np.sqrt((1 + discount) / 2), np.sqrt((1 - discount) / 2)
    moves = np.array([[stay, 1 - stay], [1 - stay, stay]])
    value, feature = -np.array([common + apart, common - apart]), np.array([common - apart, common + apart])
    paid, w, best = value - discount * moves @ value, 0.0, 0.0
    for _ in range(2_000):
        w += 0.25 * float(feature @ (paid + discount * moves @ feature * w - feature * w))
        best += 0.25 * float(feature @ (value - feature * best))
    return float(np.sum((feature * w - value) ** 2) / np.sum((feature * best - value) ** 2))
