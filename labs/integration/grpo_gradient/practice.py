"""Take the gradient that TRL's GRPO hands to the optimizer, and hold it against the exact gradient of one prompt."""

from typing import Any

import torch
from transformers import TrainerCallback

from labs.kit.policy.exact import gradient, success
from labs.kit.policy.grpo import train
from labs.kit.policy.task import COMPLETION_LENGTH
from labs.kit.policy.training import Training
from labs.kit.trial import Log, Measured

CURVE_EVERY = 5
COPIES = 16
"""Of the prompt in the data set: at least as many as there are groups in a batch."""


def trial(seed: int, log: Log, *, prompt: str, scale: str, group_size: int, steps: int) -> dict[str, Measured]:
    """At learning rate 0 the policy stays put, so every step is an independent draw of the same gradient."""
    slopes = _Slopes(log, prompt)
    trained = train(
        Training(
            seed=seed,
            steps=steps,
            learning_rate=0.0,
            loss_type="dr_grpo",
            scale_rewards=scale,
            group_size=group_size,
            max_grad_norm=1e9,
            prompts=[prompt] * COPIES,
            lora=False,
            save_steps=steps,  # no checkpoint: seconds of work, and the sums below live in memory
        ),
        log,
        callbacks=[slopes],
    )
    slope = slopes.mean
    return {
        "self_baseline": slope,
        "std_weight": slope,
        "arcsin": slope,
        "success": float(success(trained.model, [prompt])[0]),
        "cosine": slopes.cosine,
    }


class _Slopes(TrainerCallback):
    """Projects each step's gradient on the exact one."""

    def __init__(self, log: Log, prompt: str) -> None:
        self._log, self._prompt = log, prompt
        self._steps = 0

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        """The exact gradient, once: the policy does not change."""
        self._parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self._exact = _flat(gradient(model, self._parameters, [self._prompt]))
        self._sum = torch.zeros_like(self._exact)

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """The loss is minus the objective, and `dr_grpo` divides it by the greatest length of a completion."""
        self._sum += -COMPLETION_LENGTH * _flat([parameter.grad for parameter in self._parameters])
        self._steps += 1
        if self._steps % CURVE_EVERY == 0:
            for claim in ("self_baseline", "std_weight", "arcsin"):
                self._log(f"curve.{claim}", self.mean, self._steps)

    @property
    def mean(self) -> float:
        """Slope of the mean gradient so far; the mean of the steps' slopes is the same number."""
        return float(self._sum @ self._exact / self._steps / (self._exact @ self._exact))

    @property
    def cosine(self) -> float:
        """Of the mean gradient with the exact one: 1 if it only has another length."""
        return float(self._sum @ self._exact / self._sum.norm() / self._exact.norm())


def _flat(parts: list[torch.Tensor]) -> torch.Tensor:
    return torch.cat([part.detach().double().flatten() for part in parts])
