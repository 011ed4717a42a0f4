"""A model that is not the base: another vocabulary, another width, untrained. It stands for one from the Hub.

`STACK/bin/python -m tests.kit.policy.small_model FOLDER` writes it.
"""

import sys
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

WORDS = ["=", "+", *reversed("0123456789"), *"abcdefgh", "<end>"]
"""No token has the number that it has in the base's vocabulary, and none is there for padding alone."""


def write(folder: Path) -> None:
    """Weights and tokenizer, as from_pretrained() wants them."""
    torch.manual_seed(0)
    Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=len(WORDS),
            hidden_size=128,
            intermediate_size=192,
            num_hidden_layers=3,
            num_attention_heads=2,
            num_key_value_heads=1,
            head_dim=64,
            max_position_embeddings=64,
            eos_token_id=WORDS.index("<end>"),
            tie_word_embeddings=True,
        )
    ).save_pretrained(folder)
    words = Tokenizer(models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="a"))
    words.pre_tokenizer = pre_tokenizers.Split(Regex(""), "isolated")
    words.decoder = decoders.Fuse()
    PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<end>").save_pretrained(folder)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
