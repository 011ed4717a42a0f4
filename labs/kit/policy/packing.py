"""A tree of continuations as one sequence: the prompt once, then one place a node that sees its own ancestors only."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from labs.kit.policy.task import EOS, PROMPT_LENGTH, VOCABULARY, encode

Path = tuple[int, ...]
"""The tokens that lead from the end of the prompt to a node."""

WORDS = len(VOCABULARY)
GOES_ON = [token for token in range(WORDS) if token != EOS]
"""The 13 tokens after which a completion may go on."""


def packed(prompts: Sequence[str], paths: tuple[Path, ...], like: Tensor) -> dict[str, Tensor]:
    """What a causal model with rotary positions is given to see every node; on the device and in the dtype of `like`.

    The place of node i is PROMPT_LENGTH + i, and that of the root, after the prompt, PROMPT_LENGTH - 1.
    """
    heads = torch.tensor([encode(prompt) for prompt in prompts])
    nodes = torch.tensor([path[-1] for path in paths])
    sees, positions = _shape(paths)
    mask = torch.zeros_like(sees, dtype=like.dtype).masked_fill(~sees, torch.finfo(like.dtype).min)
    return {
        "input_ids": torch.cat([heads, nodes.expand(len(prompts), -1)], dim=1).to(like.device),
        "attention_mask": mask.to(like.device).expand(len(prompts), 1, -1, -1),
        "position_ids": positions.to(like.device).expand(len(prompts), -1),
    }


@contextmanager
def eval_mode(model: Any) -> Iterator[None]:
    """Eval mode inside; the mode that was, afterwards."""
    was = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was)


@lru_cache(maxsize=4)
def _shape(paths: tuple[Path, ...]) -> tuple[Tensor, Tensor]:
    """Which place sees which, and each place's position."""
    prompt = tuple(range(-PROMPT_LENGTH, 0))
    places = [prompt[: depth + 1] for depth in range(PROMPT_LENGTH)] + [prompt + path for path in paths]
    sees = [[place[: len(other)] == other for other in places] for place in places]
    return torch.tensor(sees), torch.tensor([len(place) - 1 for place in places])
