"""Stacks as they lie on disk."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from labs.kit import places
from labs.kit.errors import LabError, near
from labs.kit.stack.alone import growing

COMMAND = ("services", "check")
"""The stacks that the command itself runs in, as .venv: a developer's `check` holds all of `services`."""

DEVICES = ("cpu", "gpu")

MARKER = "stack.lock"
"""A copy of the lock that a venv was made from. It is written last: a venv without it is not complete."""


@dataclass(frozen=True)
class Stack:
    """A folder of images/ with a requirements.in, and what is made from its lock for one device."""

    name: str
    device: str = field(default_factory=places.device)

    def __post_init__(self) -> None:
        if self.name not in (known := _names()):
            raise LabError(
                f"There is no stack '{self.name}' in {places.IMAGES}. A stack is a folder with a requirements.in "
                f"there. {near(self.name, known)}"
            )
        if self.device not in DEVICES:
            raise LabError(
                f"There is no device '{self.device}' to lock the stack '{self.name}' for (GAPLAB_DEVICE, --device). "
                f"A stack has a lock for each of {' and '.join(DEVICES)}. {near(self.device, DEVICES)}"
            )

    @property
    def folder(self) -> Path:
        """Where its requirements, locks and smoke.py are."""
        return places.IMAGES / self.name

    @property
    def lock(self) -> Path:
        """Every package with its version and hashes, for this device."""
        return self.folder / f"{self.device}.lock"

    @property
    def digest(self) -> str:
        """sha256 of the lock's bytes: stands on every trial."""
        try:
            return hashlib.sha256(self.lock.read_bytes()).hexdigest()
        except FileNotFoundError:
            raise LabError(
                f"{self.lock} does not exist. A stack is built from its lock alone, so that every machine gets the "
                f"same packages. Type: gaplab stack lock --device {self.device}"
            ) from None

    @property
    def venv(self) -> Path:
        """Where its venv is, or will be: a changed lock is another folder, so the old one works until it is removed."""
        if self.for_labs:
            return places.home() / "stacks" / f"{self.name}-{self.digest[:12]}"
        return places.ROOT / ".venv"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.venv / "bin" / "python"

    @property
    def for_labs(self) -> bool:
        """Whether labs run in it; the command runs in the others."""
        return self.name not in COMMAND

    @property
    def in_image(self) -> bool:
        """Whether there is an image of it: not of what a developer checks the code with."""
        return self.name != "check"

    @property
    def built(self) -> bool:
        """Whether its venv is there, complete, and made from this very lock."""
        marker = self.venv / MARKER
        larger = () if self.for_labs else COMMAND[COMMAND.index(self.name) + 1 :]
        wanted = [self.digest, *(Stack(name, self.device).digest for name in larger if _has_lock(name, self.device))]
        return marker.is_file() and hashlib.sha256(marker.read_bytes()).hexdigest() in wanted


def find() -> list[Stack]:
    """Every stack, by name, for the device that GAPLAB_DEVICE names."""
    return [Stack(name) for name in _names()]


def unused() -> list[Path]:
    """Venvs of locks that no stack has any more, and what killed builds have left: safe to remove."""
    folder = places.home() / "stacks"
    used = {Stack(name, device).venv for name in _names() for device in DEVICES if _has_lock(name, device)}
    return sorted(path for path in folder.glob("*") if path.is_dir() and path not in used and not growing(path))


def _has_lock(name: str, device: str) -> bool:
    return (places.IMAGES / name / f"{device}.lock").is_file()


def _names() -> list[str]:
    return sorted(path.parent.name for path in places.IMAGES.glob("*/requirements.in"))
