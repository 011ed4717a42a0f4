"""Estimate one policy from another's episodes: a loop whose ratios have no variance, a bandit, a hand of blackjack."""

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from labs.kit.trial import Log, Measured

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

LENGTHS = 100
"""Lengths of all-left episodes that are told apart; a longer one is a chance of 10^-36."""
LONGEST = 10_000
"""Episodes of the longest estimate on the blackjack curves, as in the book's figure."""
VALUE = -0.27726
"""What the book says the hand is worth, from 10^8 episodes; errors are measured from it."""


def trial(
    seed: int,
    log: Log,
    *,
    experiment: str,
    runs: int,
    samples: int,
    stay: float,
    clip: float,
    cap: int,
    slope_from: int,
    target: Sequence[float],
    behaviour: Sequence[float],
    returns: Sequence[float],
    divisor: str,
) -> dict[str, Measured]:
    """One of three experiments; each uses its own part of the setting."""
    rng = np.random.default_rng(seed)
    if experiment == "loop":
        return _loop(rng, log, runs, samples, stay, clip or np.inf, cap, slope_from)
    if experiment == "bandit":
        return _bandit(rng, runs, samples, np.array(target), np.array(behaviour), np.array(returns), divisor)
    return _blackjack(rng, log, runs, samples, clip or np.inf)


def _loop(
    rng: Generator, log: Log, runs: int, samples: int, stay: float, clip: float, cap: int, slope_from: int
) -> dict[str, Measured]:
    """Estimates from 1 to `samples` episodes, by drawing how many of them there are of each length.

    Counts are all that an estimate needs of its episodes, so a billion cost no more than a thousand.
    """
    length = np.arange(cap or LENGTHS)
    chance = np.append((1 - stay) / 2 * (stay / 2) ** length, (stay / 2) ** len(length))  # left all the way, or cut off
    ratio = np.minimum(2.0 ** np.append(length + 1, len(length)), clip)
    weighed = ratio * np.append(np.ones(len(length)), 0.0)
    every = np.append(1 - chance.sum(), chance)  # the ratio 0 of all others comes first: what is left is soon used up
    marks = np.unique(np.append(np.geomspace(1, samples, 40).astype(int), min(slope_from, samples)))
    seen, error = np.zeros((runs, len(chance))), np.zeros(len(marks))
    for place, more in enumerate(np.diff(marks, prepend=0)):
        seen += rng.multinomial(more, every, size=runs)[:, 1:]
        estimate = seen @ weighed / marks[place]
        error[place] = np.median(np.abs(estimate - 1))
        log("curve.median_estimate", float(np.median(estimate)), int(marks[place]))
        log("curve.error_slope", float(error[place]), int(marks[place]))
    spread = np.sqrt((seen @ weighed**2 / samples - estimate**2) / (samples - 1))
    weight, late = seen @ ratio, marks >= slope_from
    told: dict[str, Measured] = {
        "coverage": float(np.mean(np.abs(estimate - 1) <= 1.96 * spread)),
        "median_estimate": float(np.median(estimate)),
        "weighted_exact": float(np.abs((seen @ weighed)[weight > 0] / weight[weight > 0] - 1).max()),
    }
    if late.sum() > 1:
        told["error_slope"] = float(np.polyfit(np.log(marks[late]), np.log(error[late]), 1)[0])
        told["error_from"] = float(error[late][0])
    return told


def _bandit(
    rng: Generator, runs: int, samples: int, target: Array, behaviour: Array, returns: Array, divisor: str
) -> dict[str, Measured]:
    """Bias and error of estimates from `samples` pulls each."""
    pulls, ratio = rng.multinomial(samples, behaviour, size=runs), target / behaviour
    ordinary = pulls @ (ratio * returns) / samples - target @ returns
    weighted = ordinary if divisor == "count" else pulls @ (ratio * returns) / (pulls @ ratio) - target @ returns
    bias = float(weighted.mean())
    told = {"ordinary_mse": float(np.mean(ordinary**2)), "weighted_mse": float(np.mean(weighted**2))}
    return {"weighted_bias": bias, "bias_rate": bias, **told}


def _blackjack(rng: Generator, log: Log, runs: int, samples: int, clip: float) -> dict[str, Measured]:
    """The mean and variance of an episode, and the errors of estimates of every size, cut from the same episodes."""
    ratio, paid = _hands(rng, runs)
    ratio = np.minimum(ratio, clip)
    weighed, sizes = ratio * paid, np.unique(np.append(np.geomspace(1, LONGEST, 40).astype(int), samples))
    errors = np.array([_errors(weighed, ratio, int(size)) for size in sizes])
    for name, curve in zip(("ordinary_mse", "weighted_mse"), errors.T, strict=True):
        for size, error in zip(sizes, curve, strict=True):
            log(f"curve.{name}", float(error), int(size))
    ordinary, weighted = errors[sizes == samples][0]
    told = {"blackjack_value": float(weighed.mean()), "ratio_variance": float(weighed.var())}
    return {**told, "ordinary_mse": float(ordinary), "weighted_mse": float(weighted)}


def _errors(weighed: Array, ratio: Array, size: int) -> tuple[float, float]:
    """Mean squared errors of the ordinary and the weighted estimate from `size` episodes."""
    total, weight = (np.diff(np.cumsum(part)[size - 1 :: size], prepend=0.0) for part in (weighed, ratio))
    weighted = np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)
    return float(np.mean((total / size - VALUE) ** 2)), float(np.mean((weighted - VALUE) ** 2))


def _hands(rng: Generator, episodes: int) -> tuple[Array, Array]:
    """Ratio and return of episodes played by a coin; one that leaves the target's path has ratio 0 and ends there."""
    ratio, paid = np.ones(episodes), np.zeros(episodes)
    playing, total, usable = np.arange(episodes), np.full(episodes, 13), np.ones(episodes, dtype=bool)
    while len(playing):
        hits = rng.random(len(playing)) < 0.5
        agrees = hits == (total < 20)  # the target sticks on 20 and 21
        ratio[playing] *= 2.0 * agrees
        sticks = agrees & ~hits
        paid[playing[sticks]] = _against_dealer(rng, total[sticks])
        playing, total, usable = playing[agrees & hits], total[agrees & hits], usable[agrees & hits]
        total, usable = _drawn(rng, total, usable)
        paid[playing[total > 21]] = -1.0
        stays = total <= 21
        playing, total, usable = playing[stays], total[stays], usable[stays]
    return ratio, paid


def _against_dealer(rng: Generator, player: Rows) -> Array:
    """What sticking pays against a dealer who shows a deuce."""
    total, usable = np.full(len(player), 2), np.zeros(len(player), dtype=bool)
    while (draws := total < 17).any():
        total[draws], usable[draws] = _drawn(rng, total[draws], usable[draws])
    return np.where(total > 21, 1.0, np.sign(player - total))


def _drawn(rng: Generator, total: Rows, usable: NDArray[np.bool_]) -> tuple[Rows, NDArray[np.bool_]]:
    """Hands with one more card; an ace counts 11 while that does not go bust."""
    card = np.minimum(rng.integers(1, 14, size=len(total)), 10)
    ace = (card == 1) & (total <= 10)
    total, usable = total + card + 10 * ace, usable | ace
    saved = usable & (total > 21)
    return total - 10 * saved, usable & ~saved
