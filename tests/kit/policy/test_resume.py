"""A training killed at any moment ends with the bits of one that was left alone."""

import json
import multiprocessing
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import TrainerCallback

from labs.kit.errors import LabError
from labs.kit.policy.checkpoints import check_save_steps, mark, newest_complete
from labs.kit.policy.grpo import train
from labs.kit.policy.loading import Quantization
from labs.kit.policy.training import Trained, Training
from labs.kit.trial import Quiet

FORK = multiprocessing.get_context("fork")
STEPS, SAVE = 8, 3


class _Log(Quiet):
    """A log with a folder, that remembers what it was asked."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder=folder)
        self.resumed: list[int] = []

    def resume(self, step: int) -> None:
        self.resumed.append(step)


class _Kill(TrainerCallback):
    """kill -9 of this process at the end of a step, after whatever is saved then."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == self.step:
            os.kill(os.getpid(), signal.SIGKILL)


def _training(quantization: Quantization = "none", lora: bool = True) -> Training:
    return Training(seed=1, steps=STEPS, save_steps=SAVE, quantization=quantization, lora=lora)


def _watch(model: Any, step: int) -> dict[str, float]:
    return {"norm": sum(p.detach().double().norm().item() for p in model.parameters() if p.requires_grad)}


def _train_and_be_killed(training: Training, folder: Path, step: int) -> None:
    """In a child, so that the kill is a real one."""
    child = FORK.Process(
        target=train, args=(training, _Log(folder)), kwargs={"callbacks": [_Kill(step)], "watch": _watch}
    )
    child.start()
    child.join(120)
    assert child.exitcode == -signal.SIGKILL


def _same(first: Trained, second: Trained) -> bool:
    ours, theirs = first.model.state_dict(), second.model.state_dict()
    return all(torch.equal(ours[name], theirs[name]) for name in ours)


def _steps(trained: Trained) -> list[int]:
    return [told["step"] for told in trained.history]


@pytest.mark.parametrize(("quantization", "lora"), [("none", True), ("none", False), ("int8", True), ("nf4", True)])
def test_a_killed_training_goes_on_to_the_same_bits(quantization: Quantization, lora: bool, tmp_path: Path) -> None:
    training, log = _training(quantization, lora), _Log(tmp_path)
    whole = train(training, Quiet(), watch=_watch)
    _train_and_be_killed(training, tmp_path, step=7)
    resumed = train(training, log, watch=_watch)
    assert log.resumed == [6]
    assert [step for step, _ in log.points["reward"]] == [7, 8]
    assert _same(resumed, whole)
    assert (whole.series("grad_norm") > 0).all()
    assert _steps(resumed) == _steps(whole)
    assert list(resumed.series("norm")) == list(whole.series("norm"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("harm", ["optimizer.pt", "scheduler.pt", "rng_state.pth", "halved", "no marker", "bad marker"])
def test_a_torn_checkpoint_is_dropped_for_the_one_before(harm: str, tmp_path: Path) -> None:
    """Without one of the first three the trainer would resume silently, with a wrong state."""
    for step in (3, 6):
        checkpoint = tmp_path / f"checkpoint-{step}"
        checkpoint.mkdir()
        for name in ("adapter_model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state.pth"):
            (checkpoint / name).write_bytes(f"{name} {step}".encode() * 100)
        mark(checkpoint)
    newest, marker = tmp_path / "checkpoint-6", tmp_path / "checkpoint-6.complete"
    assert newest_complete(tmp_path) == newest
    if harm == "halved":
        os.truncate(newest / "adapter_model.safetensors", 50)
    elif harm == "no marker":
        marker.unlink()
    elif harm == "bad marker":
        marker.write_text(json.dumps({"optimizer.pt": "0"})[:-3])
    else:
        (newest / harm).unlink()
    assert newest_complete(tmp_path) == tmp_path / "checkpoint-3"
    assert not newest.exists()
    assert not marker.exists()


def test_a_training_whose_newest_checkpoint_is_torn_ends_with_the_same_bits(tmp_path: Path) -> None:
    training, log = _training(), _Log(tmp_path)
    _train_and_be_killed(training, tmp_path, step=7)
    (tmp_path / "checkpoint-6" / "optimizer.pt").unlink()
    resumed = train(training, log)
    assert log.resumed == [3]
    assert _same(resumed, train(training, Quiet()))


def test_a_checkpoint_between_two_uses_of_a_generation_is_refused(tmp_path: Path) -> None:
    """save_steps 3 with two iterations a generation: resumed, it would train something else."""
    with pytest.raises(LabError, match="every 3 passes would cut a generation of 2 in two"):
        train(Training(seed=0, steps=8, save_steps=3, iterations=2), _Log(tmp_path))
    check_save_steps(4, 2)


def test_a_bfloat16_adapter_is_not_checkpointed(tmp_path: Path) -> None:
    """It would come back in float32, and go on to other bits: such a training starts anew."""
    training = Training(seed=1, steps=4, save_steps=1, quantization="nf4", precision="bfloat16")
    _train_and_be_killed(training, tmp_path, step=3)
    assert list(tmp_path.iterdir()) == []


def test_a_short_training_leaves_no_checkpoint(tmp_path: Path) -> None:
    training = Training(seed=1, steps=2, save_steps=2)
    _train_and_be_killed(training, tmp_path, step=1)
    assert list(tmp_path.iterdir()) == []
