"""Train adapters on full and quantised bases; count what bfloat16 lets move; compare gradients."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from transformers import TrainerCallback

from labs.kit.policy.exact import success
from labs.kit.policy.grpo import train
from labs.kit.policy.loading import Quantization, dequantised, layer_classes, load
from labs.kit.policy.task import PROMPTS, answer, right, right_in_words
from labs.kit.policy.training import Training
from labs.kit.trial import Log, Measured

CURVE_EVERY = 5
Loaded = tuple[Any, Any]
"""A model and its tokenizer."""


def trial(
    seed: int,
    log: Log,
    *,
    model: str,
    measure: Literal["parity", "rounding", "gradient"],
    quantization: Quantization,
    adapter: Literal["float32", "bfloat16"],
    guard: bool,
    detach: bool,
    learning_rate: float,
    steps: int,
    last_steps: int,
) -> dict[str, Measured]:
    """One of three experiments, by `measure`; the second and third work with any model, the first with the base."""
    loaded = load(quantization, model, guard=guard)
    if measure == "gradient":
        return _gradient(seed, *loaded, detach)
    training = Training(
        seed=seed,
        steps=steps,
        learning_rate=learning_rate,
        reward=right if model == "base" else right_in_words(loaded[1].decode),
        quantization=quantization,
        precision=adapter,
    )
    return _rounding(training, log, loaded) if measure == "rounding" else _parity(training, log, loaded, last_steps)


def _parity(training: Training, log: Log, loaded: Loaded, last_steps: int) -> dict[str, Measured]:
    """Exact success of all 100 prompts, averaged over the last steps."""
    start = training.steps - last_steps

    def watch(model: Any, step: int) -> Mapping[str, float]:
        return {"curve.parity": success(model).mean()} if step > start or step % CURVE_EVERY == 0 else {}

    trained = train(training, log, watch=watch, loaded=loaded)
    curve = [told["curve.parity"] for told in trained.history if told["step"] > start]
    return {"parity": np.mean(curve), "success_at_end": curve[-1], **_layers(trained.layers)}


def _rounding(training: Training, log: Log, loaded: Loaded) -> dict[str, Measured]:
    """Share of the entries of LoRA's A that are not what they were before the training."""
    before = _Start()
    trained = train(training, log, callbacks=[before], loaded=loaded)
    moved = _entries(trained.model) != before.entries
    return {"bf16_rounding": moved.mean(), "entries": before.entries, **_layers(trained.layers)}


class _Start(TrainerCallback):
    """Keeps the adapter as it was when the training began, already in its own precision."""

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        """A copy of all entries of A."""
        self.entries = _entries(model)


def _entries(model: torch.nn.Module) -> Any:
    """All entries of LoRA's A matrices, as float32: every bfloat16 number is one."""
    parts = [weight.detach().float().flatten() for name, weight in model.named_parameters() if "lora_A" in name]
    return torch.cat(parts).cpu().numpy().copy()


def _gradient(seed: int, base: Any, tokenizer: Any, detach: bool) -> dict[str, Measured]:
    """Cosine between the adapter's gradient after one evaluation and that on a plain copy of the same weights.

    B is drawn at random instead of 0, so that A has a gradient too.
    """
    torch.manual_seed(seed)
    lora = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear")
    model: Any = get_peft_model(base, lora)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.02)
    plain = dequantised(model)
    sums = _sums(tokenizer, PROMPTS[seed % 10 :: 10], model.device)
    with torch.no_grad():
        model.eval()(**sums)
    if detach:
        layer = model.get_submodule("base_model.model.model.layers.1.mlp.down_proj.base_layer")
        layer.register_forward_pre_hook(lambda _, inputs: (inputs[0].detach(), *inputs[1:]))
    given, wanted = _adapter_gradient(model, sums), _adapter_gradient(plain, sums)
    return {
        "dequantised_gradient": float(given @ wanted / given.norm() / wanted.norm()),
        "norm_ratio": float(given.norm() / wanted.norm()),
        **_layers(layer_classes(model)),
    }


def _sums(tokenizer: Any, prompts: tuple[str, ...], device: torch.device) -> dict[str, torch.Tensor]:
    """The prompts with their right answers, as a model is given them to learn from."""
    told = tokenizer([f"{prompt}{answer(prompt)}" for prompt in prompts], return_tensors="pt", padding=True)
    tokens, seen = told["input_ids"].to(device), told["attention_mask"].to(device)
    return {"input_ids": tokens, "attention_mask": seen, "labels": tokens.masked_fill(seen == 0, -100)}


def _adapter_gradient(model: torch.nn.Module, sums: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Gradient of minus the log-likelihood of the sums, in training mode, in which the trainer takes it."""
    wanted = [weight for weight in model.parameters() if weight.requires_grad]
    parts = torch.autograd.grad(model.train()(**sums).loss, wanted)
    return torch.cat([part.double().flatten() for part in parts])


def _layers(classes: Mapping[str, int]) -> dict[str, float]:
    return {f"layers_{name.lower()}": float(count) for name, count in classes.items()}
