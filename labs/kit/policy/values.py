"""Values along completions: the exact value function in the shape of a learned critic's, and as a value model."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from labs.kit.policy.exact import COMPLETIONS, Tree
from labs.kit.policy.packing import GOES_ON, WORDS
from labs.kit.policy.task import COMPLETION_LENGTH, EOS, PROMPT_LENGTH, encode

Array = NDArray[np.float64]
PLACE = {completion: place for place, completion in enumerate(COMPLETIONS)}
"""Completion -> its place in COMPLETIONS."""

TOKENS = np.array([[*said, *[-1] * (COMPLETION_LENGTH - len(said))] for said in COMPLETIONS])
"""(2380, 3): the tokens of every completion, -1 after its end."""


def exact_values(exact: Tree, reward: Array) -> tuple[Array, Array, Array]:
    """V after the prompt, one token and two, shaped like critic_values(): behind <eos> it is the reward."""
    first, second, third = exact.values(reward)
    one, two = np.zeros((len(first), WORDS)), np.zeros((len(first), len(GOES_ON), WORDS))
    one[:, GOES_ON], two[:, :, GOES_ON] = second, third
    one[:, EOS] = reward[:, PLACE[EOS,]]
    two[:, :, EOS] = np.stack([reward[:, PLACE[token, EOS]] for token in GOES_ON], axis=1)
    return first, one, two


def along(first: Array, second: Array, third: Array) -> Array:
    """(prompts, completions, 3): the value before each token of a completion, and behind its end if it is short."""
    made = np.zeros((len(first), len(COMPLETIONS), 3))
    made[:, :, 0] = first[:, None]
    made[:, :, 1] = second[:, [said[0] for said in COMPLETIONS]]
    long = [place for place, said in enumerate(COMPLETIONS) if len(said) > 1]
    made[:, long, 2] = third[:, [GOES_ON.index(COMPLETIONS[p][0]) for p in long], [COMPLETIONS[p][1] for p in long]]
    return made


class TableCritic(torch.nn.Module):
    """The value function as a value model: its hidden state at each place is the value there."""

    base_model_prefix = "backbone"

    def __init__(self, prompts: Sequence[str], truth: Array) -> None:
        super().__init__()
        self.backbone = torch.nn.Module()
        self.backbone.forward = self._values
        self._numbers = {tuple(encode(prompt)): number for number, prompt in enumerate(prompts)}
        self._truth = truth

    def score(self, hidden: torch.Tensor) -> torch.Tensor:
        """The hidden state is the value."""
        return hidden

    def _values(self, input_ids: torch.Tensor, **_: Any) -> SimpleNamespace:
        told = np.zeros((*input_ids.shape, 1), np.float32)
        for place, row in enumerate(input_ids.tolist()):
            number = self._numbers[tuple(row[:PROMPT_LENGTH])]
            told[place, PROMPT_LENGTH - 1 : PROMPT_LENGTH + 2, 0] = self._truth[number, PLACE[ended(row)]]
        return SimpleNamespace(hidden_states=[torch.from_numpy(told)])


def ended(row: Sequence[int]) -> tuple[int, ...]:
    """The completion in a row of tokens, prompt first: up to <eos>, or as long as there is."""
    said = tuple(row[PROMPT_LENGTH : PROMPT_LENGTH + 3])
    return said[: said.index(EOS) + 1] if EOS in said else said
