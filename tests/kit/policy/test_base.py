"""The base model: the recipe's figures, the same bits again, made once, never half."""

import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest
import torch
from transformers import Qwen3ForCausalLM

from labs.kit.policy import base as made
from labs.kit.policy.exact import tree

FORK = multiprocessing.get_context("fork")


def test_the_base_model_has_the_figures_of_the_recipe(base_model: Qwen3ForCausalLM) -> None:
    """Fits that are equal but for rounding (rows in another order, say) differ by up to these tolerances.

    The optimiser amplifies rounding, and another CPU type rounds otherwise than the recipe's.
    """
    exact = tree(base_model)
    assert base_model.num_parameters() == 133_248
    assert made.cross_entropy(base_model, *made._rows()).item() == pytest.approx(1.7517, abs=0.015)
    assert exact.success.mean() == pytest.approx(0.3217, abs=0.004)
    assert exact.entropy.mean() == pytest.approx(1.8007, abs=0.04)
    assert exact.length.mean() == pytest.approx(2.398, abs=0.003)
    assert exact.truncated.mean() < 2e-3
    assert ((exact.success >= 0.05) & (exact.success <= 0.6)).sum() >= 88


def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not() -> None:
    first, again = made.fit(made.Numbers(steps=8)).state_dict(), made.fit(made.Numbers(steps=8)).state_dict()
    other = made.fit(made.Numbers(steps=8, seed=1)).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["lm_head.weight"], other["lm_head.weight"])


def test_two_processes_at_once_make_it_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second waits for the first, and finds the folder there: its files are those of the first."""
    monkeypatch.setenv("GAPLAB_HOME", str(tmp_path))
    workers = [FORK.Process(target=_make_and_tell, args=(tmp_path / f"told-{n}",)) for n in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    first, second = ((tmp_path / f"told-{n}").read_text() for n in range(2))
    assert first == second
    assert len([path for path in (tmp_path / "base").iterdir() if path.is_dir()]) == 1


def _make_and_tell(note: Path) -> None:
    folder = made.base(steps=6, progress=False)
    note.write_text(f"{folder} {(folder / 'model.safetensors').stat().st_ino}")


def test_a_fit_that_is_killed_leaves_nothing_that_looks_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAPLAB_HOME", str(tmp_path))
    worker = FORK.Process(target=made.base, kwargs={"steps": 10_000, "progress": False})
    worker.start()
    while not list(tmp_path.glob("base/*.lock")):
        time.sleep(0.05)
    os.kill(worker.pid or 0, signal.SIGKILL)
    worker.join(30)
    assert not list(tmp_path.glob("base/*/config.json"))
    folder = made.base(steps=2, progress=False)
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= {path.name for path in folder.iterdir()}
    assert made.base(steps=2, progress=False) == folder
    assert len(made.digest(folder)) == 64


def test_the_name_of_a_base_model_tells_its_numbers_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """A base model of other numbers, or of another teacher, is another one, and is made beside the first."""
    names = [made._id(made.Numbers(seed=seed, steps=steps)) for seed, steps in ((0, 300), (1, 300), (0, 250))]
    monkeypatch.setattr(made, "teacher", lambda prompt: {0: 1.0})
    assert len({*names, made._id(made.Numbers())}) == 4
