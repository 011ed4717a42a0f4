"""A reward function in the shape of a reward model, which is all that TRL's PPO takes."""

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from labs.kit.policy.exact import Reward
from labs.kit.policy.task import EOS, PROMPT_LENGTH, VOCABULARY


class RewardModel(nn.Module):
    """Gives every place of a sequence the reward of its completion; the trainer reads the last place that is said."""

    base_model_prefix = "backbone"

    def __init__(self, reward: Reward) -> None:
        super().__init__()
        self.backbone = _Backbone(reward)

    def score(self, hidden: Tensor) -> Tensor:
        """The hidden state is the score."""
        return hidden


class _Backbone(nn.Module):
    def __init__(self, reward: Reward) -> None:
        super().__init__()
        self._reward = reward

    def forward(self, input_ids: Tensor, **_: Any) -> SimpleNamespace:
        """Hidden states of one number: (batch, places, 1)."""
        scores = torch.tensor([self._of(row) for row in input_ids.tolist()], device=input_ids.device)
        return SimpleNamespace(hidden_states=[scores.reshape(-1, 1, 1).expand(*input_ids.shape, 1)])

    def _of(self, row: list[int]) -> float:
        prompt, said = row[:PROMPT_LENGTH], row[PROMPT_LENGTH:]
        ended = said[: said.index(EOS) + 1] if EOS in said else said
        return self._reward("".join(VOCABULARY[token] for token in prompt), ended)
