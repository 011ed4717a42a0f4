"""Quantised loading: every layer is what it says, and its weights are those that were stored."""

import logging
from pathlib import Path

import pytest
import torch
from bitsandbytes.nn.modules import Linear4bit
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, Qwen3ForCausalLM

from labs.kit.errors import LabError
from labs.kit.policy.base import Numbers, base, config, tokenizer
from labs.kit.policy.exact import tree
from labs.kit.policy.loading import (
    Quantization,
    assert_quantised,
    check_blocks,
    dequantised,
    layer_classes,
    load,
    looked_up,
    strict_warnings,
    weights,
)

CLASSES: dict[Quantization, dict[str, int]] = {
    "none": {"Linear": 15},
    "int8": {"Linear": 1, "Linear8bitLt": 14},
    "nf4": {"Linear": 1, "Linear4bit": 14},
}


@pytest.mark.parametrize("quantization", ["none", "int8", "nf4"])
def test_all_layers_but_the_last_are_of_the_class_asked_for(quantization: Quantization) -> None:
    model, words = load(quantization)
    assert layer_classes(model) == CLASSES[quantization]
    assert words.padding_side == "left"
    assert not model.training


def test_a_model_in_another_precision_than_it_says_is_refused() -> None:
    model, _ = load("none")
    with pytest.raises(LabError, match=r"asked for nf4, found .'Linear': 15"):
        assert_quantised(model, "nf4")
    model, _ = load("nf4")
    model.model.layers[1].mlp.up_proj = torch.nn.Linear(64, 256, bias=False)
    with pytest.raises(LabError, match=r"layers\.1\.mlp\.up_proj"):
        assert_quantised(model, "nf4")


@pytest.mark.parametrize(("quantization", "most", "least"), [("int8", 5e-3, 1e-5), ("nf4", 0.1, 1e-3)])
def test_quantising_moves_the_policy_a_little_and_not_nothing(
    quantization: Quantization, most: float, least: float
) -> None:
    """KL to full precision, nats a completion: .0003 (int8) and .013 (NF4) on the recipe's own machine."""
    moved = tree(load(quantization)[0]).kl(tree(load("none")[0])).mean()
    assert least < moved < most


def test_nf4_computes_with_the_weights_that_its_codes_stand_for() -> None:
    """The look-up knows nothing of bitsandbytes but where the codes and the scales lie."""
    model, _ = load("nf4")
    layers = [layer for layer in model.modules() if isinstance(layer, Linear4bit)]
    assert all(torch.allclose(weights(layer), looked_up(layer), rtol=1e-5, atol=1e-6) for layer in layers)
    plain = dequantised(model)
    assert layer_classes(plain) == CLASSES["none"]
    assert layer_classes(model) == CLASSES["nf4"]
    assert abs(tree(plain).log_p - tree(model).log_p).max() < 1e-4


def test_weights_in_bfloat16_come_back_but_for_its_rounding() -> None:
    """As a model of the Hub is loaded where there is a GPU: bitsandbytes then gives back 8 bits of each weight."""
    half = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
    model = AutoModelForCausalLM.from_pretrained(
        base(), dtype=torch.bfloat16, device_map={"": "cpu"}, quantization_config=half
    )
    check_blocks(model)
    plain = dequantised(model)
    assert {weight.dtype for weight in plain.parameters()} == {torch.bfloat16}
    assert abs(tree(plain).log_p - tree(model).log_p).max() < 0.1
    layer = model.model.layers[0].mlp.down_proj
    layer.weight.quant_state.code = layer.weight.quant_state.code.flip(0)
    with pytest.raises(LabError, match="come back wrong"):
        check_blocks(model)


def test_dequantised_int8_holds_the_weights_within_half_a_code() -> None:
    full, plain = load("none")[0].state_dict(), dequantised(load("int8")[0]).state_dict()
    for name in (name for name in full if "_proj" in name):
        step = full[name].abs().amax(dim=1, keepdim=True) / 127
        assert ((full[name] - plain[name]).abs() <= 0.51 * step + 1e-3 * full[name].abs()).all()


def test_weights_that_come_back_wrong_are_refused() -> None:
    """As on a CPU whose dequantisation is wrong: the codes say one thing, bitsandbytes' kernel another."""
    model, _ = load("nf4")
    layer = model.model.layers[0].mlp.down_proj
    layer.weight.quant_state.code = layer.weight.quant_state.code.flip(0)
    with pytest.raises(LabError, match=r"layers\.0\.mlp\.down_proj: its 256 inputs come back wrong"):
        check_blocks(model)


def test_rows_that_are_no_multiple_of_the_block_are_refused(tmp_path: Path) -> None:
    """On CPUs with AVX512, 87% of the entries of such a layer are wrong, without a message."""
    Qwen3ForCausalLM(config(Numbers(hidden=96))).save_pretrained(tmp_path)
    tokenizer().save_pretrained(tmp_path)
    with pytest.raises(LabError, match="96 inputs"):
        load("nf4", tmp_path)
    assert layer_classes(load("int8", tmp_path)[0]) == CLASSES["int8"]


def test_the_guard_closes_the_path_without_a_gradient_on_every_layer() -> None:
    """The flag is set by hand here, as a CPU with AVX512-BF16 would have it; `guard=False` leaves it."""
    model, _ = load("nf4")
    layers = [layer for layer in model.modules() if isinstance(layer, Linear4bit)]
    for layer in layers:
        layer.support_avx512bf16_for_cpu = True
    check_blocks(model, guard=False)
    assert all(layer.support_avx512bf16_for_cpu for layer in layers)
    check_blocks(model)
    assert not any(layer.support_avx512bf16_for_cpu for layer in layers)


def test_a_kernel_without_a_gradient_is_an_error() -> None:
    """PyTorch only warns, once, and goes on with a wrong gradient."""
    with torch.library._scoped_library("gaplab_test", "FRAGMENT") as library:
        library.define("no_gradient(Tensor x) -> Tensor")
        library.impl("no_gradient", lambda x: x * 2, "CPU")
        x = torch.ones(3, requires_grad=True)
        with strict_warnings(), pytest.raises(UserWarning, match="autograd kernel was not registered"):
            torch.ops.gaplab_test.no_gradient(x).sum().backward()


def test_a_folder_that_holds_no_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=str(tmp_path)):
        load("none", tmp_path)


def test_harmless_messages_of_bitsandbytes_are_left_out_and_others_are_not() -> None:
    log = logging.getLogger("bitsandbytes.autograd._functions")
    for text, said in (("MatMul8bitLt: inputs will be cast from torch.float32", False), ("Out of range", True)):
        record = log.makeRecord(log.name, logging.WARNING, "", 0, text, (), None)
        assert bool(log.filter(record)) is said
