"""Checkpoints that can be trusted: marked when whole, checked before use, gone when the trial has ended.

The trainer resumes silently with a wrong state where a file of a checkpoint is missing, and takes the highest number
whatever its state. So each checkpoint gets `checkpoint-N.complete` beside it, written last: the sha256 of every file.
"""

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from labs.kit.errors import LabError


class MarkComplete(TrainerCallback):
    """Marks each checkpoint once it and the trial's record up to it are on the disk."""

    def __init__(self, log: Any) -> None:
        self._log = log

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Record first, then the checkpoint's files, then the marker: what the marker says is there, is there."""
        self._log.sync()
        mark(Path(str(args.output_dir)) / f"checkpoint-{state.global_step}")


def mark(checkpoint: Path) -> None:
    """Write the marker of a checkpoint whose files are all there."""
    for path in [*_files(checkpoint), checkpoint]:
        _sync(path)
    marker = _marker(checkpoint)
    draft = marker.with_suffix(".draft")
    draft.write_text(json.dumps(_digests(checkpoint)))
    _sync(draft)
    draft.replace(marker)
    _sync(marker.parent)


def newest_complete(folder: Path) -> Path | None:
    """The highest checkpoint that is what its marker says; those that are not are removed."""
    found: list[tuple[int, Path]] = []
    for checkpoint in folder.glob("checkpoint-*"):
        if not checkpoint.is_dir():
            continue
        if _is_whole(checkpoint):
            found.append((int(checkpoint.name.rpartition("-")[2]), checkpoint))
        else:
            _remove(checkpoint)
    return max(found)[1] if found else None


def discard(folder: Path) -> None:
    """Remove all checkpoints and markers of a trial that has ended."""
    for checkpoint in folder.glob("checkpoint-*"):
        _remove(checkpoint.with_suffix(""))


def check_save_steps(passes: int, generation: int) -> None:
    """LabError where a checkpoint every so many passes would fall between two uses of the same completions.

    The trainer does not save the completions it still has to learn from, so such a checkpoint resumes another training.
    """
    if passes % generation:
        raise LabError(
            f"save_steps: a checkpoint every {passes} passes would cut a generation of {generation} in two.\n"
            "A trial resumed from it would differ from one that was never stopped.\n"
            f"Choose save_steps so that save_steps x gradient_accumulation_steps is a multiple of {generation}."
        )


def _is_whole(checkpoint: Path) -> bool:
    marker = _marker(checkpoint)
    if not marker.is_file():
        return False
    try:
        told = json.loads(marker.read_text())
    except ValueError:
        return False
    return bool(told == _digests(checkpoint))


def _digests(checkpoint: Path) -> dict[str, str]:
    return {
        str(path.relative_to(checkpoint)): hashlib.sha256(path.read_bytes()).hexdigest() for path in _files(checkpoint)
    }


def _files(checkpoint: Path) -> list[Path]:
    return sorted(path for path in checkpoint.rglob("*") if path.is_file())


def _marker(checkpoint: Path) -> Path:
    return checkpoint.with_name(f"{checkpoint.name}.complete")


def _remove(checkpoint: Path) -> None:
    """The marker goes first, so that a kill in between leaves no marker without its checkpoint."""
    for suffix in (".complete", ".draft"):
        checkpoint.with_name(checkpoint.name + suffix).unlink(missing_ok=True)
    shutil.rmtree(checkpoint, ignore_errors=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
