"""The base model, and a small float64 policy whose probabilities are far from uniform."""

import pytest
import torch
from transformers import Qwen3ForCausalLM

from labs.kit.policy.base import Numbers, config
from labs.kit.policy.loading import load


@pytest.fixture(scope="session")
def base_model() -> Qwen3ForCausalLM:
    model, _ = load()
    assert isinstance(model, Qwen3ForCausalLM)
    return model


@pytest.fixture(scope="session")
def sharp_policy() -> Qwen3ForCausalLM:
    """Random weights, ten times the usual size; float64, so that a finite difference says something."""
    torch.manual_seed(1)
    shape = config(Numbers())
    shape.initializer_range = 0.2
    model = Qwen3ForCausalLM(shape)
    model.double()
    model.train(False)
    return model
