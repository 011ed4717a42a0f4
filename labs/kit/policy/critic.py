"""The critic's value at every state of a completion, those after <eos> included."""

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from labs.kit.policy.packing import GOES_ON, WORDS, eval_mode, packed
from labs.kit.policy.task import PROMPT_LENGTH, PROMPTS

Array = NDArray[np.float64]

_NODES = (*((token,) for token in range(WORDS)), *product(GOES_ON, range(WORDS)))


def critic_values(critic: Any, prompts: Sequence[str] = PROMPTS, batch: int = 50) -> tuple[Array, Array, Array]:
    """v(s) after the prompt, after one token and after two: shapes (prompts,), (prompts, 14), (prompts, 13, 14).

    The last axis is the token that was said, so index EOS is the state behind the end. It is a state for TRL's PPO,
    which pays the score of a completion that ends early one place after <eos>: the critic is asked, and trained, there.
    """
    backbone = getattr(critic, critic.base_model_prefix)
    parts = []
    with torch.no_grad(), eval_mode(critic):
        for start in range(0, len(prompts), batch):
            some = prompts[start : start + batch]
            hidden = backbone(**packed(some, _NODES, backbone.get_input_embeddings().weight)).last_hidden_state
            parts.append(critic.score(hidden)[:, PROMPT_LENGTH - 1 :, 0].double().cpu().numpy())
    values = np.concatenate(parts)
    return values[:, 0], values[:, 1 : 1 + WORDS], values[:, 1 + WORDS :].reshape(len(values), len(GOES_ON), WORDS)
