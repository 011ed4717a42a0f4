"""The numbers of a GRPO training, and what it leaves behind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labs.kit.policy.exact import Reward
from labs.kit.policy.loading import Precision, Quantization
from labs.kit.policy.task import COMPLETION_LENGTH, PROMPTS, right


@dataclass(frozen=True)
class Training:
    """The numbers of one training; those that have a default are the recipe's."""

    seed: int
    steps: int
    learning_rate: float = 1e-3
    scheduler: str = "constant"
    loss_type: str = "dapo"
    scale_rewards: str = "group"
    beta: float = 0.0
    use_bias_correction_kl: bool = True
    group_size: int = 8
    batch: int = 64
    """Completions a step: batch / group_size prompts."""
    iterations: int = 1
    """Updates a batch of completions."""
    temperature: float = 1.0
    max_grad_norm: float = 1.0
    prompts: Sequence[str] = PROMPTS
    """The data set, in this order; at least batch / group_size of them."""
    reward: Reward = right
    model: str | Path = "base"
    quantization: Quantization = "none"
    guard: bool = True
    lora: bool = True
    """LoRA of rank 16 on all linear layers, or all weights."""
    precision: Precision = "float32"
    """Of the trained weights. TRL's own choice is bfloat16 for the adapter of a quantised model, float32 otherwise."""
    completion_length: int = COMPLETION_LENGTH
    save_steps: int = 50
    """A checkpoint every so many steps, if the training is longer than that and the trial has a folder."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """Further keywords of GRPOConfig."""


@dataclass(frozen=True)
class Trained:
    """What a training leaves behind."""

    model: Any
    """The policy in training mode, with its adapter where there is one."""
    history: list[dict[str, Any]]
    """Per step what the trainer told and what the watches saw; also of the steps before a resume."""
    layers: dict[str, int]
    """The classes of the linear layers, as asserted."""

    def series(self, name: str) -> NDArray[np.float64]:
        """One number a step, in order, from the steps that have it."""
        return np.array([told[name] for told in self.history if name in told], dtype=np.float64)
