"""A figure that runs along a setting: a point a variant, with the numbers of its verdict."""

from collections.abc import Mapping, Sequence
from itertools import chain

from labs.kit.errors import LabError
from labs.kit.figures_words import Line, Point, at, label_of, rows_of
from labs.kit.gap import judge
from labs.kit.reference import Reference
from labs.kit.results import Row, pairs
from labs.kit.words import Claim, Figure, Lab, Value


def along(
    lab: Lab, figure: Figure, claims: Sequence[Claim], rows: Mapping[str, Sequence[Row]], found: Reference
) -> list[Line]:
    """A point a variant, at its value of the setting that the figure runs along."""
    settings = {variant: lab.setting_of(variant, of[0].preset) for variant, of in rows.items()}
    places = {variant: _number(lab, figure, variant, setting) for variant, setting in settings.items()}
    groups = _groups(lab, figure, places, settings)
    others = {claim.against for claim in claims} - {"", *rows}
    every = [*chain(*rows.values()), *(row for other in sorted(others) for row in rows_of(lab, figure, found, other))]
    made = []
    for claim in claims:
        for name, variants in groups.items():
            told = [(places[one], _judged(lab, claim, one, every, settings[one])) for one in variants]
            points = [Point(place, *seen) for place, seen in sorted(told) if seen is not None]
            if points:
                made.append(Line(label_of(claim, name, len(claims), len(groups)), points))
    return made


def _judged(
    lab: Lab, claim: Claim, variant: str, rows: Sequence[Row], setting: Mapping[str, Value]
) -> tuple[float, float, float, float] | None:
    """Measured, low, high, predicted, as the verdict has them; None where the variant does not measure the claim."""
    if variant not in claim.variants or variant == claim.against:
        return None
    told = pairs(claim, variant, rows)
    if not told:
        raise LabError(
            f"{lab.folder}/reference.json has no measurement of {claim.name!r} in {variant!r}, which a figure shows.\n"
            "A figure is drawn from recorded trials alone, so this point would be missing.\n"
            f"Type `gaplab record {lab.id}`."
        )
    runs = setting.get(claim.share_of)
    gap = judge(
        claim,
        variant,
        [p for p, _ in told.values()],
        [m for _, m in told.values()],
        runs if isinstance(runs, int) else None,
    )
    return gap.measured, gap.predicted + gap.low, gap.predicted + gap.high, gap.predicted


def _groups(
    lab: Lab, figure: Figure, places: Mapping[str, float], settings: Mapping[str, Mapping[str, Value]]
) -> dict[str, list[str]]:
    """Which variants a line joins: those alike in every word and, where two stand at one place, in one more number."""
    varied = [key for key in lab.setting if len({settings[variant][key] for variant in places}) > 1]
    words = [key for key in varied if isinstance(lab.setting[key], str | bool)]
    for more in [[], *([key] for key in varied if key != figure.along and key not in words)]:
        groups: dict[str, list[str]] = {}
        for variant in places:
            name = ", ".join(_told(key, settings[variant][key]) for key in words + more)
            groups.setdefault(name, []).append(variant)
        if all(len({places[one] for one in group}) == len(group) for group in groups.values()):
            return groups
    raise LabError(
        f"{at(lab, figure)}: several variants have the same {figure.along}, and no other number tells them apart.\n"
        "Each of them would be a point of the same line.\nName fewer variants, or make two figures of it."
    )


def _told(key: str, value: Value) -> str:
    """What a line's variants have in common.

    >>> _told("method", "td"), _told("steps", 4), _told("shared", False)
    ('td', 'steps 4', 'not shared')
    """
    if isinstance(value, bool):
        return key if value else f"not {key}"
    return value if isinstance(value, str) else f"{key} {value}"


def _number(lab: Lab, figure: Figure, variant: str, setting: Mapping[str, Value]) -> float:
    value = setting[figure.along]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise LabError(
            f"{at(lab, figure)}: along = {figure.along!r} is {value!r} in {variant!r}, which is not a number.\n"
            "A point needs a place along the bottom.\nName a number of [setting]."
        )
    return float(value)
