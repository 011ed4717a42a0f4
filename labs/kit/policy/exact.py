"""Exact expectations: all 2,380 completions of each prompt, from one forward pass a batch of prompts.

The tree has a root (what stands after the prompt), 13 nodes after one token and 169 after two; each holds a
distribution over 14 tokens. A completion ends with <eos> or after three tokens: 1 + 13 + 169 + 2,197 leaves. <pad> is a
token like any other here, as it is for a sampler.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from labs.kit.policy.packing import GOES_ON, WORDS, eval_mode, packed
from labs.kit.policy.task import COMPLETION_LENGTH, EOS, PAD, PROMPT_LENGTH, PROMPTS, answer, encode, right

Array = NDArray[np.float64]
Model = Any
"""A PreTrainedModel or a PeftModel, which hides the methods of the model inside it from a type checker."""
Reward = Callable[[str, Sequence[int]], float]

_NODES = tuple(path for depth in (1, 2) for path in product(GOES_ON, repeat=depth))


COMPLETIONS: list[tuple[int, ...]] = [
    *((*begun, EOS) for depth in (0, 1, 2) for begun in product(GOES_ON, repeat=depth)),
    *product(GOES_ON, repeat=3),
]
"""Every completion, in the order in which _leaves() lays out their probabilities."""
LENGTHS: Array = np.array([len(completion) for completion in COMPLETIONS], dtype=np.float64)
"""Tokens of each completion, <eos> counted."""
TRUNCATED = np.array([completion[-1] != EOS for completion in COMPLETIONS])


@dataclass(frozen=True)
class Tree:
    """A policy's exact distribution over the completions of some prompts, in float64."""

    prompts: tuple[str, ...]
    levels: tuple[Array, Array, Array]
    """Log-probabilities of the next token: (prompts, 14), (prompts, 13, 14), (prompts, 13, 13, 14)."""

    @cached_property
    def log_p(self) -> Array:
        """(prompts, 2380): log-probability of each of COMPLETIONS."""
        leaves: Array = _leaves(tuple(torch.from_numpy(level) for level in self.levels)).numpy()
        return leaves

    @cached_property
    def p(self) -> Array:
        """(prompts, 2380): probability of each of COMPLETIONS."""
        share: Array = np.exp(self.log_p)
        return share

    @property
    def success(self) -> Array:
        """(prompts,): probability of the right answer."""
        return self.expected(rewards(self.prompts))

    @property
    def entropy(self) -> Array:
        """(prompts,): nats a completion."""
        return self.expected(-self.log_p)

    @property
    def length(self) -> Array:
        """(prompts,): mean number of tokens, <eos> counted."""
        return self.expected(LENGTHS)

    @property
    def truncated(self) -> Array:
        """(prompts,): probability of three tokens without <eos>."""
        return self.expected(TRUNCATED)

    def expected(self, values: NDArray[Any]) -> Array:
        """(prompts,): expectation of a number that each completion has; `values` is (2380,) or (prompts, 2380)."""
        mean: Array = (self.p * values).sum(-1)
        return mean

    def kl(self, reference: "Tree") -> Array:
        """(prompts,): KL(this || reference) of whole completions, in nats."""
        return self.expected(self.log_p - reference.log_p)

    def values(self, reward: NDArray[Any]) -> tuple[Array, Array, Array]:
        """Expected reward at each node, given (prompts, 2380) rewards; the value function V of the token MDP.

        Shapes (prompts,), (prompts, 13), (prompts, 13, 13), in the order of GOES_ON. The other action values are known:
        <eos> is worth the reward of what stands there, any other token the value of the node that it leads to.
        """
        ends = _by_level(np.broadcast_to(reward, (len(self.prompts), len(COMPLETIONS))))
        p = [np.exp(level) for level in self.levels]
        third = p[2][..., EOS] * ends[2] + (p[2][..., GOES_ON] * ends[3]).sum(-1)
        second = p[1][..., EOS] * ends[1] + (p[1][..., GOES_ON] * third).sum(-1)
        first = p[0][..., EOS] * ends[0] + (p[0][..., GOES_ON] * second).sum(-1)
        return first, second, third


def tree(model: Model, prompts: Sequence[str] = PROMPTS, *, temperature: float = 1.0, batch: int = 50) -> Tree:
    """Enumerate a policy, in eval mode and without gradients; its mode is put back afterwards."""
    with torch.no_grad(), eval_mode(model):
        parts = [levels(model, some, temperature=temperature) for some in _batches(prompts, batch)]
    whole = [torch.cat(level).numpy() for level in zip(*parts, strict=True)]
    return Tree(tuple(prompts), (whole[0], whole[1], whole[2]))


def success(model: Model, prompts: Sequence[str] = PROMPTS) -> Array:
    """(prompts,): probability of the right answer, from one short pass: a learning curve needs no more of the tree."""
    said = [[*encode(str(answer(prompt))), EOS] for prompt in prompts]
    blank = [[PAD] * (COMPLETION_LENGTH - len(tokens)) for tokens in said]
    tokens = torch.tensor([[*encode(x), *y, *z] for x, y, z in zip(prompts, said, blank, strict=True)])
    with torch.no_grad(), eval_mode(model):
        logits = model(input_ids=tokens[:, :-1].to(next(model.parameters()).device)).logits
    log_p = logits[:, PROMPT_LENGTH - 1 :].double().cpu().log_softmax(-1)
    chosen = log_p.gather(-1, tokens[:, PROMPT_LENGTH:, None])[..., 0]
    return np.asarray(chosen.masked_fill(tokens[:, PROMPT_LENGTH:] == PAD, 0.0).sum(-1).exp().numpy())


def gradient(
    model: Model,
    parameters: Iterable[Tensor],
    prompts: Sequence[str] = PROMPTS,
    *,
    temperature: float = 1.0,
    reward: Reward = right,
    batch: int = 10,
) -> list[Tensor]:
    """Exact gradient of the mean expected reward, one tensor a parameter, by autograd through the enumeration."""
    wanted = list(parameters)
    total = [torch.zeros_like(parameter) for parameter in wanted]
    with torch.enable_grad(), eval_mode(model):
        for some in _batches(prompts, batch):
            p = log_probs(model, some, temperature=temperature).exp()
            objective = (p * torch.from_numpy(rewards(some, reward))).sum() / len(prompts)
            for sum_, part in zip(total, torch.autograd.grad(objective, wanted), strict=True):
                sum_ += part
    return total


def log_probs(model: Model, prompts: Sequence[str], *, temperature: float = 1.0) -> Tensor:
    """(prompts, 2380) log-probabilities as a differentiable tensor: one graph, about 6 MB a prompt while it lives."""
    return _leaves(levels(model, prompts, temperature=temperature))


def levels(model: Model, prompts: Sequence[str], *, temperature: float = 1.0) -> tuple[Tensor, Tensor, Tensor]:
    """Next-token log-probabilities at all nodes, as in Tree.levels, as differentiable float64 tensors."""
    logits = model(**packed(prompts, _NODES, model.get_input_embeddings().weight)).logits
    log_p = (logits[:, PROMPT_LENGTH - 1 :].double().cpu() / temperature).log_softmax(-1)
    count = len(GOES_ON)
    return (
        log_p[:, 0],
        log_p[:, 1 : 1 + count],
        log_p[:, 1 + count :].reshape(len(prompts), count, count, WORDS),
    )


def rewards(prompts: Sequence[str], reward: Reward = right) -> Array:
    """(prompts, 2380): the reward of every completion of every prompt."""
    return np.array([[reward(prompt, completion) for completion in COMPLETIONS] for prompt in prompts])


def _leaves(level: tuple[Tensor, ...]) -> Tensor:
    """Log-probabilities of COMPLETIONS: each path's sum, the leaves of a level after one another."""
    first, second, third = level
    begun = first[..., GOES_ON]
    twice = begun.unsqueeze(-1) + second[..., GOES_ON]
    return torch.cat(
        [
            first[..., [EOS]],
            begun + second[..., EOS],
            (twice + third[..., EOS]).flatten(1),
            (twice.unsqueeze(-1) + third[..., GOES_ON]).flatten(1),
        ],
        dim=1,
    )


def _by_level(leaves: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """(prompts, 2380) split into the leaves that end after 1, 2, 3 tokens, and those that are cut off."""
    n, count = len(leaves), len(GOES_ON)
    ended, begun, twice, cut = np.split(leaves, np.cumsum([1, count, count**2]), axis=1)
    return ended[:, 0], begun, twice.reshape(n, count, count), cut.reshape(n, count, count, count)


def _batches(prompts: Sequence[str], size: int) -> list[Sequence[str]]:
    return [prompts[start : start + size] for start in range(0, len(prompts), size)]
