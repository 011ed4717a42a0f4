"""Train a policy with TRL's GRPO and a KL penalty, and enumerate where it ends."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from labs.kit.policy.exact import COMPLETIONS, Tree, rewards, success, tree
from labs.kit.policy.grpo import train
from labs.kit.policy.loading import load
from labs.kit.policy.task import COMPLETION_LENGTH
from labs.kit.policy.training import Training
from labs.kit.trial import Log, Measured

CURVE_EVERY = 5


def trial(
    seed: int,
    log: Log,
    *,
    prompts: Sequence[str],
    beta: float,
    group_size: int,
    scale: str,
    corrected: bool,
    learning_rate: float,
    steps: int,
    last_share: float,
    optimum_factor: float,
) -> dict[str, Measured]:
    """All weights are trained, the learning rate falls to 0, and the end is the mean over the last steps."""
    start = steps - round(steps * last_share)

    def watch(model: Any, step: int) -> Mapping[str, float]:
        if step <= start and step % CURVE_EVERY:
            return {}
        p = float(success(model, prompts).mean())
        return {"curve.own_fixed_point": p, "curve.textbook_optimum": p}

    reference = tree(load()[0], prompts)
    trained = train(
        Training(
            seed=seed,
            steps=steps,
            learning_rate=learning_rate,
            scheduler="linear",
            loss_type="dr_grpo",
            scale_rewards=scale,
            beta=beta,
            use_bias_correction_kl=corrected,
            group_size=group_size,
            batch=len(prompts) * group_size,
            prompts=prompts,
            lora=False,
        ),
        log,
        watch=watch,
    )
    policy = tree(trained.model, prompts)
    end = np.mean([told["curve.own_fixed_point"] for told in trained.history if told["step"] > start])
    kl = policy.kl(reference).mean()
    return {
        "identity": policy.success.mean() - beta * kl,
        "own_fixed_point": end,
        "textbook_optimum": end,
        "sequence_kl": kl,
        "start": reference.success.mean(),
        "reference": reference.p,
        "policy": policy.p,
        "optimum": _optimum(reference, beta * optimum_factor),
        "reward": rewards(prompts),
        "completions": np.array([(*said, *[-1] * (COMPLETION_LENGTH - len(said))) for said in COMPLETIONS]),
    }


def _optimum(reference: Tree, beta: float) -> Any:
    """The policy that maximises reward - beta KL(. || reference): the reference tilted by the reward."""
    tilted = reference.log_p + rewards(reference.prompts) / beta
    return np.exp(tilted - np.logaddexp.reduce(tilted, axis=1, keepdims=True))
