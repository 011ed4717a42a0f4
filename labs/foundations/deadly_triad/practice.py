"""Learn Baird's counterexample off the policy with TD, ETD or TDC: sampled, or by sweeps of the expected update."""

import numpy as np
from numba import njit
from numpy.random import Generator
from numpy.typing import NDArray

from labs.kit.mdp.baird import FEATURES, SOLID, START
from labs.kit.trial import Log, Measured

Array = NDArray[np.float64]
Steps = NDArray[np.int64]
Problem = tuple[Array, Array, float]  # features, how the behaviour visits the states, and the target's chance of solid


def trial(
    seed: int,
    log: Log,
    *,
    method: str,
    plain: bool,
    expected: bool,
    apart: bool,
    features: str,
    behaviour: float,
    target: float,
    discount: float,
    mixing: float,
    step_size: float,
    second_step: float,
    runs: int,
    steps: int,
) -> dict[str, Measured]:
    """Learn, and look at weights and values; or find where the expected update begins to diverge."""
    table = np.eye(*FEATURES.shape) if features == "tabular" else FEATURES
    problem = (table, np.append(np.full(SOLID, (1 - behaviour) / SOLID), behaviour), target)
    if method == "critical":
        return _critical(problem, discount)
    marks = np.unique(np.append(np.geomspace(1, steps, 50), 0.4 * steps).astype(np.int64))
    second_step *= method == "tdc" and not plain
    follow = discount / behaviour * (method == "etd" and not plain)
    if expected:
        told = _swept(problem, _ahead(discount, mixing), step_size, follow, marks)
    else:
        rates = (behaviour, discount, step_size, second_step, follow)
        told = _sampled(np.random.default_rng(seed), table, rates, apart, runs, marks)
    curves = _curves(method, told[:, :, :8], told[:, :, 8], table, discount)
    for name, curve in curves.items():
        for mark, number in zip(marks, curve, strict=True):
            log(f"curve.{name}", float(number), int(mark))
    ends: dict[str, Measured] = {name: float(curve[-1]) for name, curve in curves.items()}
    return ends | _growths(told[:, :, :8], table, marks) if method == "td" else ends


def _curves(method: str, weights: Array, emphasis: Array, table: Array, discount: float) -> dict[str, Array]:
    """What is looked at in each method's runs, at each mark: a mean square over runs, a mean, a median, or a share."""
    if method == "td":
        return {"second_moment": (weights**2).sum(axis=2).mean(axis=0), "mean_weight": weights[:, :, 7].mean(axis=0)}
    value, start = weights @ table.T, np.sqrt(np.mean((table @ START) ** 2))
    if method == "etd":
        error = np.sqrt((value**2).mean(axis=2))
        worse, middle = np.mean(~(error < start), axis=0), np.median(error, axis=0)
        return {"worse_than_start": worse, "emphatic_error": middle, "average_emphasis": np.median(emphasis, axis=0)}
    bellman = (discount * value[:, :, [SOLID]] - value) @ (table @ np.linalg.pinv(table)).T
    error, projected = (np.sqrt((one**2).mean(axis=(0, 2))) for one in (value, bellman))
    seen = {"value_error": error, "projected_error": projected, "error_left": error / start}
    return seen | {"tdc_weight": weights[:, :, 6].mean(axis=0)}


def _growths(weights: Array, table: Array, marks: Steps) -> dict[str, float]:
    """Mean over runs of how much weights and values grew a step, in logarithms, since 0.4 of the steps."""
    late = int(np.searchsorted(marks, int(0.4 * marks[-1])))
    sizes = [np.linalg.norm(one[:, [late, -1]], axis=2) for one in (weights, weights @ table.T)]
    growth, of_values = (float(np.log(size[:, 1] / size[:, 0]).mean() / (marks[-1] - marks[late])) for size in sizes)
    return {"growth": growth, "typical_growth": growth, "growth_without_a_leg": of_values}


def _critical(problem: Problem, discount: float) -> dict[str, Measured]:
    """Halve the range in which the expected update begins to grow with the discount, or stops to with lambda."""

    def grows(discount: float, mixing: float) -> bool:
        return bool(np.linalg.eigvals(_pull(*problem, _ahead(discount, mixing), np.ones(7))).real.max() > 1e-12)

    edges = np.array([[0.0, 0.0], [1.0, 1.0]])  # below and above, of the discount and of lambda
    for _ in range(45):
        middle = edges.mean(axis=0)
        above = np.array([grows(middle[0], 0.0), not grows(discount, middle[1])])
        edges = np.where([above, ~above], edges, middle)
    return {"critical_discount": float(edges[0, 0]), "critical_lambda": float(edges[0, 1])}


def _ahead(discount: float, mixing: float) -> float:
    """How much the lambda-return counts the next value, where the target policy stays there and nothing is paid."""
    n = np.arange(1, 5_000)
    return float(np.sum((1 - mixing) * mixing ** (n - 1) * discount**n))


def _pull(table: Array, visits: Array, target: float, ahead: float, weigh: Array) -> Array:
    """What the expected update adds to the weights, by the weights: states count as the behaviour visits them."""
    after = target * table[SOLID] + (1 - target) * table[:SOLID].mean(axis=0)
    return np.asarray(table.T @ ((visits * weigh)[:, None] * (ahead * after - table)))


def _swept(problem: Problem, ahead: float, step: float, follow: float, marks: Steps) -> Array:
    """Weights and mean emphasis after the marked sweeps; the emphasis follows on where `follow` is above 0."""
    w, told, weigh, wanted = START, [], np.ones(7), set(marks.tolist())
    pull = _pull(*problem, ahead, weigh)
    for sweep in range(1, marks[-1] + 1):
        w = w + step * pull @ w
        if follow:
            weigh[SOLID] = 1 + follow * (problem[1] @ weigh)  # solid alone leads there
            pull = _pull(*problem, ahead, weigh)
        if sweep in wanted:
            told.append(np.append(w, problem[1] @ weigh))
    return np.array([told])


@njit(cache=True)  # each run stands in its own state, and one step in seven moves its weights
def _sampled(rng: Generator, table: Array, rates: tuple[float, ...], apart: bool, runs: int, marks: Steps) -> Array:
    """Weights and average emphasis, of runs x marks. The target is solid; `apart` redraws the state each step."""
    behaviour, discount, step_size, second_step, follow = rates
    told = np.empty((runs, len(marks), 9))
    for run in range(runs):
        w, v, emphasis, total, mark, here = START.copy(), np.zeros(8), 1.0, 0.0, 0, _draw(rng, behaviour)
        for step in range(1, marks[-1] + 1):
            there = _draw(rng, behaviour)
            if there == SOLID:
                x, after, error, seen = table[here], table[SOLID], 0.0, 0.0
                for k in range(8):
                    error += (discount * after[k] - x[k]) * w[k]
                    seen += x[k] * v[k]
                for k in range(8):
                    w[k] += step_size * emphasis / behaviour * (error * x[k] - discount * seen * after[k])
                    v[k] += second_step / behaviour * (error - seen) * x[k]
            total += emphasis
            emphasis = 1 + follow * emphasis * (there == SOLID)
            here = _draw(rng, behaviour) if apart else there
            if step == marks[mark]:
                for k in range(8):  # not all at once, which takes seconds to compile
                    told[run, mark, k] = w[k]
                told[run, mark, 8] = total / step
                mark += 1
    return told


@njit(cache=True)
def _draw(rng: Generator, behaviour: float) -> int:
    """Where the behaviour leads, from any state: solid to the seventh, dashed to one of the first six."""
    chance = rng.random()
    return SOLID if chance < behaviour else int((chance - behaviour) / (1 - behaviour) * SOLID)
