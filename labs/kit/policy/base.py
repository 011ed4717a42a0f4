"""The base model: 133,248 parameters, fitted to the noisy teacher of task.py in half a minute, to the same bits again.

`STACK/bin/python -m labs.kit.policy.base` makes it, if it is not there yet, and prints where it stands.
"""

import ast
import fcntl
import hashlib
import inspect
import json
import os
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import transformers
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor
from tqdm import tqdm  # type: ignore[import-untyped]
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

from labs.kit.places import home
from labs.kit.policy.task import COMPLETION_LENGTH, EOS, PAD, PROMPT_LENGTH, PROMPTS, VOCABULARY, encode, teacher

transformers.logging.disable_progress_bar()


@dataclass(frozen=True)
class Numbers:
    """Everything that decides the weights, beside the teacher and the versions of torch and transformers."""

    seed: int = 0
    steps: int = 300
    hidden: int = 64
    """A multiple of 64, like `inner`: 4-bit dequantisation is wrong otherwise (loading.py)."""
    inner: int = 256
    layers: int = 2
    heads: int = 4
    learning_rate: float = 3e-3
    warm_up: float = 0.1
    """Share of the steps in which the learning rate rises."""
    clip: float = 1.0


def base(seed: int = 0, steps: int = 300, progress: bool = True) -> Path:
    """The folder of the base model: safetensors and tokenizer. Made on first use; two processes make it once."""
    numbers = Numbers(seed=seed, steps=steps)
    bases = home() / "base"
    folder = bases / _id(numbers)
    bases.mkdir(parents=True, exist_ok=True)
    with (bases / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            _make(numbers, progress, folder)
    return folder


def _make(numbers: Numbers, progress: bool, folder: Path) -> None:
    """Write beside the folder and rename last, so that a folder that exists is whole."""
    model, making = fit(numbers, progress), folder.with_name(f"{folder.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    model.save_pretrained(making)
    tokenizer().save_pretrained(making)
    for path in making.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    making.rename(folder)


def digest(folder: Path) -> str:
    """sha256 of the weights; may differ between CPU types, so it stands on a trial as a tag, not in its recipe."""
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def fit(numbers: Numbers, progress: bool = False) -> Qwen3ForCausalLM:
    """Full-batch AdamW on the teacher's distribution itself: nothing is sampled; a seed sets the first weights."""
    torch.set_num_threads(1)
    torch.manual_seed(numbers.seed)
    model = Qwen3ForCausalLM(config(numbers))
    tokens, weights = _rows()
    optimizer = torch.optim.AdamW(model.parameters(), lr=numbers.learning_rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=numbers.learning_rate, total_steps=numbers.steps, pct_start=numbers.warm_up
    )
    hidden = None if progress else True  # None: shown on a terminal only
    bar = tqdm(range(numbers.steps), desc="base model", file=sys.stderr, disable=hidden, leave=False)
    for _ in bar:
        loss = cross_entropy(model, tokens, weights)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), numbers.clip)
        optimizer.step()
        schedule.step()
        bar.set_postfix(loss=f"{loss.item():.4f}", refresh=False)
    model.eval()
    return model


def cross_entropy(model: Qwen3ForCausalLM, tokens: Tensor, weights: Tensor) -> Tensor:
    """Minus the teacher's mean log-probability of an answer under the model, in nats a prompt."""
    inputs, targets = tokens[:, :-1], tokens[:, 1:]
    log_p: Tensor = model(input_ids=inputs).logits.log_softmax(-1)
    said = log_p.gather(-1, targets.unsqueeze(-1)).squeeze(-1)
    return -(weights * said).sum() / len(PROMPTS)


def config(numbers: Numbers) -> Qwen3Config:
    """The model's shape."""
    return Qwen3Config(
        vocab_size=len(VOCABULARY),
        hidden_size=numbers.hidden,
        intermediate_size=numbers.inner,
        num_hidden_layers=numbers.layers,
        num_attention_heads=numbers.heads,
        num_key_value_heads=numbers.heads,
        head_dim=numbers.hidden // numbers.heads,
        max_position_embeddings=32,
        pad_token_id=PAD,
        eos_token_id=EOS,
        bos_token_id=None,
        tie_word_embeddings=False,
    )


def tokenizer() -> PreTrainedTokenizerFast:
    """One token a character, nothing added, nothing normalised."""
    words = Tokenizer(models.WordLevel({word: index for index, word in enumerate(VOCABULARY)}, unk_token="<pad>"))
    words.pre_tokenizer = pre_tokenizers.Split(Regex(""), "isolated")
    words.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token=VOCABULARY[PAD], eos_token=VOCABULARY[EOS], padding_side="left"
    )


def _rows() -> tuple[Tensor, Tensor]:
    """Each (prompt, answer) of the teacher, padded on the right; the weights are 0 outside the answer."""
    length = PROMPT_LENGTH + COMPLETION_LENGTH
    tokens, weights = [], []
    for prompt in PROMPTS:
        for number, share in teacher(prompt).items():
            said = [*encode(str(number)), EOS]
            blank = length - PROMPT_LENGTH - len(said)
            tokens.append([*encode(prompt), *said, *[PAD] * blank])
            weights.append([0.0] * (PROMPT_LENGTH - 1) + [share] * len(said) + [0.0] * blank)
    return torch.tensor(tokens), torch.tensor(weights)


def _id(numbers: Numbers) -> str:
    """Names the weights by what decides them: numbers, teacher, training loop (as a syntax tree) and versions."""
    told = {
        "numbers": asdict(numbers),
        "teacher": {prompt: teacher(prompt) for prompt in PROMPTS},
        "code": [ast.dump(ast.parse(inspect.getsource(part))) for part in (fit, cross_entropy, config, _rows)],
        "versions": [torch.__version__, transformers.__version__],
    }
    return f"{numbers.seed}-{hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]}"


if __name__ == "__main__":
    print(base())  # noqa: T201
