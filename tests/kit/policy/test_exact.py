"""The enumeration against plain forward passes, finite differences and the chain rule."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import PreTrainedModel, Qwen3ForCausalLM

from labs.kit.policy.exact import COMPLETIONS, LENGTHS, TRUNCATED, gradient, log_probs, rewards, success, tree
from labs.kit.policy.task import EOS, PROMPT_LENGTH, encode, right

SOME = ("3+4=", "9+9=", "0+0=", "6+8=")


def _plain_log_p(model: PreTrainedModel, prompt: str, completion: tuple[int, ...]) -> Tensor:
    """Log-probability of one completion, token by token, with nothing shared and nothing masked."""
    tokens = [*encode(prompt), *completion]
    logits = model(input_ids=torch.tensor([tokens[:-1]])).logits[0, PROMPT_LENGTH - 1 :]
    log_p: Tensor = logits.double().log_softmax(-1)
    return log_p[range(len(completion)), completion].sum()


def test_there_are_2380_different_completions() -> None:
    assert len(COMPLETIONS) == len(set(COMPLETIONS)) == 1 + 13 + 169 + 13**3
    assert all(EOS not in completion[:-1] for completion in COMPLETIONS)
    assert [int(TRUNCATED.sum()), int(LENGTHS.min()), int(LENGTHS.max())] == [13**3, 1, 3]


@pytest.mark.parametrize("temperature", [0.7, 1.0, 1.3])
def test_probabilities_sum_to_one(base_model: PreTrainedModel, temperature: float) -> None:
    assert np.abs(tree(base_model, temperature=temperature).p.sum(-1) - 1).max() < 1e-12


def test_a_leaf_has_the_probability_that_a_plain_forward_pass_gives(base_model: PreTrainedModel) -> None:
    """All prompts and all leaves share one packed sequence in tree(); here each leaf is its own."""
    exact = tree(base_model, SOME, batch=3)
    for index in (0, 5, 13, 14, 100, 182, 183, 1_000, 2_379):
        for row, prompt in enumerate(SOME):
            with torch.no_grad():
                plain = _plain_log_p(base_model, prompt, COMPLETIONS[index]).item()
            assert exact.log_p[row, index] == pytest.approx(plain, abs=2e-5)


def test_success_is_the_probability_of_the_one_right_completion(base_model: PreTrainedModel) -> None:
    with torch.no_grad():
        plain = [_plain_log_p(base_model, p, (*encode(str(int(p[0]) + int(p[2]))), EOS)).exp().item() for p in SOME]
    assert tree(base_model, SOME).success == pytest.approx(plain, abs=1e-6)
    assert (rewards(SOME).sum(-1) == 1).all()


def test_the_gradient_is_that_of_plain_forward_passes(sharp_policy: Qwen3ForCausalLM) -> None:
    """J of a prompt is the probability of its one right completion, so autograd needs that sequence alone."""
    parameters = list(sharp_policy.parameters())
    said = [_plain_log_p(sharp_policy, p, (*encode(str(int(p[0]) + int(p[2]))), EOS)).exp() for p in SOME]
    plain = torch.autograd.grad(torch.stack(said).mean(), parameters)
    exact = gradient(sharp_policy, parameters, SOME, batch=3)
    scale = max(part.abs().max().item() for part in plain)
    assert all(torch.allclose(a, b, rtol=0, atol=1e-9 * scale) for a, b in zip(exact, plain, strict=True))


def test_the_gradient_is_the_finite_difference_for_any_reward(sharp_policy: Qwen3ForCausalLM) -> None:
    """A reward on every completion, and a temperature: central differences along a random direction.

    Qwen3 computes its norms in float32 whatever the weights are, so the step is not small.
    """

    def reward(prompt: str, completion: Sequence[int]) -> float:
        return float((sum(encode(prompt)) + 3 * sum(completion) + completion[0]) % 7)

    parameters = [sharp_policy.lm_head.weight, sharp_policy.model.layers[0].self_attn.q_proj.weight]
    torch.manual_seed(0)
    direction = [torch.randn_like(parameter) / parameter.numel() ** 0.5 for parameter in parameters]
    exact = gradient(sharp_policy, parameters, SOME, temperature=0.8, reward=reward)
    slope = sum((g * d).sum().item() for g, d in zip(exact, direction, strict=True))
    ends = []
    for step in (1e-2, -2e-2):
        with torch.no_grad():
            for parameter, d in zip(parameters, direction, strict=True):
                parameter += step * d
        ends.append(tree(sharp_policy, SOME, temperature=0.8).expected(rewards(SOME, reward)).mean())
    with torch.no_grad():
        for parameter, d in zip(parameters, direction, strict=True):
            parameter += 1e-2 * d
    assert (ends[0] - ends[1]) / 2e-2 == pytest.approx(slope, rel=2e-3)


def test_values_satisfy_the_bellman_equation_and_start_at_the_expected_reward(base_model: PreTrainedModel) -> None:
    exact = tree(base_model, SOME)
    first, second, third = exact.values(rewards(SOME))
    assert first == pytest.approx(exact.success, abs=1e-14)
    assert exact.values(LENGTHS)[0] == pytest.approx(exact.length)
    after_one_digit = 2 + (encode("7")[0] - 2) - 1  # GOES_ON leaves out <eos>
    p = np.exp(exact.levels[1][0, after_one_digit])
    ends_now = right("3+4=", [*encode("7"), EOS])
    goes_on = (np.delete(p, EOS) * third[0, after_one_digit]).sum()
    assert second[0, after_one_digit] == pytest.approx(p[EOS] * ends_now + goes_on)


def test_kl_is_the_sum_of_the_kl_of_the_tokens(base_model: PreTrainedModel) -> None:
    """The chain rule, which the trees' leaves know nothing of."""
    policy, reference = tree(base_model, SOME, temperature=0.8), tree(base_model, SOME)
    reach: list[np.ndarray] = [np.ones(len(SOME))]
    for level in policy.levels[:2]:
        reach.append(reach[-1][..., None] * np.delete(np.exp(level), EOS, axis=-1))
    tokens = [(np.exp(a) * (a - b)).sum(-1) for a, b in zip(policy.levels, reference.levels, strict=True)]
    chain = sum((r * t).reshape(len(SOME), -1).sum(-1) for r, t in zip(reach, tokens, strict=True))
    assert policy.kl(reference) == pytest.approx(chain, rel=1e-10)
    assert (policy.kl(reference) > 0.01).all()
    assert policy.kl(policy) == pytest.approx(0.0, abs=1e-15)


def test_a_low_temperature_makes_the_likely_token_likelier(base_model: PreTrainedModel) -> None:
    """p^(1/T), normalised, at the root: the whole of the tempered distribution follows from its levels."""
    plain, cold = tree(base_model, SOME), tree(base_model, SOME, temperature=0.5)
    squared = np.exp(plain.levels[0]) ** 2
    assert np.exp(cold.levels[0]) == pytest.approx(squared / squared.sum(-1, keepdims=True), rel=1e-6)
    assert (cold.entropy < plain.entropy).all()


def test_enumerating_leaves_the_model_in_its_mode_and_without_gradients(sharp_policy: Qwen3ForCausalLM) -> None:
    """A trainer that enumerates between two steps goes on as if it had not."""
    sharp_policy.train()
    tree(sharp_policy, SOME)
    assert sharp_policy.training
    assert all(parameter.grad is None for parameter in sharp_policy.parameters())
    sharp_policy.train(False)
    assert log_probs(sharp_policy, SOME).requires_grad


def test_success_of_a_learning_curve_is_that_of_the_tree(base_model: PreTrainedModel) -> None:
    """The short way and the whole enumeration must not drift apart."""
    assert success(base_model) == pytest.approx(tree(base_model).success, rel=1e-4, abs=1e-7)
