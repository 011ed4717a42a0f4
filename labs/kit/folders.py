"""The trials' folders, listed without opening them: ten thousand take some hundredths of a second."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from labs.kit import places


def of_lab(lab: str) -> "list[os.DirEntry[str]]":
    """The folders of one lab's trials, each called variant-seed-recipe."""
    return sorted(_under(places.trials() / lab), key=lambda entry: entry.name)


def every() -> "Iterator[os.DirEntry[str]]":
    """The folders of all trials."""
    for lab in labs():
        yield from of_lab(lab)


def labs() -> list[str]:
    """The labs that have trials here, whether or not their folder still exists: mechanism/name."""
    mechanisms = _under(places.trials())
    return sorted(f"{mechanism.name}/{lab.name}" for mechanism in mechanisms for lab in _under(Path(mechanism.path)))


def name_of(variant: str, seed: int | str, recipe: str) -> str:
    """What the folder of such a trial is called."""
    return f"{variant}-{seed}-{recipe[:8]}"


def _under(folder: Path) -> "list[os.DirEntry[str]]":
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        return [entry for entry in entries if entry.is_dir()]
    return []
