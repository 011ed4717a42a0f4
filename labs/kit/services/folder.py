"""What the services keep on disk, under home()/services: ports, token, logs, locks."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from labs.kit import places


def folder() -> Path:
    """home()/services; it may not be there yet."""
    return places.home() / "services"


def make() -> Path:
    """home()/services, made where it is missing. Nobody else may look into it, since it holds a token."""
    folder().mkdir(parents=True, exist_ok=True)
    folder().chmod(0o700)
    return folder()


def read_json(name: str) -> dict[str, object]:
    """What was remembered in a file, or nothing: a missing or torn file is made again."""
    try:
        told = json.loads((folder() / name).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def write_json(name: str, told: dict[str, object]) -> None:
    """Remember something. A kill leaves the old file or the new one, never half of it."""
    write_private(name, json.dumps(told, indent=1))


def write_private(name: str, text: str) -> None:
    """Replace a file that only its owner may read."""
    draft = make() / f"{name}.{os.getpid()}.new"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    draft.replace(folder() / name)


def log_of(name: str) -> Path:
    """Where a service writes what it has to say."""
    return folder() / f"{name}.log"


def tail(path: Path, lines: int = 6) -> str:
    """The last lines of a log, indented; empty where there is none."""
    told = path.read_bytes()[-4000:].decode(errors="replace").splitlines() if path.exists() else []
    return "\n".join(f"    {line}" for line in told[-lines:] if line.strip())


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Let one command at a time start or stop services; a second one waits. The kernel frees it with the process."""
    with (make() / "command.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
