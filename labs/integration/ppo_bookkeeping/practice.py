"""Let PPO sample one policy again and again at learning rate 0, and average what it logs."""

from typing import Literal

import numpy as np

from labs.kit.policy import grpo
from labs.kit.policy.exact import Tree, rewards, tree
from labs.kit.policy.loading import load
from labs.kit.policy.ppo import PPOTraining, train
from labs.kit.policy.training import Training
from labs.kit.trial import Log, Measured, Quiet

METRICS = {
    "score": "objective/scores",
    "sampling_score": "objective/scores",
    "sequence_kl": "objective/kl",
    "sequence_entropy": "objective/entropy",
    "penalised_reward": "objective/rlhf_reward",
    "token_entropy": "policy/entropy_avg",
}


def trial(
    seed: int,
    log: Log,
    *,
    temperature: float,
    response_length: int,
    kl_coef: float,
    kl_estimator: Literal["k1", "k3"],
    updates: int,
    batch: int,
    moved: int,
    moved_rate: float,
) -> dict[str, Measured]:
    """Mean of each metric over the updates, and the exact distributions that they are samples of."""
    policy = grpo.train(Training(seed, moved, moved_rate, lora=False), Quiet()).model if moved else load("none")[0]
    told = train(
        PPOTraining(
            seed,
            updates,
            0.0,
            epochs=1,
            batch=batch,
            temperature=temperature,
            response_length=response_length,
            kl_coef=kl_coef,
            kl_estimator=kl_estimator,
            lora=False,
        ),
        log,
        policy=policy,
    )
    _check_the_sum(told.history, kl_coef)
    exact = tree(policy)
    entropy, tokens = _of_responses(exact, response_length)
    return {
        **{name: float(np.mean(told.series(metric))) for name, metric in METRICS.items()},
        "response_entropy": entropy,
        "response_tokens": tokens,
        "policy": exact.p,
        "sampled": tree(policy, temperature=temperature).p,
        "reference": tree(load("none")[0]).p,
        "reward": rewards(exact.prompts),
    }


def _check_the_sum(history: list[dict[str, float]], kl_coef: float) -> None:
    """rlhf_reward = scores - kl_coef kl in every update, to rounding: else the names mean something else."""
    for one in history:
        gap = one["objective/rlhf_reward"] - one["objective/scores"] + kl_coef * one["objective/kl"]
        if abs(gap) > 1e-5:
            raise ArithmeticError(f"objective/rlhf_reward is off by {gap} from scores - kl_coef kl")


def _of_responses(exact: Tree, response_length: int) -> tuple[float, float]:
    """Mean entropy and mean number of tokens of responses cut at this length: 1, or as many as there can be."""
    if response_length == 1:
        first = exact.levels[0]
        return float(-np.mean(np.sum(np.exp(first) * first, axis=-1))), 1.0
    return float(np.mean(exact.entropy)), float(np.mean(exact.length))
