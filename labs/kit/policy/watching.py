"""What is seen of a training while it runs: rewards paid, the policy watched, every step told to the log."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from labs.kit.policy.exact import Reward

Watch = Callable[[Any, int], Mapping[str, float]]
"""(model, steps taken) -> numbers that go to the log and into the history of that step."""
BatchWatch = Callable[[Any, Sequence[str]], Mapping[str, float]]
"""(model, the batch's prompts, one each completion) -> numbers of this step, seen before the update."""

LOGGED = ("reward", "frac_reward_zero_std", "entropy", "kl", "grad_norm")
"""What goes to the trial's log of all that TRL's GRPO tells; the rest is in Trained.history."""


class Watching(TrainerCallback):
    """Pays the reward, asks the watches, and writes what each step told to the log."""

    def __init__(
        self,
        log: Any = None,
        watch: Watch | None = None,
        every: int = 1,
        watch_batch: BatchWatch | None = None,
        logged: Sequence[str] = LOGGED,
    ) -> None:
        self.model: Any = None
        self._logged = logged
        self._log, self._watch, self._every, self._watch_batch = log, watch, every, watch_batch
        self._batch: dict[str, float] = {}

    def pay(self, reward: Reward) -> Callable[..., list[float]]:
        """The reward as TRL wants it, on token ids, under the reward's own name."""

        def paid(prompts: Sequence[str], completion_ids: Sequence[Sequence[int]], **_: Any) -> list[float]:
            if self._watch_batch is not None:
                self._batch = dict(self._watch_batch(self.model, prompts))
            return [reward(prompt, said) for prompt, said in zip(prompts, completion_ids, strict=True)]

        paid.__name__ = reward.__name__
        return paid

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """The policy before the first step, unless this is a resume, whose history has it."""
        if self._watch is not None and state.global_step == 0:
            state.log_history.append({"step": 0, **self._told(self._watch(self.model, 0), 0)})

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: Any = None, **_: Any
    ) -> None:
        """One step is done: keep its numbers in the state, which checkpoints save, and in the log."""
        if "train_runtime" in logs:
            return
        step = state.global_step
        told, self._batch = self._batch, {}
        if self._watch is not None and step % self._every == 0:
            told |= self._watch(self.model, step)
        state.log_history[-1] |= self._told(told, step)
        self._told({name: logs[name] for name in self._logged if name in logs}, step)

    def _told(self, numbers: Mapping[str, float], step: int) -> dict[str, float]:
        for name, value in numbers.items():
            if self._log is not None:
                self._log(name, float(value), step)
        return {name: float(value) for name, value in numbers.items()}
