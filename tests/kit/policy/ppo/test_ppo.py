"""PPO with TRL's last PPOTrainer: what it trains, what it tells, and what it refuses."""

from typing import Any

import numpy as np
import pytest
import torch

from labs.kit.errors import LabError
from labs.kit.policy.critic import critic_values
from labs.kit.policy.exact import tree
from labs.kit.policy.loading import Quantization, load
from labs.kit.policy.ppo import PPOTrained, PPOTraining, train
from labs.kit.policy.scoring import RewardModel
from labs.kit.policy.task import EOS, PAD, encode, right
from labs.kit.trial import Quiet

FIXED = {"learning_rate": 0.0, "epochs": 1, "batch": 100, "lora": False}
"""A policy that does not move: what is logged is an expectation under it."""


def _fixed(updates: int, policy: Any = None, **numbers: Any) -> PPOTrained:
    return train(PPOTraining(seed=0, updates=updates, **{**FIXED, **numbers}), Quiet(), policy=policy)


def test_the_score_of_a_fixed_policy_is_its_exact_success() -> None:
    """Also at another temperature, which the trainer applies to sampling and to the reference alike."""
    for temperature in (1.0, 0.7):
        scores = _fixed(8, temperature=temperature).series("objective/scores")
        exact = tree(load()[0], temperature=temperature).success.mean()
        assert abs(scores.mean() - exact) < 4 * 0.5 / np.sqrt(8 * 100)


def test_kl_is_zero_against_itself_and_exact_against_another_policy() -> None:
    """The reference is the base model, whatever policy is given."""
    assert np.abs(_fixed(1).series("objective/kl")).max() < 1e-5
    moved = load()[0]
    with torch.no_grad():
        moved.lm_head.weight *= 2
    told = _fixed(8, policy=moved)
    policy, reference = tree(moved), tree(load()[0])
    per_prompt = policy.kl(reference)
    spread = policy.expected((policy.log_p - reference.log_p) ** 2).mean() - per_prompt.mean() ** 2
    error = told.series("objective/kl").mean() - per_prompt.mean()
    assert abs(error) < 4 * np.sqrt(spread / 800) < 0.5 * per_prompt.mean()
    rlhf = told.series("objective/scores") - 0.02 * told.series("objective/kl")
    assert told.series("objective/rlhf_reward") == pytest.approx(rlhf, abs=1e-6)


def test_a_learning_rate_of_zero_leaves_the_given_policy_as_it_was() -> None:
    before, policy = tree(load()[0]).log_p, load()[0]
    assert _fixed(2, policy=policy).model is policy
    assert np.array_equal(tree(policy).log_p, before)


@pytest.mark.parametrize("quantization", ["none", "int8", "nf4"])
def test_a_short_training_raises_the_exact_success(
    quantization: Quantization, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nothing goes to standard output, which a worker speaks its protocol on."""
    log = Quiet()
    trained = train(PPOTraining(seed=0, updates=10, quantization=quantization), log, watch=_p, watch_every=5)
    p = dict(log.points["p"])
    assert p[10] > p[0] + 0.1
    assert list(trained.series("p")) == [p[0], p[5], p[10]]
    assert [step for step, _ in log.points["objective/scores"]] == list(range(1, 11))
    assert sum(trained.layers.values()) == 15
    assert {weight.dtype for weight in trained.model.parameters() if weight.requires_grad} == {torch.float32}
    assert critic_values(trained.critic)[0].std() > 0
    assert capfd.readouterr().out == ""


def _p(model: Any, step: int) -> dict[str, float]:
    return {"p": tree(model).success.mean()}


def test_the_same_seed_trains_the_same_bits_and_another_seed_does_not() -> None:
    """The trainer seeds nothing before it draws the adapter and the head of the critic."""
    first, again, other = (train(PPOTraining(seed=seed, updates=2), Quiet()) for seed in (1, 1, 2))
    same = zip(first.model.parameters(), again.model.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in same)
    assert np.array_equal(critic_values(first.critic)[2], critic_values(again.critic)[2])
    assert first.history[-1]["loss/value_avg"] != other.history[-1]["loss/value_avg"]


def test_the_reward_is_paid_on_tokens() -> None:
    """Every place of a row holds the reward of its completion up to <eos>; what the trainer pads with is not read."""
    head = encode("9+3=")
    twelve, two = encode("12"), encode("2")
    said = [[*twelve, EOS], [*twelve, PAD], [*two, EOS, PAD], [EOS, PAD, PAD]]
    model = RewardModel(right)
    scores = model.score(model.backbone(input_ids=torch.tensor([head + row for row in said])).hidden_states[-1])
    assert scores.shape == (4, 7, 1)
    assert scores[:, :, 0].tolist() == [[1.0] * 7, [0.0] * 7, [0.0] * 7, [0.0] * 7]


def test_a_quantised_policy_without_an_adapter_is_refused() -> None:
    """The trainer would train its norms and embeddings alone."""
    with pytest.raises(LabError, match="no weights to train but its norms"):
        train(PPOTraining(seed=0, updates=1, quantization="nf4", lora=False), Quiet())


def test_too_few_prompts_for_a_batch_are_refused() -> None:
    """The trainer would look for a whole batch for ever."""
    with pytest.raises(LabError, match="7 prompts do not fill a batch of 64"):
        train(PPOTraining(seed=0, updates=1, prompts=("3+4=",) * 7), Quiet())
