"""What must be there before a trial can start: its stack, and for the labs that train one, the base model.

Made beside the trials, one after the other: the first stack's trials run while the next stack is being built.
"""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from labs.kit.engines import Making, Notice
from labs.kit.errors import LabError
from labs.kit.plan import Trial
from labs.kit.recipe import kit_modules
from labs.kit.stack import Stack


class Preparing:
    """Makes in a thread what the trials need; ask ready() whether one may start."""

    def __init__(self, trials: Sequence[Trial], tell: Callable[[Notice], None], making: Making) -> None:
        self._tell, self._making = tell, making
        self._done: dict[str, LabError | None] = {}
        """By stack: None once it is there, or why it never will be."""
        models = {trial.stack for trial in trials if _trains_a_model(trial)}
        missing = []
        for name in dict.fromkeys(trial.stack for trial in trials):
            if self._making.has(Stack(name), name in models):
                self._done[name] = None
            else:
                missing.append(name)
        threading.Thread(target=self._make, args=(missing, models), daemon=True).start()

    def ready(self, trial: Trial) -> bool:
        """Whether the trial may start. Raises LabError where it never can."""
        problem = self._done.get(trial.stack)
        if problem:
            raise problem
        return trial.stack in self._done

    def _make(self, names: Sequence[str], models: set[str]) -> None:
        for name in names:
            try:
                self._making.make(Stack(name), name in models, self._tell)
                self._tell(Notice(f"stack {name} is ready"))
                self._done[name] = None
            except LabError as problem:
                self._done[name] = problem
            except Exception as problem:
                self._done[name] = _unexpected(name, problem)
                raise


def _trains_a_model(trial: Trial) -> bool:
    return any(name.startswith("labs.kit.policy") for name in kit_modules(Path(trial.lab_folder)))


def _unexpected(name: str, problem: Exception) -> LabError:
    return LabError(
        f"Stack {name} could not be prepared: {type(problem).__name__}: {problem}.\n"
        "Its trials cannot start without it.\n"
        f"Type `gaplab stack build {name}` to see why."
    )
