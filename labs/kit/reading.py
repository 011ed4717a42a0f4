"""Read one lab folder strictly: an unknown key is a mistake, and lab.toml and theory.py must name the same claims."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args, get_type_hints

from labs.kit import shapes, wellformed
from labs.kit.errors import LabError, near
from labs.kit.words import Bound, Claim, Figure, Lab, Preset, Relation, Scale, Tail, Target, Value

_CHOICES = {"relation": Relation, "target": Target, "bound": Bound, "tail": Tail, "scale": Scale}
_OURS = {
    Lab: {"mechanism", "name", "folder", "stacks"},
    Claim: {"lab", "name"},
    Figure: {"name"},
    Preset: {"name", "setting"},
}


def read(folder: Path) -> Lab:
    """Read one lab folder. Raises LabError with the place, the reason and the remedy for anything amiss."""
    path = folder / "lab.toml"
    table = _parse(path)
    shapes.is_module(folder)
    shapes.shaped(table, path)
    stacks = _stacks(table, path)
    told = {name: table.pop(name, {}) for name in ("setting", "presets", "variants", "claims", "figures")}
    head = _known(Lab, table, str(path), {"stack", "stacks", *told})
    variants = {name: _numbers(numbers) for name, numbers in told["variants"].items()}
    mechanism, lab_id = folder.parent.name, f"{folder.parent.name}/{folder.name}"
    for name in ("variants", "claims"):
        if not told[name]:
            raise LabError(_lacks(str(path), f"[{name}.…]"))
    lab = Lab(
        mechanism=mechanism,
        name=folder.name,
        folder=folder,
        stacks=stacks,
        setting=_numbers(told["setting"]),
        presets=_presets(told["presets"], head.get("seeds", 0), tuple(variants), path),
        variants=variants,
        claims={name: _claim(name, keys, lab_id, variants, path) for name, keys in told["claims"].items()},
        figures={
            name: Figure(**_known(Figure, keys, f"{path}: [figures.{name}]"), name=name)
            for name, keys in told["figures"].items()
        },
        **head,
    )
    wellformed.numbers(lab, path)
    for claim in lab.claims.values():
        wellformed.claim(claim, lab, path)
    for figure in lab.figures.values():
        wellformed.figure(figure, lab, path)
    wellformed.functions(lab, folder / "theory.py")
    return lab


def _stacks(table: dict[str, Any], path: Path) -> tuple[str, ...]:
    """`stacks = [...]`, or the one `stack`; both are taken out of the table."""
    one, many = table.pop("stack", ""), table.pop("stacks", [])
    found: tuple[str, ...] = _typed(many or [one], tuple[str, ...], f"{path}: stack")
    if not all(found):
        raise LabError(_lacks(str(path), "stack"))
    for name in found:
        shapes.is_name(name, f"{path}: stack = {name!r}")
    return found


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))  # some editors begin a text with a mark that nobody sees
    except tomllib.TOMLDecodeError as problem:
        raise LabError(
            f"{path}: this is not TOML: {problem}.\n"
            "Nothing of the lab can be read until it is.\n"
            "Mend that line; a text with quotes or line breaks goes between three double quotes."
        ) from None
    except (OSError, UnicodeDecodeError) as problem:
        raise LabError(
            f"{path}: cannot be read: {problem}.\nEvery lab folder has a lab.toml that says what it claims.\n"
            "Make it a text in UTF-8 that you may read, or take the folder out of labs/."
        ) from None


def _known(shape: type, table: Mapping[str, Any], place: str, extra: Iterable[str] = ()) -> dict[str, Any]:
    """The table as keyword arguments of `shape`, or LabError for a key it does not have, lacks or has another type."""
    keys = _keys(shape)
    allowed = {*keys, *extra}
    for key in table:
        if key not in allowed:
            raise LabError(
                f"{place} has an unknown key {key!r}. {near(key, allowed)}\n"
                "A key that nobody reads would be a number that nobody uses.\n"
                "labs/README.md says what each key is; correct or delete it."
            )
    for key, needed in keys.items():
        if needed and key not in table and key not in extra:
            raise LabError(_lacks(place, key))
    hints = _hints(shape)
    return {key: _typed(value, hints[key], f"{place}: {key}") for key, value in table.items()}


@lru_cache
def _keys(shape: type) -> dict[str, bool]:
    """The keys that a table of this shape may have, each with whether it must; once a shape, as _hints."""
    return {
        entry.name: entry.default is MISSING and entry.default_factory is MISSING
        for entry in fields(shape)
        if entry.name not in _OURS[shape]
    }


@lru_cache
def _hints(shape: type) -> dict[str, Any]:
    """Worked out once a shape: two hundred tables have one of four."""
    return get_type_hints(shape)


def _lacks(place: str, key: str) -> str:
    return (
        f"{place} lacks {key!r}.\nWithout it nobody can say what is run or judged.\n"
        f"labs/README.md says what each key is; add {key}."
    )


def _typed(value: Any, hint: Any, place: str) -> Any:
    """The value if it is of the field's type (lists become tuples; an int may stand for a float)."""
    if isinstance(value, list):
        value = tuple(value)
    allowed: tuple[type, ...] = tuple(kind for kind in (get_args(hint) or (hint,)) if isinstance(kind, type))
    if getattr(hint, "__origin__", None) is tuple or value.__class__ is tuple:
        kinds = (int, float) if float in allowed else (str,)
        fine = getattr(hint, "__origin__", None) is value.__class__ and all(item.__class__ in kinds for item in value)
    elif all(isinstance(kind, str) for kind in get_args(hint)) and get_args(hint):
        fine = value in get_args(hint)
        allowed = get_args(hint)
    else:
        fine = value.__class__ in allowed or (value.__class__ is int and float in allowed)
    if not fine:
        wanted = ", ".join(str(getattr(kind, "__name__", kind)) or "''" for kind in allowed)
        wanted = f"a list of {wanted}" if getattr(hint, "__origin__", None) is tuple else wanted
        raise LabError(
            f"{place} = {value!r} is not one of: {wanted}.\nThe judge would not know what to do with it.\n"
            "labs/README.md says what each key is; correct the value."
        )
    return value


def _numbers(table: Mapping[str, Any]) -> dict[str, Value]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}


def _presets(table: Mapping[str, Any], seeds: int, variants: tuple[str, ...], path: Path) -> dict[str, Preset]:
    made = {"full": Preset("full", seeds, variants)}
    for name, told in table.items():
        numbers = {key: value for key, value in told.items() if key not in ("seeds", "variants")}
        place = f"{path}: [presets.{name}]"
        chosen = _typed(told.get("variants", variants), tuple[str, ...], f"{place} variants")
        for variant in chosen:
            wellformed.variant(variant, variants, place, "variants")
        made[name] = Preset(name, _typed(told.get("seeds", seeds), int, f"{place} seeds"), chosen, _numbers(numbers))
    return made


def _claim(name: str, table: Mapping[str, Any], lab: str, variants: Mapping[str, object], path: Path) -> Claim:
    told = _known(Claim, table, f"{path}: [claims.{name}]")
    given = {key: value for key, value in told.items() if value or key not in ("variant", "variants")}
    return Claim(**{"variant": next(iter(variants)), "variants": tuple(variants), **given}, lab=lab, name=name)
