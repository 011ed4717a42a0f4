"""Take the steps that a trust region guards: along the natural gradient, under PPO's clip, with two actions alone."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from labs.kit.mdp import decisions
from labs.kit.trial import Log, Measured

Array = NDArray[np.float64]


def trial(
    seed: int,
    log: Log,
    *,
    experiment: str,
    problems: int,
    states: int,
    actions: int,
    branching: int,
    leaning: float,
    discount: float,
    unit: float,
    advantage: str,
    shift: str,
    optimiser: str,
    step_size: float,
    steps: int,
    clip: float,
    rare: float,
    batch: str,
    batches: int,
    batch_size: int,
) -> dict[str, Measured]:
    """Walk along the natural gradient, maximise the clipped surrogate, or do that with two actions until it is flat."""
    rng = np.random.default_rng(seed)
    if experiment == "bandit":
        return _bandit(rng.binomial(batch_size, rare, batches) / batch_size, rare, batch, step_size, clip)
    made = [decisions.garnet(rng, states, actions, branching) for _ in range(problems)]
    moves, pay = np.stack([moves for moves, _ in made]), np.stack([rewards[:, :, 0] for _, rewards in made])
    policy = _softmax(rng.normal(0.0, leaning, (problems, states, actions)))
    worth, share = _surroundings(policy, moves, pay, discount)
    unit_worth = worth / np.sqrt(np.einsum("ms,msa,msa->m", share, policy, worth**2))[:, None, None]
    if experiment == "clip":
        return _clipped(log, share, policy, unit_worth, optimiser, step_size, steps, clip)
    worth = unit_worth if advantage == "normalised" else worth
    found = _ray(log, moves, pay, discount, unit, share, policy, worth, shift)
    return {**found, "moves": moves, "pay": pay, "policy": policy}


def _surroundings(policy: Array, moves: Array, pay: Array, discount: float) -> tuple[Array, Array]:
    """The policy's advantages, and the share of discounted time that it spends in each state."""
    value = _values(policy, moves, pay, discount)
    worth = np.moveaxis(pay + discount * np.einsum("mast,mt->mas", moves, value) - value[:, None], 1, 2)
    back = np.eye(pay.shape[2]) - discount * np.einsum("msa,mast->mts", policy, moves)
    share = (1 - discount) * np.linalg.solve(back, np.full((*value.shape, 1), 1 / pay.shape[2]))[..., 0]
    return worth, share


def _values(policy: Array, moves: Array, pay: Array, discount: float) -> Array:
    """V of the policies, for any number of them before the axis of problems."""
    left = np.eye(pay.shape[2]) - discount * np.einsum("...msa,mast->...mst", policy, moves)
    paid = np.einsum("...msa,mas->...ms", policy, pay)
    return np.asarray(np.linalg.solve(left, paid[..., None])[..., 0], dtype=np.float64)


def _softmax(logits: Array) -> Array:
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True), dtype=np.float64)


def _ray(
    log: Log, moves: Array, pay: Array, discount: float, unit: float, share: Array, old: Array, worth: Array, shift: str
) -> dict[str, Measured]:
    """Steps along the natural gradient, which for a softmax table is the advantages: what is promised, what comes."""
    counts = np.unique(np.geomspace(1, 100 / unit, 500).astype(int))
    policy = _softmax(np.log(old) + counts[:, None, None, None] * unit * worth)
    gain = (_values(policy, moves, pay, discount) - _values(old, moves, pay, discount)).mean(axis=2)
    apart = np.abs(policy - old).sum(axis=3) / 2
    better = (policy * worth).sum(axis=3)
    promised = (share * better).sum(axis=2) / (1 - discount)
    scale = 2 * discount / (1 - discount) ** 2
    trpo = promised - 2 * scale * np.abs(worth).max(axis=(1, 2)) * apart.max(axis=2) ** 2
    shifted = apart.max(axis=2) if shift == "worst" else (share * apart).sum(axis=2)
    cpo = promised - scale * np.abs(better).max(axis=2) * shifted
    for count, mean in zip(counts[::8], gain[::8].mean(axis=1), strict=True):
        log("curve.improvement_bound", float(mean), int(count))
        log("curve.average_bound", float(mean), int(count))
    each, best, met, met_cpo = np.arange(len(old)), gain.argmax(axis=0), trpo.argmax(axis=0), cpo.argmax(axis=0)
    return {
        "improvement_bound": float((gain - trpo).min(axis=0).mean()),
        "average_bound": float((gain - cpo).min(axis=0).mean()),
        "certified_share": float(np.median(gain[met, each] / gain[best, each])),
        "average_share": float(np.median(gain[met_cpo, each] / gain[best, each])),
        "certified_step": float(np.median(counts[met] / counts[best])),
        "average_gain": float((gain[met_cpo, each] / gain[met, each]).mean()),
        "violations": float((gain < trpo - 1e-9).sum() + (gain < cpo - 1e-9).sum()),
    }


def _clipped(
    log: Log, share: Array, old: Array, worth: Array, optimiser: str, step_size: float, steps: int, clip: float
) -> dict[str, Measured]:
    """Climb PPO's clipped surrogate with full batches that hold every state and action in its proportion."""
    logits, slope, square, mass = np.log(old), np.zeros_like(worth), np.zeros_like(worth), share[..., None] * old
    ratio, shown = np.ones_like(worth), set(np.geomspace(1, steps, 40).astype(int))
    for step in range(1, steps + 1):
        pull = mass * worth * ratio * np.where(worth > 0, ratio < 1 + clip, ratio > 1 - clip)
        gradient = pull - old * ratio * pull.sum(axis=2, keepdims=True)
        if optimiser == "adam":
            slope, square = 0.9 * slope + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
            logits += step_size * slope / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
        else:
            logits += step_size * gradient
        ratio = _softmax(logits) / old
        outside = float((mass * (np.abs(ratio - 1) > clip + 1e-9)).sum(axis=(1, 2)).mean())
        if step in shown:
            log("curve.clip_keeps", outside, step)
    return {
        "clip_keeps": outside,
        "largest_ratio": float(ratio.max(axis=(1, 2)).mean()),
        "clip_divergence": float(-(mass * np.log(ratio)).sum(axis=(1, 2)).mean()),
    }


def _bandit(counted: Array, rare: float, batch: str, step_size: float, clip: float) -> dict[str, Measured]:
    ends = _climb(counted, 0.0 if batch == "rare" else 1.0, rare, step_size, clip)
    kl = -(rare * np.log(ends / rare) + (1 - rare) * np.log((1 - ends) / (1 - rare)))
    ratio = float((ends / rare).mean())
    return {"overshoot": ratio, "largest_ratio": ratio, "clip_divergence": float(kl.mean())}


# Compiled, because a batch is one number and takes up to a hundred thousand steps.
@njit(cache=True)
def _climb(counted: Array, kept: float, rare: float, step_size: float, clip: float) -> Array:
    """The chance of the rare, better action when no sample of the batch pulls any more; a batch has `counted` of it."""
    ends = np.empty_like(counted)
    for i, part in enumerate(counted):
        logit = np.log(rare / (1 - rare))
        while True:
            chance = 1 / (1 + np.exp(-logit))
            up, down = chance / rare, (1 - chance) / (1 - rare)
            pull = part * np.sqrt((1 - rare) / rare) * up * (1 - chance) if up < 1 + clip else 0.0
            pull += kept * (1 - part) * np.sqrt(rare / (1 - rare)) * down * chance if down > 1 - clip else 0.0
            if pull == 0.0:
                break
            logit += step_size * pull
        ends[i] = chance
    return ends
