"""Imports what the labs of this stack import, and takes one PPO step of a small policy, in NF4 and in int8."""
# ruff: noqa: E402, F401, T201

import logging
import os
import tempfile
import warnings

os.environ |= {"HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1", "TRL_EXPERIMENTAL_SILENCE": "1"}
logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # on some CPUs it asks for a package from a hub at import
warnings.filterwarnings("ignore")

import bitsandbytes as bnb
import ipykernel.kernelapp
import matplotlib.figure
import pebble
import pytest
import scipy.special
import torch
import transformers
from datasets import Dataset
from peft import LoraConfig
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    AutoModelForCausalLM,
    BitsAndBytesConfig,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
    Qwen3ForSequenceClassification,
)
from trl import GRPOTrainer
from trl.experimental.ppo import PPOConfig, PPOTrainer

QUANTISED = {
    bnb.nn.Linear4bit: BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.float32
    ),
    bnb.nn.Linear8bitLt: BitsAndBytesConfig(load_in_8bit=True),
}
WORDS = ["<pad>", "<bos>", "<eos>", *"0123456789+="]


def tokenizer() -> PreTrainedTokenizerFast:
    """One token a character."""
    words = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<pad>"))
    words.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    marks = {"pad_token": "<pad>", "bos_token": "<bos>", "eos_token": "<eos>"}
    return PreTrainedTokenizerFast(tokenizer_object=words, padding_side="left", **marks)


def write_policy(folder: str) -> None:
    """Save a Qwen3 of two layers with random weights."""
    torch.manual_seed(0)
    # inputs of every layer are a multiple of 64: bitsandbytes' AVX512 kernel dequantises others wrongly, without a word
    size = {"hidden_size": 64, "intermediate_size": 128, "head_dim": 32, "max_position_embeddings": 32}
    count = {"num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2, "vocab_size": len(WORDS)}
    marks = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    Qwen3ForCausalLM(Qwen3Config(tie_word_embeddings=True, **size, **count, **marks)).save_pretrained(folder)


def load(folder: str, layer: type[torch.nn.Module]) -> torch.nn.Module:
    """The saved policy with all of its linear layers made `layer`."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, quantization_config=QUANTISED[layer])
    made = [module for module in model.modules() if isinstance(module, layer)]
    assert len(made) == 14, f"{len(made)} of 14 linear layers are {layer.__name__}"
    for module in made:
        # on CPUs with AVX512-BF16 a forward in eval mode repacks the weight, and gradients are wrong from then on
        module.support_avx512bf16_for_cpu = False
    return model


def step(folder: str, layer: type[torch.nn.Module]) -> float:
    """Take one PPO step; return how far the adapter moved. Critic and reward are random heads on the same model."""
    words = tokenizer()
    critic, reward = (Qwen3ForSequenceClassification.from_pretrained(folder, num_labels=1) for _ in range(2))
    prompts = Dataset.from_list([{"input_ids": words(f"{a}+{b}=")["input_ids"]} for a in range(4) for b in range(4)])
    trainer = PPOTrainer(
        model=load(folder, layer),
        ref_model=None,
        reward_model=reward,
        value_model=critic,
        processing_class=words,
        train_dataset=prompts,
        eval_dataset=prompts,
        peft_config=LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM"),
        args=PPOConfig(
            output_dir=folder, use_cpu=True, bf16=False, per_device_train_batch_size=16, num_mini_batches=1,
            num_ppo_epochs=1, total_episodes=16, response_length=4, learning_rate=1e-2, stop_token="eos",
            num_sample_generations=0, gradient_checkpointing=False, report_to=[], save_strategy="no", disable_tqdm=True,
        ),
    )  # fmt: skip
    trainer.remove_callback(transformers.PrinterCallback)
    learned = {name: weight for name, weight in trainer.model.policy.named_parameters() if weight.requires_grad}
    before = {name: weight.detach().clone() for name, weight in learned.items()}
    assert {weight.dtype for weight in learned.values()} == {torch.float32}
    trainer.train()
    assert trainer.state.global_step == 1, "the trainer returned without a step"
    return sum((weight - before[name]).abs().sum().item() for name, weight in learned.items())


if __name__ == "__main__":
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    with tempfile.TemporaryDirectory() as folder:
        write_policy(folder)
        for layer in QUANTISED:
            moved = step(folder, layer)
            assert 0 < moved < float("inf"), f"{layer.__name__}: the adapter moved by {moved}"
            print(f"ppo: one step with {layer.__name__} moved the adapter by {moved:.2f}")
