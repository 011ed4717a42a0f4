"""Imports what the labs of this stack import, and takes one GRPO step of a small policy, in NF4 and in int8."""

import logging
import tempfile
import warnings

import bitsandbytes as bnb
import ipykernel.kernelapp
import matplotlib.figure
import pebble
import pytest
import scipy.special
import torch
from datasets import Dataset
from peft import LoraConfig
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM
from trl import GRPOConfig, GRPOTrainer

QUANTISED = {
    bnb.nn.Linear4bit: BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.float32
    ),
    bnb.nn.Linear8bitLt: BitsAndBytesConfig(load_in_8bit=True),
}
WORDS = ["<pad>", "<bos>", "<eos>", *"0123456789+="]


def random_policy(folder: str) -> PreTrainedTokenizerFast:
    """Write a small Qwen3 with random weights, and return its tokenizer of single characters."""
    torch.manual_seed(0)
    # inputs of every layer are multiples of 64: bitsandbytes' AVX512 kernel dequantises others wrongly, and says nothing
    shape = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "head_dim": 32, "max_position_embeddings": 32}
    config = Qwen3Config(
        vocab_size=len(WORDS), num_attention_heads=2, num_key_value_heads=2, tie_word_embeddings=True,
        pad_token_id=0, bos_token_id=1, eos_token_id=2, **shape,
    )  # fmt: skip
    Qwen3ForCausalLM(config).save_pretrained(folder)
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<pad>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<bos>", eos_token="<eos>", padding_side="left"
    )


def length(completions: list[str], **_: object) -> list[float]:
    """A reward that differs between completions."""
    return [float(sum(map(ord, text))) for text in completions]


def step(folder: str, layer: type[torch.nn.Module], config: BitsAndBytesConfig) -> float:
    """Take one GRPO step of the policy with its linear layers made `layer`; return how far the adapter moved."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, quantization_config=config)
    made = [module for module in model.modules() if isinstance(module, layer)]
    assert len(made) == 14, f"{len(made)} of 14 linear layers are {layer.__name__}"
    for module in made:
        # on CPUs with AVX512-BF16 a forward in eval mode repacks the weight, and gradients are wrong from then on
        module.support_avx512bf16_for_cpu = False
    trainer = GRPOTrainer(
        model=model,
        processing_class=random_policy(folder),
        reward_funcs=length,
        train_dataset=Dataset.from_list([{"prompt": f"{a}+{b}="} for a in range(4) for b in range(4)]),
        peft_config=LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM"),
        args=GRPOConfig(
            output_dir=folder, use_cpu=True, bf16=False, per_device_train_batch_size=16, num_generations=4, max_steps=1,
            max_completion_length=4, learning_rate=1e-2, beta=0.0, report_to=[], save_strategy="no",
            gradient_checkpointing=False, disable_tqdm=True, logging_strategy="no",
        ),
    )  # fmt: skip
    learned = [weight for weight in trainer.model.parameters() if weight.requires_grad]
    for weight in learned:
        weight.data = weight.data.float()  # TRL makes the adapters of a quantised model bfloat16
    before = [weight.detach().clone() for weight in learned]
    trainer.train()
    assert trainer.state.global_step == 1, "the trainer returned without a step"
    return sum((new - old).abs().sum().item() for new, old in zip(learned, before, strict=True))


def main() -> None:
    """One step for each kind of quantised layer."""
    warnings.filterwarnings("ignore", message="MatMul8bitLt: inputs will be cast")
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        random_policy(folder)
        for layer, config in QUANTISED.items():
            moved = step(folder, layer, config)
            assert 0 < moved < float("inf"), f"{layer.__name__}: the adapter moved by {moved}"
            print(f"grpo: one step with {layer.__name__}, adapter moved by {moved:.3f}")


if __name__ == "__main__":
    main()
