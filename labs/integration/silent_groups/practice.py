"""Train with TRL's GRPOTrainer and hold its metrics against the exact success rates of the prompts of each batch."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from transformers import TrainerCallback

from labs.kit.policy.exact import success
from labs.kit.policy.grpo import train
from labs.kit.policy.loading import Quantization
from labs.kit.policy.training import Training
from labs.kit.trial import Log, Measured


def trial(
    seed: int,
    log: Log,
    *,
    quantization: Quantization,
    scale: str,
    temperature: float,
    group_size: int,
    learning_rate: float,
    steps: int,
    window: int,
) -> dict[str, Measured]:
    """One training; what TRL logs is averaged over its steps, and each batch's exact success rates go to theory."""
    batch = _Batch()
    trained = train(
        Training(
            seed=seed,
            steps=steps,
            learning_rate=learning_rate,
            scale_rewards=scale,
            group_size=group_size,
            temperature=temperature,
            quantization=quantization,
        ),
        log,
        watch_batch=batch.look,
        callbacks=[batch],
    )
    silent, reward = trained.series("frac_reward_zero_std"), trained.series("reward")
    for end in range(window, steps + 1, window):
        log("curve.zero_groups", silent[end - window : end].mean(), end)
        log("curve.logged_reward", reward[end - window : end].mean(), end)
    return {
        "zero_groups": silent.mean(),
        "batch_scaled_metric": silent.mean(),
        "logged_reward": reward.mean(),
        "success": np.array([told["success"] for told in trained.history]),
        **{f"layers_{name.lower()}": count for name, count in trained.layers.items()},
    }


class _Batch(TrainerCallback):
    """Notes the exact success rate of each prompt of a batch, at temperature 1, when its completions are paid."""

    def look(self, model: Any, prompts: Sequence[str]) -> Mapping[str, float]:
        """One number a group: before the update, so of the policy that was sampled."""
        self.success = success(model, list(dict.fromkeys(prompts)))
        return {}

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """Into the trainer's own history, which a checkpoint holds, so a resumed trial has all of its batches."""
        if "reward" in logs:
            state.log_history[-1]["success"] = self.success.tolist()
