"""What a lab's words must hold to be run and judged; each fault is told with its place, the reason and the remedy."""

import math
import re
from collections.abc import Iterable
from pathlib import Path

from labs.kit.errors import LabError, near
from labs.kit.words import Claim, Figure, Lab

MOST_SEEDS = 10_000
"""More are a slip of the finger: a lab that needs more runs holds them in one trial."""


def numbers(lab: Lab, path: Path) -> None:
    """A variant or preset may only change a number that [setting] has; seeds and limits are positive."""
    seeds = {lab.seeds, *(preset.seeds for preset in lab.presets.values())}
    if min(seeds) < 1 or max(seeds) > MOST_SEEDS or not 0 < lab.timeout < math.inf or lab.memory < 1:
        raise LabError(
            f"{path}: seeds, timeout and memory must be positive, and seeds {MOST_SEEDS} at most.\n"
            "A lab without seeds, time or memory measures nothing, and one with more trials than that never ends.\n"
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


def variant(name: str, variants: Iterable[str], place: str, key: str) -> None:
    if name not in variants:
        raise LabError(
            f"{place} names the {key} {name!r}, which is not a variant. {near(name, variants)}\n"
            "Trials are run by variant, so this one would never be run.\n"
            f"Add [variants.{name}], or name another one."
        )


def claim(claim: Claim, lab: Lab, path: Path) -> None:
    place = f"{path}: claim {claim.name!r}"
    if not claim.control or claim.control not in lab.variants:
        raise LabError(
            f"{place} names the control {claim.control!r}, which is not a variant.\n"
            "A control is the variant in which the claim is false. Without one, nobody can tell whether this lab "
            "is able to find a gap.\n"
            f"Add [variants.{claim.control or 'control'}], or name one of {', '.join(lab.variants)}."
        )
    for key, told in {"variant": claim.variant, "sound": claim.sound, "against": claim.against}.items():
        if told:
            variant(told, lab.variants, place, key)
    for name in claim.variants:
        variant(name, lab.variants, place, "variants")
    for name in {claim.variant, claim.control, claim.sound, claim.against} - {""} - set(claim.variants):
        raise LabError(
            f"{place} is judged in {name!r}, but its key `variants` does not list it.\n"
            f"A trial of {name!r} would not measure the claim.\nAdd {name!r} to `variants`, or leave the key out."
        )
    if claim.against == claim.variant:
        raise LabError(
            f"{place} is about the difference of {claim.variant!r} and {claim.against!r}, which is nothing.\n"
            "A variant does not differ from itself, so the claim would hold whatever happens.\n"
            "Name another variant in `against`, or take the key out."
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
    within(claim, place)


def within(claim: Claim, place: str) -> None:
    try:
        size = float(claim.within.removesuffix("%")) if isinstance(claim.within, str) else claim.within
        fine = 0 < size < math.inf and (not isinstance(claim.within, str) or claim.within.endswith("%"))
    except ValueError:
        fine = False
    if not fine:
        raise LabError(
            f"{place}: within = {claim.within!r} is not a positive number, nor a share such as '2%'.\n"
            "No measurement lies within nothing, so the claim could only fail.\n"
            "Write the largest gap that still counts as agreement: at most half of the control's gap."
        )


_FUNCTION = re.compile(r"^def ([a-zA-Z]\w*)\(", re.MULTILINE)
"""A public function, by sight: to parse every theory.py would be a tenth of `gaplab list`.

What cannot be parsed is found by whoever checks, shows or runs the lab.
"""


def functions(lab: Lab, theory: Path) -> None:
    try:
        functions = set(_FUNCTION.findall(theory.read_text()))
    except (OSError, UnicodeDecodeError) as problem:
        raise LabError(
            f"{theory}: cannot be read: {problem}.\nEvery claim needs its prediction there.\n"
            f"Write one function per claim: {', '.join(lab.claims)}."
        ) from None
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


def figure(figure: Figure, lab: Lab, path: Path) -> None:
    """A figure shows claims and variants that exist, along a number that [setting] has."""
    place = f"{path}: [figures.{figure.name}]"
    if not figure.claims or not figure.variants or len(figure.window) not in (0, 2):
        raise LabError(
            f"{place} needs a claim, a variant, and in `window` two numbers or none.\n"
            "Without them there is nothing to draw.\nlabs/README.md says what each key is; correct the value."
        )
    for name in figure.claims:
        if name not in lab.claims:
            raise LabError(
                f"{place} shows the claim {name!r}. {near(name, lab.claims)}\n"
                "A figure is drawn from what a claim predicted and measured.\nCorrect the name."
            )
    for name in figure.variants:
        variant(name, lab.variants, place, "variants")
    if figure.along and figure.along not in lab.setting:
        raise LabError(
            f"{place}: along = {figure.along!r} is not in [setting]. {near(figure.along, lab.setting)}\n"
            "Each variant becomes one point, at its own value of that number.\nName a number of [setting]."
        )
