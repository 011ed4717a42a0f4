"""Draw runs whose truth is known, judge them, and count how often the judgement is right."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import stats

from labs.kit.trial import Log, Measured

Array = NDArray[np.float64]
RESAMPLES = 1_000


def trial(
    seed: int,
    log: Log,
    *,
    experiment: str,
    seeds_each: int,
    repetitions: int,
    confidence: float,
    interval: str,
    learn_share: float,
    runs_that: str,
    claims: int,
    correction: str,
    shared: float,
) -> dict[str, Measured]:
    """Count intervals that contain the truth, or families of true claims with a false alarm."""
    rng = np.random.default_rng(seed)
    if experiment == "family":
        alarms = _false_alarms(rng, repetitions, claims, seeds_each, shared, 1 - confidence, correction)
        _running(log, "family_error", alarms)
        return {"family_error": alarms.mean(), "holm_family_error": alarms.mean()}
    runs, truth = _runs(rng, (repetitions, seeds_each), runs_that, learn_share)
    low, high = _student(runs, confidence) if interval == "t" else _bootstrap(rng, runs, confidence)
    covered = (low <= truth) & (truth <= high)
    _running(log, "t_coverage", covered)
    return {"t_coverage": covered.mean(), "collapse_coverage": covered.mean()}


def _runs(rng: Generator, shape: tuple[int, int], runs_that: str, learn_share: float) -> tuple[Array, float]:
    """Final scores of runs, and their true mean."""
    if runs_that == "collapse":
        return (rng.random(shape) < learn_share).astype(float), learn_share
    return rng.normal(size=shape), 0.0


def _student(runs: Array, confidence: float) -> tuple[Array, Array]:
    half = stats.t.ppf((1 + confidence) / 2, runs.shape[1] - 1) * stats.sem(runs, axis=1)
    return runs.mean(axis=1) - half, runs.mean(axis=1) + half


def _bootstrap(rng: Generator, runs: Array, confidence: float) -> tuple[Array, Array]:
    """The percentile bootstrap of the mean, all repetitions at once."""
    count, seeds = runs.shape
    drawn = rng.integers(seeds, size=(RESAMPLES, count, seeds), dtype=np.int8)
    means = np.take_along_axis(runs[None], drawn, axis=2).mean(axis=2)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    return low, high


def _false_alarms(
    rng: Generator, families: int, claims: int, seeds: int, shared: float, alpha: float, correction: str
) -> NDArray[np.bool_]:
    """Families of true claims, each judged by a t test over its seeds: whether any is called false."""
    common = rng.normal(size=(families, 1, seeds))
    own = rng.normal(size=(families, claims, seeds))
    p = stats.ttest_1samp(np.sqrt(shared) * common + np.sqrt(1 - shared) * own, 0.0, axis=2).pvalue
    if correction == "holm":
        ranked = np.sort(p, axis=1)
        rejected = np.cumprod(ranked <= alpha / (claims - np.arange(claims)), axis=1)
        return np.asarray(rejected.any(axis=1))
    return np.asarray((p <= alpha).any(axis=1))


def _running(log: Log, claim: str, hits: NDArray[np.bool_]) -> None:
    """The share so far, at steps evenly spaced in the logarithm."""
    shares = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    for step in np.unique(np.geomspace(10, len(hits), 40).astype(int)):
        log(f"curve.{claim}", shares[step - 1], int(step))
