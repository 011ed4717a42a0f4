"""The shape of a lab.toml, before its words are read: tables where tables belong, names and numbers of a fit kind."""

import math
import re
from collections.abc import Iterator, Mapping
from keyword import iskeyword
from pathlib import Path
from typing import Any

from labs.kit.errors import LabError

_TABLES = ("setting", "presets", "variants", "claims", "figures")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_OF_PRESET = ("seeds", "variants")
"""What a preset says beside its numbers over [setting]."""


def shaped(table: dict[str, Any], path: Path) -> None:
    """Refuse what has another shape; then give each number of the setting the kind it is meant to have, in place.

    Whoever writes parameter = 2 where it is 0.5 elsewhere means 2.0: an array made of the one would cut off what an
    array made of the other keeps.
    """
    for key in _TABLES:
        _is_table(table.get(key, {}), f"{path}: [{key}]")
        for name, part in table.get(key, {}).items() if key != "setting" else ():
            is_name(name, f"{path}: [{key}.{name}]")
            _is_table(part, f"{path}: [{key}.{name}]")
    numbers = dict(_numbers(table, path))
    for place, told in numbers.items():
        for key, value in told.items():
            _is_value(value, f"{place} {key}")
    _one_kind(*numbers.values())
    for name, told in table.get("presets", {}).items():
        told.update(numbers[f"{path}: [presets.{name}]"])


def _is_table(value: object, place: str) -> None:
    if not isinstance(value, dict):
        raise LabError(
            f"{place} is not a table but {value!r:.60}.\n"
            "What stands there has names of its own, so it needs a heading.\n"
            "Write the heading on a line by itself, and under it a line for each key: labs/README.md says which."
        )


def is_name(name: str, place: str) -> None:
    """Refuse a name that no folder can have."""
    if not _NAME.fullmatch(name):
        raise LabError(
            f"{place:.120}: that name cannot be used.\n"
            "It becomes the name of a folder, of a run in MLflow and a part of a web address.\n"
            "Write it with a-z, 0-9, _, - and ., at most 64 of them, beginning with a letter or a digit."
        )


def is_module(folder: Path) -> None:
    """Refuse a folder that Python cannot import: a lab's notebook imports it by its name."""
    if not folder.name.isidentifier() or iskeyword(folder.name):
        raise LabError(
            f"{folder}: no lab can have that name.\n"
            "It is also a Python package, a word on the command line and a part of a web address.\n"
            "Write it with a-z, 0-9 and _, beginning with a letter; a folder that is no lab has no lab.toml."
        )


def _numbers(table: Mapping[str, Any], path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each place that holds numbers of the setting, and these."""
    yield f"{path}: [setting]", table.get("setting", {})
    for name, told in table.get("variants", {}).items():
        yield f"{path}: [variants.{name}]", told
    for name, told in table.get("presets", {}).items():
        yield f"{path}: [presets.{name}]", {key: value for key, value in told.items() if key not in _OF_PRESET}


def _is_value(value: object, place: str) -> None:
    for item in _items(value):
        if not isinstance(item, (str, int, float)) or (isinstance(item, float) and not math.isfinite(item)):
            raise LabError(
                f"{place} = {value!r:.60} is neither a finite number, a text, true or false, nor a list of those.\n"
                "A setting is handed to theory and to practice, and stands on every trial.\n"
                "Write one of those, or several numbers under names of their own."
            )


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _one_kind(*places: dict[str, Any]) -> None:
    """A number with a point in one place has one in all."""
    pointed = {
        key for told in places for key, value in told.items() if any(item.__class__ is float for item in _items(value))
    }
    for told in places:
        for key in pointed & told.keys():
            told[key] = [_float(item) for item in told[key]] if isinstance(told[key], list) else _float(told[key])


def _float(item: object) -> object:
    return float(item) if item.__class__ is int else item
