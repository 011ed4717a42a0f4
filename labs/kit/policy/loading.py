"""Load a model in full precision, int8 or NF4, with the guards without which bitsandbytes trains another model.

Two silent bugs of bitsandbytes 0.50.2 on a CPU are kept out here: an evaluation repacks NF4 weights into a format that
has no gradient (CPUs with AVX512-BF16), and NF4 weights come back wrong where a row is no multiple of the block (CPUs
with AVX512). A third is nobody's: a layer that was never quantised looks like one that was, unless its class is asked.
"""

import copy
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, cast

import torch
from bitsandbytes.functional import dequantize_4bit, int8_vectorwise_dequant
from bitsandbytes.nn.modules import Linear4bit, Linear8bitLt
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig, PreTrainedModel

from labs.kit.errors import LabError
from labs.kit.places import home
from labs.kit.policy.base import base

Quantization = Literal["none", "int8", "nf4"]
Precision = Literal["float32", "bfloat16"]

LAYERS = {"none": "Linear", "int8": "Linear8bitLt", "nf4": "Linear4bit"}
"""The class of the layers that each quantisation makes."""


def load(
    quantization: Quantization = "none", model: str | Path = "base", *, guard: bool = True
) -> tuple[PreTrainedModel, Any]:
    """A model and its tokenizer: the base model, one in a folder, or one from the Hub.

    The base models stay on the CPU in float32, also where there is a GPU, so that their numbers can be compared. Any
    other model goes to the GPU in bfloat16 where there is one. `guard=False` leaves the AVX512-BF16 path open.
    """
    torch.set_num_threads(1)
    source = base() if str(model) == "base" else model
    cuda = torch.cuda.is_available() and (home() / "base") not in Path(source).resolve().parents
    dtype = torch.bfloat16 if cuda else torch.float32
    try:
        loaded = AutoModelForCausalLM.from_pretrained(
            source, dtype=dtype, device_map={"": 0 if cuda else "cpu"}, quantization_config=_config(quantization, dtype)
        )
        tokenizer = AutoTokenizer.from_pretrained(source, padding_side="left")
    except (OSError, ValueError) as problem:
        raise LabError(
            f"{source}: no model could be loaded from here: {problem}\n"
            "A trial needs its weights and its tokenizer before it can start.\n"
            "Name a folder that holds both, or a Hub model, with a network or with the model in the Hub's cache."
        ) from problem
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    if quantization == "nf4":
        check_blocks(loaded, guard)
    assert_quantised(loaded, quantization)
    return loaded.eval(), tokenizer


def layer_classes(model: nn.Module) -> dict[str, int]:
    """How many linear layers there are of each class; the adapters of LoRA are not counted.

    The output layer is never quantised, so a quantised base model has {"Linear": 1, "Linear4bit": 14}.
    """
    return dict(sorted(Counter(type(layer).__name__ for _, layer in _linear(model)).items()))


def assert_quantised(model: nn.Module, quantization: Quantization) -> dict[str, int]:
    """The layers' classes; LabError where a layer other than the output layer is not of the class asked for."""
    wanted = LAYERS[quantization]
    odd = [name for name, layer in _linear(model) if type(layer).__name__ != wanted and not name.endswith("lm_head")]
    found = layer_classes(model)
    if odd or wanted not in found:
        raise LabError(
            f"{type(model).__name__}: asked for {quantization}, found {found}; look at {', '.join(odd[:3])}.\n"
            "The trial would run in another precision than it says, and nothing else would show it.\n"
            "Type `gaplab doctor`, and build the stack anew if bitsandbytes is not the one of its lock."
        )
    return found


def check_blocks(model: nn.Module, guard: bool = True) -> None:
    """Close the AVX512-BF16 path of NF4 layers, unless `guard` is off, and check that their weights come back right."""
    seen = set()
    for name, layer in _linear(model):
        if not isinstance(layer, Linear4bit):
            continue
        if guard:
            layer.support_avx512bf16_for_cpu = False
        state = cast(Any, layer.weight).quant_state
        right_shape = layer.in_features % state.blocksize == 0
        if tuple(state.shape) not in seen and not (right_shape and _comes_back(layer)):
            raise LabError(
                f"{name}: its {layer.in_features} inputs come back wrong from NF4 blocks of {state.blocksize}.\n"
                "bitsandbytes gives no message of its own; the layer would compute with garbage.\n"
                "Use a model whose layers have a multiple of 64 inputs, or quantise to int8."
            )
        seen.add(tuple(state.shape))


def dequantised(model: PreTrainedModel) -> PreTrainedModel:
    """A copy whose quantised layers are plain ones that hold what the quantised weights stand for, in its precision."""
    whole, dtype = copy.deepcopy(model), cast(Tensor, model.get_input_embeddings().weight).dtype
    for name, layer in list(_linear(whole)):
        if isinstance(layer, Linear4bit | Linear8bitLt):
            plain = nn.Linear(layer.in_features, layer.out_features, bias=False, device=layer.weight.device)
            plain.weight, plain.bias = nn.Parameter(weights(layer).to(dtype), requires_grad=False), layer.bias
            whole.set_submodule(name, plain)
    for module in whole.modules():
        for flag in ("is_loaded_in_4bit", "is_loaded_in_8bit", "is_quantized"):
            if flag in vars(module):
                setattr(module, flag, False)
    return whole


def weights(layer: Linear4bit | Linear8bitLt) -> Tensor:
    """The float32 weights that a quantised layer stands for, by bitsandbytes' own functions."""
    stored = cast(Any, layer.weight)
    if isinstance(layer, Linear4bit):
        plain: Tensor = dequantize_4bit(stored.data, stored.quant_state)
    else:
        holder = cast(Any, layer.state) if stored.SCB is None else stored  # the first forward pass moves them
        plain = int8_vectorwise_dequant(holder.CB, holder.SCB)
    return plain.float()


def set_precision(model: nn.Module, precision: Precision) -> None:
    """Cast what is trained; TRL makes the adapter of a quantised model bfloat16, which would compare two precisions."""
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.to(getattr(torch, precision))


@contextmanager
def strict_warnings() -> Iterator[None]:
    """Make an error of PyTorch's warning that a kernel (gemv_4bit, say) has no gradient: it would be wrong."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*autograd kernel was not registered.*", category=UserWarning)
        # TRL 1.16 asks transformers 5.23 for this by its old name; TRL 1.12 takes the variance of one number.
        warnings.filterwarnings("ignore", message=".*gradient_checkpointing.* is deprecated", category=FutureWarning)
        warnings.filterwarnings("ignore", message=r"var\(\): degrees of freedom is <= 0", category=UserWarning)
        yield


def _config(quantization: Quantization, dtype: torch.dtype) -> BitsAndBytesConfig | None:
    if quantization == "none":
        return None
    if quantization == "int8":
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )


def _linear(model: nn.Module) -> Iterator[tuple[str, nn.Linear]]:
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear) and "lora_" not in name:
            yield name, module


def _comes_back(layer: Linear4bit) -> bool:
    """Whether bitsandbytes' dequantisation equals a look-up in the code book, but for the rounding of its result."""
    rounding = torch.finfo(cast(Any, layer.weight).quant_state.dtype).eps
    return bool(torch.allclose(weights(layer), looked_up(layer), rtol=max(1e-5, rounding), atol=1e-6))


def looked_up(layer: Linear4bit) -> Tensor:
    """The weights of an NF4 layer by hand: two codes a byte, the high one first, times the scale of their block."""
    stored = cast(Any, layer.weight)
    state, packed = stored.quant_state, stored.data.reshape(-1)
    scales = state.absmax
    if state.nested:
        outer = state.state2
        blocks = torch.arange(scales.numel(), device=scales.device) // outer.blocksize
        scales = outer.code[scales.long()] * outer.absmax[blocks] + state.offset
    codes = torch.stack([packed >> 4, packed & 15], dim=-1).reshape(-1, state.blocksize)
    return cast(Tensor, state.code[codes.long()] * scales.reshape(-1, 1)).reshape(state.shape).float()
