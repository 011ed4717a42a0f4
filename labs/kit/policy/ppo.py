"""Train the small model with TRL 1.12's PPOTrainer, the last there was; only the stack `ppo` has it."""

import contextlib
import gc
import io
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import huggingface_hub.constants
import transformers
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForSequenceClassification, PrinterCallback, TrainerCallback, set_seed
from trl.experimental.ppo.ppo_config import PPOConfig
from trl.experimental.ppo.ppo_trainer import PPOTrainer

from labs.kit.errors import LabError
from labs.kit.policy.base import base
from labs.kit.policy.exact import Reward
from labs.kit.policy.loading import Precision, Quantization, assert_quantised, load, set_precision, strict_warnings
from labs.kit.policy.scoring import RewardModel
from labs.kit.policy.task import COMPLETION_LENGTH, PROMPTS, encode, right
from labs.kit.policy.training import Trained
from labs.kit.policy.watching import Watch, Watching

LOGGED = ("objective/scores", "objective/kl", "objective/entropy", "policy/entropy_avg", "loss/value_avg")
"""What goes to the trial's log of all that TRL's PPO tells; the rest is in Trained.history."""

huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY = True


@dataclass(frozen=True)
class PPOTraining:
    """The numbers of one training; those that have a default are the recipe's, which differ from TRL's."""

    seed: int
    updates: int
    learning_rate: float = 1e-3
    scheduler: str = "constant"
    epochs: int = 4
    """Passes over the completions of an update."""
    batch: int = 64
    """Completions an update, one a prompt."""
    prompts: Sequence[str] = PROMPTS * 2
    reward: Reward = right
    temperature: float = 1.0
    response_length: int = COMPLETION_LENGTH
    kl_coef: float = 0.02
    kl_estimator: Literal["k1", "k3"] = "k1"
    vf_coef: float = 0.5
    cliprange_value: float = 10.0
    lam: float = 0.95
    quantization: Quantization = "none"
    guard: bool = True
    lora: bool = True
    """LoRA of rank 16 on the policy's linear layers, or all its weights. The critic is always trained whole."""
    precision: Precision = "float32"
    more: Mapping[str, Any] = field(default_factory=dict)
    """Further keywords of PPOConfig."""


@dataclass(frozen=True)
class PPOTrained(Trained):
    """What a training leaves behind; `model` is the policy."""

    critic: Any
    """The base model with one output: its value at every state is `critic_values(critic)`."""


@strict_warnings()
def train(
    training: PPOTraining,
    log: Any,
    *,
    watch: Watch | None = None,
    watch_every: int = 1,
    callbacks: Sequence[TrainerCallback] = (),
    policy: Any = None,
    critic: Any = None,
) -> PPOTrained:
    """Train to the last update; a killed trial starts anew, since this trainer cannot resume.

    `policy` is a model to start from instead of the base model; the reference stays the base model, in the policy's
    quantisation (under LoRA: the policy without its adapter). `critic` is a value model instead of a new one.
    """
    seen = Watching(log, watch, watch_every, logged=LOGGED)
    with tempfile.TemporaryDirectory(prefix="gaplab-ppo-") as folder, contextlib.redirect_stdout(io.StringIO()):
        trainer = build(training, Path(folder), seen, callbacks, policy, critic)
        layers = assert_quantised(trainer.policy_model, training.quantization)
        with _cheap_collections():
            trainer.train()
    return PPOTrained(trainer.policy_model, trainer.state.log_history, layers, trainer.value_model)


def build(
    training: PPOTraining,
    folder: Path,
    seen: Watching | None = None,
    callbacks: Sequence[TrainerCallback] = (),
    policy: Any = None,
    critic: Any = None,
) -> PPOTrainer:
    """The trainer, ready to train. It seeds nothing itself before it draws the adapter, so that is done here."""
    _check(training)
    seen = seen or Watching()
    model, tokenizer = load(training.quantization, guard=training.guard)
    reference = None if training.lora and policy is None else load(training.quantization, guard=training.guard)[0]
    set_seed(training.seed)
    trainer = PPOTrainer(
        args=_config(training, folder),
        processing_class=tokenizer,
        model=policy if policy is not None else model,
        ref_model=reference,
        reward_model=cast(Any, RewardModel(training.reward)),
        value_model=_critic() if critic is None else critic,
        train_dataset=Dataset.from_list([{"input_ids": encode(prompt)} for prompt in training.prompts]),
        peft_config=LoraConfig(r=16, lora_alpha=32, target_modules="all-linear") if training.lora else None,
        callbacks=[seen, *callbacks],
    )
    trainer.remove_callback(PrinterCallback)
    set_precision(trainer.policy_model, training.precision)
    seen.model = trainer.policy_model
    return trainer


def _check(training: PPOTraining) -> None:
    """LabError for what the trainer does not check."""
    if training.quantization != "none" and not training.lora:
        raise LabError(
            f"PPO: a policy in {training.quantization} has no weights to train but its norms and embeddings.\n"
            "The trainer would train those, without a message.\n"
            'Use lora = true, or quantization = "none".'
        )
    if len(training.prompts) < training.batch:
        raise LabError(
            f"PPO: {len(training.prompts)} prompts do not fill a batch of {training.batch}.\n"
            "The trainer would wait for a batch for ever, without a message.\n"
            "Repeat the prompts, or take a smaller batch."
        )


@contextlib.contextmanager
def _cheap_collections() -> Iterator[None]:
    """The trainer collects garbage after every update: five sixths of its time, unless what is loaded is left out."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _critic() -> Any:
    """The base model with one output, drawn anew; without the report that says so."""
    said = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity_error()
    try:
        return AutoModelForSequenceClassification.from_pretrained(base(), num_labels=1)
    finally:
        transformers.logging.set_verbosity(said)


def _config(training: PPOTraining, folder: Path) -> PPOConfig:
    return PPOConfig(
        output_dir=str(folder),
        seed=training.seed,
        total_episodes=training.updates * training.batch,
        per_device_train_batch_size=training.batch,
        local_rollout_forward_batch_size=training.batch,
        num_mini_batches=1,
        num_ppo_epochs=training.epochs,
        learning_rate=training.learning_rate,
        lr_scheduler_type=training.scheduler,
        temperature=training.temperature,
        response_length=training.response_length,
        stop_token="eos",
        kl_coef=training.kl_coef,
        kl_estimator=training.kl_estimator,
        vf_coef=training.vf_coef,
        cliprange_value=training.cliprange_value,
        lam=training.lam,
        num_sample_generations=0,
        gradient_checkpointing=False,
        use_cpu=True,
        bf16=False,
        logging_steps=1,
        disable_tqdm=True,
        report_to="none",
        save_strategy="no",
        **training.more,
    )
