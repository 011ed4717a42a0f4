"""What must be there before a trial can start: its stack, and for the labs that train one, the base model.

Made beside the trials, one after the other: the first stack's trials run while the next stack is being built.
"""

import hashlib
import os
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from labs.kit import places, stack
from labs.kit.engines import Notice
from labs.kit.errors import LabError
from labs.kit.plan import Trial
from labs.kit.recipe import kit_modules
from labs.kit.stack import Stack


class Preparing:
    """Makes in a thread what the trials need; ask ready() whether one may start."""

    def __init__(self, trials: Sequence[Trial], tell: Callable[[Notice], None]) -> None:
        self._tell = tell
        self._done: dict[str, LabError | None] = {}
        """By stack: None once it is there, or why it never will be."""
        models = {trial.stack for trial in trials if _trains_a_model(trial)}
        missing = []
        for name in dict.fromkeys(trial.stack for trial in trials):
            if Stack(name).built and (name not in models or _made(Stack(name)).is_file()):
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
                self._make_one(Stack(name), name in models)
                self._done[name] = None
            except LabError as problem:
                self._done[name] = problem
            except Exception as problem:
                self._done[name] = _unexpected(name, problem)
                raise

    def _make_one(self, one: Stack, model: bool) -> None:
        if not one.built:
            stack.build(one, on_line=lambda line: self._tell(Notice(f"building stack {one.name}", line)))
        if model and not _made(one).is_file():
            self._tell(Notice(f"making the base model with stack {one.name}", "about half a minute"))
            _make_base(one)
        self._tell(Notice(f"stack {one.name} is ready"))


def _trains_a_model(trial: Trial) -> bool:
    return any(name.startswith("labs.kit.policy") for name in kit_modules(Path(trial.lab_folder)))


def _made(one: Stack) -> Path:
    """An empty file that says that the base model of this stack and this code has been made.

    Only the stack itself can tell where its model stands (versions are part of the name), and asking takes seconds.
    """
    code = b"".join(path.read_bytes() for path in sorted((places.ROOT / "labs/kit/policy").glob("*.py")))
    return places.home() / "base" / f"made-{hashlib.sha256(one.digest.encode() + code).hexdigest()[:12]}"


def _make_base(one: Stack) -> None:
    tied = ["-m", "labs.kit.engines.inside.leash", str(os.getpid()), "labs.kit.policy.base"]
    command = [str(one.python), *tied]
    done = subprocess.run(command, cwd=places.ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        said = "".join(done.stderr.strip().splitlines()[-1:])
        raise LabError(
            f"The base model could not be made with stack {one.name}: {said}\n"
            "Every lab that trains a language model starts from it.\n"
            f"Type `cd {places.ROOT} && {one.python} -m labs.kit.policy.base` to see all that it says."
        )
    _made(one).touch()


def _unexpected(name: str, problem: Exception) -> LabError:
    return LabError(
        f"Stack {name} could not be prepared: {type(problem).__name__}: {problem}.\n"
        "Its trials cannot start without it.\n"
        f"Type `gaplab stack build {name}` to see why."
    )
