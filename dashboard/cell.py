"""One verdict as the components draw it: a mark, where it leads, what it says on hover and to a screen reader."""

from typing import Any
from urllib.parse import urlencode

from dashboard import marks, phrases
from labs.kit.gap import Gap, Verdict
from labs.kit.results import Judged

Json = dict[str, Any]


def cell(one: Judged) -> Json:
    """The mark of one claim in one variant."""
    gap = one.gap
    return {
        "claim": gap.claim.id,
        "variant": gap.variant,
        "href": address(gap.claim.id, gap.variant),
        "verdict": gap.verdict,
        "own": one.origin == "own",
        "growth": round(marks.growth(gap), 2),
        "role": role(gap),
        "amiss": gap.is_control and phrases.as_it_must(gap) is False,
        "label": _label(one),
        "lines": _lines(one),
    }


def role(gap: Gap) -> str:
    """What a variant is to a claim, in a word; empty for one among others."""
    if gap.is_control:
        return "control"
    return "headline" if gap.is_headline else "sound" if gap.variant == gap.claim.sound else ""


def _label(one: Judged) -> str:
    """What a screen reader says of a mark."""
    gap = one.gap
    whose = ", the authors' run" if one.origin == "reference" else ""
    what = f" ({role(gap)})" if role(gap) else ""
    far = f", {marks.times(gap)} the tolerance" if gap.verdict is not Verdict.NOT_RUN else ""
    return f"{phrases.name(gap.claim.name)}, {gap.variant}{what}: {phrases.TITLES[gap.verdict].lower()}{far}{whose}"


def _lines(one: Judged) -> list[str]:
    """What the tooltip says below the verdict."""
    gap = one.gap
    if gap.verdict is Verdict.NOT_RUN:
        return [f"gaplab run {gap.claim.lab} --variant {gap.variant}"]
    size, unit = gap.tolerance, gap.claim.unit
    middle = f"measured {phrases.number(gap.measured, size)}, predicted {phrases.number(gap.predicted, size)} {unit}"
    seeds = f"{gap.seeds} seed{'s' * (gap.seeds != 1)}"
    lines = [
        middle,
        f"gap {phrases.number(gap.estimate, size, sign=True)}, tolerance {phrases.tolerance(gap.claim, size)}, {seeds}",
    ]
    return [*lines, "the authors' run, not yours"] if one.origin == "reference" else lines


def address(claim: str, variant: str = "") -> str:
    """The claim's page, relative to this one."""
    return "claim?" + urlencode({"claim": claim, **({"variant": variant} if variant else {})}, safe="/")
