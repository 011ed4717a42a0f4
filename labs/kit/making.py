"""What a stack's trials need before they can start, made on this machine: its venv, and the base model."""

import hashlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from labs.kit import places, stack
from labs.kit.engines import Notice
from labs.kit.errors import LabError
from labs.kit.stack import Stack

Tell = Callable[[Notice], None]


class Venvs:
    """Stacks as venvs."""

    def has(self, one: Stack, model: bool) -> bool:
        """Whether the venv is whole, and the model made."""
        return one.built and (not model or made(one).is_file())

    def make(self, one: Stack, model: bool, tell: Tell) -> None:
        """Build the venv from its lock, and make the model in it."""
        if not one.built:
            stack.build(one, on_line=lambda line: tell(Notice(f"building stack {one.name}", line)))
        if model and not made(one).is_file():
            tell(Notice(f"making the base model with stack {one.name}", "about half a minute"))
            _make_base(one)


def made(one: Stack) -> Path:
    """An empty file that says that the base model of this stack and this code has been made.

    Only the stack itself can tell where its model stands (versions are part of the name), and asking takes seconds.
    """
    code = b"".join(path.read_bytes() for path in sorted((places.ROOT / "labs/kit/policy").glob("*.py")))
    return places.home() / "base" / f"made-{hashlib.sha256(one.digest.encode() + code).hexdigest()[:12]}"


def no_base(one: Stack, said: str) -> LabError:
    """Why there is no base model."""
    return LabError(
        f"The base model could not be made with stack {one.name}: {''.join(said.strip().splitlines()[-1:])}\n"
        "Every lab that trains a language model starts from it.\n"
        f"Type `cd {places.ROOT} && {one.python} -m labs.kit.policy.base` to see all that it says."
    )


def _make_base(one: Stack) -> None:
    tied = ["-m", "labs.kit.engines.inside.leash", str(os.getpid()), "labs.kit.policy.base"]
    command = [str(one.python), *tied]
    done = subprocess.run(command, cwd=places.ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise no_base(one, done.stderr)
    made(one).touch()
