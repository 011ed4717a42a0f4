"""Train the small model with TRL's GRPOTrainer: the recipe's numbers, the guards, resume, a record of every step."""

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import huggingface_hub.constants
from datasets import Dataset
from peft import LoraConfig
from transformers import PrinterCallback, TrainerCallback, set_seed
from trl.trainer.grpo_config import GRPOConfig
from trl.trainer.grpo_trainer import GRPOTrainer

from labs.kit.errors import LabError
from labs.kit.policy.checkpoints import MarkComplete, check_save_steps, discard, newest_complete
from labs.kit.policy.loading import assert_quantised, load, set_precision, strict_warnings
from labs.kit.policy.task import rows
from labs.kit.policy.training import Trained, Training
from labs.kit.policy.watching import BatchWatch, Watch, Watching

huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY = True


@strict_warnings()
def train(
    training: Training,
    log: Any,
    *,
    watch: Watch | None = None,
    watch_every: int = 1,
    watch_batch: BatchWatch | None = None,
    callbacks: Sequence[TrainerCallback] = (),
    loaded: tuple[Any, Any] | None = None,
) -> Trained:
    """Train from the newest whole checkpoint of the trial, or from the start, to the last step.

    `watch` also sees the policy before the first step. A callback that keeps what it measures in memory loses it where
    a trial is resumed: use the watches, or append to `state.log_history`. `loaded` is a (model, tokenizer) to train
    instead of the one that `training` names.
    """
    with _output(log) as folder:
        seen = Watching(log, watch, watch_every, watch_batch)
        trainer = build(training, folder, seen, callbacks, loaded)
        layers = assert_quantised(cast(Any, trainer.model), training.quantization)
        checkpoint = _prepare_resume(training, trainer, log, folder)
        trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
        _check_steps(training, trainer.state.global_step)
        discard(folder)
    history = [told for told in trainer.state.log_history if "train_runtime" not in told]
    return Trained(trainer.model, history, layers)


def _check_steps(training: Training, taken: int) -> None:
    if taken != training.steps:
        raise LabError(
            f"GRPO: {taken} of {training.steps} steps were taken.\n"
            "The trainer takes none, without a message, where there are fewer prompts than groups in a batch.\n"
            f"Give at least {training.batch // training.group_size} prompts (there are {len(training.prompts)}), "
            "repeated if need be."
        )


@strict_warnings()
def build(
    training: Training,
    folder: Path,
    seen: Watching | None = None,
    callbacks: Sequence[TrainerCallback] = (),
    loaded: tuple[Any, Any] | None = None,
) -> GRPOTrainer:
    """The trainer, ready to train; the trained weights have the precision asked for."""
    model, tokenizer = loaded or load(training.quantization, training.model, guard=training.guard)
    seen = seen or Watching()
    set_seed(training.seed)  # TRL 1.12 draws the adapter before it seeds; 1.16 seeds first, with the same seed
    trainer = GRPOTrainer(
        model=model,
        processing_class=tokenizer,
        reward_funcs=cast(Any, seen.pay(training.reward)),
        train_dataset=Dataset.from_list(rows(training.prompts)),
        peft_config=LoraConfig(r=16, lora_alpha=32, target_modules="all-linear") if training.lora else None,
        args=_config(training, folder, model.device.type == "cpu"),
        callbacks=[seen, *callbacks],
    )
    trainer.remove_callback(PrinterCallback)
    cast(Any, trainer).create_model_card = lambda *_, **__: None  # written with every checkpoint, read by nobody
    seen.model = trainer.model
    set_precision(seen.model, training.precision)
    return trainer


def _config(training: Training, folder: Path, on_cpu: bool) -> GRPOConfig:
    return GRPOConfig(
        output_dir=str(folder),
        seed=training.seed,
        max_steps=training.steps,
        learning_rate=training.learning_rate,
        lr_scheduler_type=training.scheduler,
        loss_type=training.loss_type,
        scale_rewards=training.scale_rewards,
        beta=training.beta,
        use_bias_correction_kl=training.use_bias_correction_kl,
        num_generations=training.group_size,
        num_iterations=training.iterations,
        per_device_train_batch_size=training.batch,
        max_completion_length=training.completion_length,
        temperature=training.temperature,
        max_grad_norm=training.max_grad_norm,
        gradient_checkpointing=False,
        use_cpu=on_cpu,
        bf16=not on_cpu,
        logging_steps=1,
        disable_tqdm=True,
        report_to="none",
        save_strategy="no",
        **training.more,
    )


@contextlib.contextmanager
def _output(log: Any) -> Iterator[Path]:
    """The trial's folder, or one that is gone afterwards."""
    if getattr(log, "folder", None) is not None:
        yield Path(log.folder)
        return
    with tempfile.TemporaryDirectory(prefix="gaplab-grpo-") as folder:
        yield Path(folder)


def _prepare_resume(training: Training, trainer: GRPOTrainer, log: Any, folder: Path) -> Path | None:
    """Switch checkpoints on where they pay, and find the one to go on from.

    A bfloat16 adapter comes back from a checkpoint in float32, so such a training starts anew instead.
    """
    exact = training.precision == "float32"
    if getattr(log, "folder", None) is None or training.steps <= training.save_steps or not exact:
        return None
    args = cast(GRPOConfig, trainer.args)
    generation = (args.steps_per_generation or 1) * args.num_iterations
    check_save_steps(training.save_steps * args.gradient_accumulation_steps, generation)
    args.save_strategy, args.save_steps, args.save_total_limit = "steps", training.save_steps, 2
    trainer.add_callback(MarkComplete(log))
    checkpoint = newest_complete(folder)
    if checkpoint is not None:
        log.resume(int(checkpoint.name.rpartition("-")[2]))
    return checkpoint
