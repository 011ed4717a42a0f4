"""GRPO with TRL's trainer: what it trains, in which precision, what it tells, and what it refuses."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from labs.kit.errors import LabError
from labs.kit.policy.exact import tree
from labs.kit.policy.grpo import build, train
from labs.kit.policy.loading import Precision, Quantization, load
from labs.kit.policy.training import Training
from labs.kit.trial import Quiet


def _trained(model: Any) -> dict[str, torch.Tensor]:
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


@pytest.mark.parametrize("quantization", ["none", "int8", "nf4"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_adapter_has_the_precision_asked_for(
    quantization: Quantization, precision: Precision, tmp_path: Path
) -> None:
    """TRL alone would give float32 to one and bfloat16 to the two others."""
    trainer = build(Training(seed=0, steps=1, quantization=quantization, precision=precision), tmp_path)
    adapter = _trained(trainer.model)
    assert len(adapter) == 28
    assert all("lora_" in name for name in adapter)
    assert {parameter.dtype for parameter in adapter.values()} == {getattr(torch, precision)}


@pytest.mark.parametrize("quantization", ["none", "int8", "nf4"])
def test_a_short_training_raises_the_exact_success(quantization: Quantization) -> None:
    log = Quiet()
    trained = train(Training(seed=0, steps=30, quantization=quantization), log)
    assert tree(trained.model).success.mean() > tree(load(quantization)[0]).success.mean() + 0.1
    assert trained.layers == {"none": {"Linear": 15}}.get(quantization) or len(trained.layers) == 2
    assert [step for step, _ in log.points["reward"]] == list(range(1, 31))
    assert {"frac_reward_zero_std", "entropy", "grad_norm"} <= log.points.keys()
    assert trained.series("reward") == pytest.approx([value for _, value in log.points["reward"]])


def test_the_same_seed_trains_the_same_bits_and_another_seed_does_not() -> None:
    first, again, other = (_trained(train(Training(seed=seed, steps=4), Quiet()).model) for seed in (3, 3, 4))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_a_learning_rate_of_zero_leaves_the_policy_as_it_was() -> None:
    """Expectation claims hold a fixed policy against its own enumeration."""
    trained = train(Training(seed=0, steps=3, learning_rate=0.0, lora=False), Quiet())
    assert np.array_equal(tree(trained.model).log_p, tree(load()[0]).log_p)
    assert (trained.series("grad_norm") > 0).all()


def test_too_few_prompts_for_the_groups_of_a_batch_is_an_error() -> None:
    """The trainer returns after 0 steps, without a message."""
    with pytest.raises(LabError, match="0 of 3 steps"):
        train(Training(seed=0, steps=3, prompts=("3+4=",) * 7), Quiet())


def test_watches_see_the_policy_before_and_after_and_every_batch_before_its_update() -> None:
    """What the batch's watch returns belongs to the policy that sampled it, which is that of the step before."""
    log, prompts_seen = Quiet(), []

    def watch(model: Any, step: int) -> dict[str, float]:
        return {"p": tree(model, ("3+0=",)).success[0]}

    def watch_batch(model: Any, prompts: Sequence[str]) -> dict[str, float]:
        prompts_seen.append(list(prompts))
        return {"p_before": tree(model, ("3+0=",)).success[0]}

    trained = train(Training(seed=0, steps=4), log, watch=watch, watch_every=2, watch_batch=watch_batch)
    assert [step for step, _ in log.points["p"]] == [0, 2, 4]
    assert [len(set(prompts)) for prompts in prompts_seen] == [8] * 4
    assert all(len(prompts) == 64 for prompts in prompts_seen)
    before, p = dict(log.points["p_before"]), dict(log.points["p"])
    assert before[1] == p[0]
    assert before[3] == p[2] != p[0]
    assert list(trained.series("p")) == [p[0], p[2], p[4]]


def test_the_reward_is_paid_on_tokens() -> None:
    """A reward that only <pad> earns sees it, although decoding drops it."""
    seen: list[Sequence[int]] = []

    def length(prompt: str, completion: Sequence[int]) -> float:
        seen.append(completion)
        return float(len(completion))

    trained = train(Training(seed=0, steps=2, learning_rate=0.0, reward=length), Quiet())
    assert trained.series("reward") == pytest.approx(np.mean(np.reshape([len(said) for said in seen], (2, 64)), axis=1))
    assert trained.series("rewards/length/mean") == pytest.approx(trained.series("reward"))
    assert all(said[-1] == 1 or len(said) == 3 for said in seen)


def test_nothing_is_written_where_there_is_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    train(Training(seed=0, steps=2, save_steps=1), Quiet())
    assert list(tmp_path.iterdir()) == []
