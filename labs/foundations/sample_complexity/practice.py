"""What a horizon costs: values from a sampled model, TD and Q-learning at the same budget, and discounted averages."""

import numpy as np
from numba import njit
from numpy.random import Generator
from numpy.typing import NDArray

from labs.kit.mdp import decisions
from labs.kit.trial import Log, Measured

Array = NDArray[np.float64]


def trial(
    seed: int,
    log: Log,
    *,
    experiment: str,
    horizons: tuple[int, ...],
    samples: int,
    model: str,
    confidence: float,
    draws: int,
    budget: float,
    runs: int,
    actions: int,
    states: int,
    branching: int,
    policies: int,
    begin: str,
) -> dict[str, Measured]:
    """Run one of the three experiments at each horizon 1 / (1 - discount)."""
    rng = np.random.default_rng(seed)
    if experiment == "plug_in":
        return _plug_in(rng, log, horizons, samples, model, confidence, draws)
    if experiment == "learn":
        return _learn(rng, log, horizons, budget, runs, actions)
    return _average(rng, horizons, actions, states, branching, policies, begin)


def _hard(horizon: int) -> tuple[float, float, float]:
    """Discount, chance to stay and value of the hard instance: it pays 1 a step until it is left for nothing."""
    discount = 1 - 1 / horizon
    stay = (4 * discount - 1) / (3 * discount)
    return discount, stay, 1 / (1 - discount * stay)


def _plug_in(
    rng: Generator, log: Log, horizons: tuple[int, ...], samples: int, model: str, confidence: float, draws: int
) -> dict[str, Measured]:
    """Value of an estimated model, many estimates at once; how far it is off, and what the simulation lemma allows."""
    errors, lemmas = [], []
    for horizon in horizons:
        discount, stay, value = _hard(horizon)
        reward, seen = np.ones(draws), np.full(draws, stay)
        if model == "sampled":
            seen = rng.binomial(samples, stay, draws) / samples
        elif model == "known":
            reward = rng.normal(1.0, 1 / np.sqrt(samples), draws)
        else:  # as far off as Hoeffding's inequality lets it be
            seen -= np.sqrt(np.log(2 / (1 - confidence)) / (2 * samples))
        off = np.abs(reward / (1 - discount * seen) - value)
        lemma = 2 * discount * np.abs(seen - stay) * horizon**2
        log("curve.minimax_slope", _rms(off), horizon)
        log("curve.worst_case_slope", float(np.quantile(off, confidence)), horizon)
        log("curve.lemma_looseness", float(lemma.mean()), horizon)
        errors.append(_rms(off))
        lemmas.append(float(lemma.mean() / off.mean()))
    slope = _slope(horizons, errors)
    return {
        "value_error": errors[-1],
        "minimax_slope": slope,
        "worst_case_slope": slope,
        "lemma_looseness": float(np.mean(lemmas)),
    }


def _learn(
    rng: Generator, log: Log, horizons: tuple[int, ...], budget: float, runs: int, actions: int
) -> dict[str, Measured]:
    """TD (one action) or Q-learning (several, all alike) with budget x horizon^3 samples of each action."""
    errors, bias = [], 0.0
    for horizon in horizons:
        discount, stay, value = _hard(horizon)
        off = _synchronous(rng, runs, actions, discount, 1 - stay, round(budget * horizon**3)).max(axis=1) - value
        log("curve.td_slope" if actions == 1 else "curve.extra_horizon", _rms(off), horizon)
        errors.append(_rms(off))
        bias = float(off.mean())
    slope = _slope(horizons, errors)
    return {"td_slope": slope, "extra_horizon": slope, "overestimate": bias}


@njit(cache=True)
def _synchronous(rng: Generator, runs: int, actions: int, discount: float, leave: float, steps: int) -> Array:
    """Estimates of runs x actions after so many updates of every action, with the rescaled linear step size.

    Instead of a draw at every step, the steps until an action next leaves are drawn, which is the same and cheaper.
    """
    estimates, leaves = np.zeros((runs, actions)), np.zeros(actions)
    for estimate in estimates:
        best = 0.0
        for action in range(actions):
            leaves[action] = rng.geometric(leave)
        for step in range(1, steps + 1):
            size, target, best = 1 / (1 + (1 - discount) * step), 1 + discount * best, -np.inf
            for action in range(actions):
                if step == leaves[action]:
                    estimate[action] += size * (1 - estimate[action])
                    leaves[action] += rng.geometric(leave)
                else:
                    estimate[action] += size * (target - estimate[action])
                best = max(best, estimate[action])
    return estimates


def _average(
    rng: Generator, horizons: tuple[int, ...], actions: int, states: int, branching: int, policies: int, begin: str
) -> dict[str, Measured]:
    """Discounted value of random policies, averaged over the states that they visit, or over all states alike."""
    moves, rewards = decisions.garnet(rng, states, actions, branching)
    policy = rng.dirichlet(np.ones(actions), size=(policies, states))
    chain, pay = np.einsum("psa,ast->pst", policy, moves), np.einsum("psa,as->ps", policy, rewards[..., 0])
    visited = np.linalg.matrix_power(chain, 4_096)[:, 0]
    weights = visited if begin == "visited" else np.full(pay.shape, 1 / states)
    reward, one, other = (visited * pay).sum(axis=1), *np.triu_indices(policies, 1)
    gaps, swapped = [], []
    for horizon in horizons:
        value = np.linalg.solve(np.eye(states) - (1 - 1 / horizon) * chain, pay[..., None])[..., 0]
        average = (weights * value).sum(axis=1)
        gaps.append(np.abs(average - horizon * reward).max())
        swapped.append(np.mean((average[one] > average[other]) != (reward[one] > reward[other])))
    return {"futility": float(max(gaps)), "rank_changes": float(np.mean(swapped))}


def _rms(off: Array) -> float:
    return float(np.sqrt(np.mean(off**2)))


def _slope(horizons: tuple[int, ...], errors: list[float]) -> float:
    """Of the logarithms, by least squares."""
    return float(np.polyfit(np.log(horizons), np.log(errors), 1)[0])
