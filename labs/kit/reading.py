"""Read one lab folder strictly: an unknown key is a mistake, and lab.toml and theory.py must name the same claims."""

import ast
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

from labs.kit.errors import LabError, near
from labs.kit.words import Bound, Claim, Lab, Preset, Relation, Tail, Target, Value

_CHOICES = {"relation": Relation, "target": Target, "bound": Bound, "tail": Tail}
_OURS = {Lab: {"mechanism", "name", "folder", "stacks"}, Claim: {"lab", "name"}, Preset: {"name", "setting"}}


def read(folder: Path) -> Lab:
    """Read one lab folder. Raises LabError with the place, the reason and the remedy for anything amiss."""
    path = folder / "lab.toml"
    table = _parse(path)
    stacks = table.pop("stacks", None) or [table.pop("stack", "")]
    table.pop("stack", None)
    told = {name: table.pop(name, {}) for name in ("setting", "presets", "variants", "claims")}
    head = _known(Lab, table, str(path), {"stack", "stacks", *told})
    variants = {name: _numbers(numbers) for name, numbers in told["variants"].items()}
    mechanism, lab_id = folder.parent.name, f"{folder.parent.name}/{folder.name}"
    if not stacks[0]:
        raise LabError(_lacks(str(path), "stack"))
    if not variants:
        raise LabError(_lacks(str(path), "[variants.…]"))
    lab = Lab(
        mechanism=mechanism,
        name=folder.name,
        folder=folder,
        stacks=tuple(stacks),
        setting=_numbers(told["setting"]),
        presets=_presets(told["presets"], head.get("seeds", 0), tuple(variants), path),
        variants=variants,
        claims={name: _claim(name, keys, lab_id, variants, path) for name, keys in told["claims"].items()},
        **head,
    )
    _check_numbers(lab, path)
    for claim in lab.claims.values():
        _check_claim(claim, lab, path)
    _check_functions(lab, folder / "theory.py")
    return lab


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as problem:
        raise LabError(
            f"{path}: this is not TOML: {problem}.\n"
            "Nothing of the lab can be read until it is.\n"
            "Mend that line; a text with quotes or line breaks goes between three double quotes."
        ) from None
    except (OSError, UnicodeDecodeError) as problem:
        raise LabError(
            f"{path}: cannot be read: {problem}.\nEvery lab folder has a lab.toml that says what it claims.\n"
            "Type `gaplab new MECHANISM/NAME` for a folder that has one."
        ) from None


def _known(shape: type, table: Mapping[str, Any], place: str, extra: Iterable[str] = ()) -> dict[str, Any]:
    """The table as keyword arguments of `shape`, or LabError for a key it does not have, lacks or has another type."""
    keys = {entry.name: entry for entry in fields(shape) if entry.name not in _OURS[shape]}
    allowed = {*keys, *extra}
    for key in table:
        if key not in allowed:
            raise LabError(
                f"{place} has an unknown key {key!r}. {near(key, allowed)}\n"
                "A key that nobody reads would be a number that nobody uses.\n"
                "labs/README.md says what each key is; correct or delete it."
            )
    for key, entry in keys.items():
        if key not in table and key not in extra and entry.default is MISSING and entry.default_factory is MISSING:
            raise LabError(_lacks(place, key))
    hints = get_type_hints(shape)
    return {key: _typed(value, hints[key], f"{place}: {key}") for key, value in table.items()}


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
    if value.__class__ is tuple:
        fine = getattr(hint, "__origin__", None) is tuple and all(isinstance(item, str) for item in value)
    elif all(isinstance(kind, str) for kind in get_args(hint)) and get_args(hint):
        fine = value in get_args(hint)
        allowed = get_args(hint)
    else:
        fine = value.__class__ in allowed or (value.__class__ is int and float in allowed)
    if not fine:
        wanted = ", ".join(str(getattr(kind, "__name__", kind)) or "''" for kind in allowed)
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
        chosen = tuple(told.get("variants", variants))
        for variant in chosen:
            _check_variant(variant, variants, f"{path}: [presets.{name}]", "variants")
        made[name] = Preset(name, told.get("seeds", seeds), chosen, _numbers(numbers))
    return made


def _claim(name: str, table: Mapping[str, Any], lab: str, variants: Mapping[str, object], path: Path) -> Claim:
    told = _known(Claim, table, f"{path}: [claims.{name}]")
    return Claim(**{"variant": next(iter(variants)), "variants": tuple(variants), **told}, lab=lab, name=name)


def _check_numbers(lab: Lab, path: Path) -> None:
    """A variant or preset may only change a number that [setting] has; seeds and limits are positive."""
    if lab.seeds < 1 or lab.timeout <= 0 or any(preset.seeds < 1 for preset in lab.presets.values()):
        raise LabError(
            f"{path}: seeds and timeout must be positive.\nA lab without seeds or time measures nothing.\n"
            "Write for example seeds = 5 and timeout = 600."
        )
    places = {f"[variants.{name}]": numbers for name, numbers in lab.variants.items()}
    places |= {f"[presets.{preset.name}]": preset.setting for preset in lab.presets.values()}
    for place, numbers in places.items():
        for key in numbers:
            if key not in lab.setting:
                raise LabError(
                    f"{path}: {place} changes {key!r}, which [setting] does not have. {near(key, lab.setting)}\n"
                    "Theory and practice read the setting, so a number that is only here would be read by nobody.\n"
                    f"Add {key} to [setting], or correct its name."
                )


def _check_variant(name: str, variants: Iterable[str], place: str, key: str) -> None:
    if name not in variants:
        raise LabError(
            f"{place} names the {key} {name!r}, which is not a variant. {near(name, variants)}\n"
            "Trials are run by variant, so this one would never be run.\n"
            f"Add [variants.{name}], or name another one."
        )


def _check_claim(claim: Claim, lab: Lab, path: Path) -> None:
    place = f"{path}: claim {claim.name!r}"
    if not claim.control or claim.control not in lab.variants:
        raise LabError(
            f"{place} names the control {claim.control!r}, which is not a variant.\n"
            "A control is the variant in which the claim is false. Without one, nobody can tell whether this lab "
            "is able to find a gap.\n"
            f"Add [variants.{claim.control or 'control'}], or name one of {', '.join(lab.variants)}."
        )
    for key, name in {"variant": claim.variant, "sound": claim.sound, "against": claim.against}.items():
        if name:
            _check_variant(name, lab.variants, place, key)
    for name in claim.variants:
        _check_variant(name, lab.variants, place, "variants")
    for name in {claim.variant, claim.control, claim.sound, claim.against} - {""} - set(claim.variants):
        raise LabError(
            f"{place} is judged in {name!r}, but its key `variants` does not list it.\n"
            f"A trial of {name!r} would not measure the claim.\nAdd {name!r} to `variants`, or leave the key out."
        )
    for preset in claim.presets:
        if preset not in lab.presets:
            raise LabError(
                f"{place} names the preset {preset!r}. {near(preset, lab.presets)}\n"
                "A claim is judged in the presets that its lab has.\nCorrect the name or add the preset."
            )
    if claim.share_of and claim.share_of not in lab.setting:
        raise LabError(
            f"{place}: share_of = {claim.share_of!r} is not in [setting]. {near(claim.share_of, lab.setting)}\n"
            "Wilson's interval needs the number of runs behind a share.\nName the setting that holds it."
        )
    _check_within(claim, place)


def _check_within(claim: Claim, place: str) -> None:
    try:
        size = float(claim.within.removesuffix("%")) if isinstance(claim.within, str) else claim.within
        fine = size > 0 and (not isinstance(claim.within, str) or claim.within.endswith("%"))
    except ValueError:
        fine = False
    if not fine:
        raise LabError(
            f"{place}: within = {claim.within!r} is not a positive number, nor a share such as '2%'.\n"
            "No measurement lies within nothing, so the claim could only fail.\n"
            "Write the largest gap that still counts as agreement: at most half of the control's gap."
        )


def _check_functions(lab: Lab, theory: Path) -> None:
    try:
        tree = ast.parse(theory.read_text())
    except (OSError, SyntaxError) as problem:
        raise LabError(
            f"{theory}: cannot be read: {problem}.\nEvery claim needs its prediction there.\n"
            f"Write one function per claim: {', '.join(lab.claims)}."
        ) from None
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name[0] != "_"}
    for name in lab.claims:
        if name not in functions:
            raise LabError(
                f"{theory}: claim {name!r} has no prediction. {near(name, functions)}\n"
                "A claim without a function could not be wrong.\n"
                f"Write def {name}(...) -> float there."
            )
    for name in sorted(functions - set(lab.claims) - {f"{claim}_curve" for claim in lab.claims}):
        raise LabError(
            f"{theory}: {name}() predicts no claim. {near(name, lab.claims)}\n"
            "A formula that nothing is held against is not tested by anything.\n"
            f"Add [claims.{name}] to lab.toml, or call it _{name}."
        )
