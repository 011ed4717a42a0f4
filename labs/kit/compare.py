"""Hold a new run of a lab against its reference: equal to the last bit, equal within the intervals, or different."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from labs.kit.gap import Gap, Verdict, judge
from labs.kit.results import Row, pairs
from labs.kit.words import Claim, Lab


class Agreement(StrEnum):
    """How two runs of one claim stand to each other."""

    BITS = "equal to the last bit"
    INTERVALS = "equal within the intervals"
    DIFFERENT = "different"
    MISSING = "not in the reference"


@dataclass(frozen=True)
class Comparison:
    """One claim in one variant, run again."""

    claim: Claim
    variant: str
    then: Verdict
    now: Verdict
    seeds: int
    """How many seeds both have."""
    equal: int
    """In how many of them every number of the claim is the same to the last bit."""
    agreement: Agreement


def compare(lab: Lab, old: Sequence[Row], new: Sequence[Row], same_class: bool) -> list[Comparison]:
    """Every claim of every variant that was run again.

    On the class of machine that recorded the reference the same trial has the same bits, so anything else is
    `different`; on another class kernels differ, and the two means must agree within the interval of their difference.
    """
    made = []
    for variant in lab.variants:
        for claim in lab.measured_in(variant):
            made += _one(claim, variant, old, new, same_class, lab)
    return made


def _one(
    claim: Claim, variant: str, old: Sequence[Row], new: Sequence[Row], same_class: bool, lab: Lab
) -> list[Comparison]:
    seeds = {row.seed for row in new if row.variant == variant}
    before = [row for row in old if row.seed in seeds]
    fresh = pairs(claim, variant, new)
    if not fresh:
        return []
    stored = pairs(claim, variant, before)
    shared = fresh.keys() & stored.keys()
    equal = sum(fresh[seed] == stored[seed] for seed in shared) if _observed(variant, before, new) else 0
    then, now = (_judged(claim, variant, found, lab) for found in (stored, fresh))
    if not shared:
        agreement = Agreement.MISSING
    elif equal == len(fresh):
        agreement = Agreement.BITS
    elif not same_class and then.verdict is now.verdict and _overlap(then, now):
        agreement = Agreement.INTERVALS
    else:
        agreement = Agreement.DIFFERENT
    return [Comparison(claim, variant, then.verdict, now.verdict, len(shared), equal, agreement)]


def _observed(variant: str, old: Sequence[Row], new: Sequence[Row]) -> bool:
    """Whether everything else that the trials saw (layer classes, success rates) is the same too."""
    stored = {row.seed: _others(row) for row in old if row.variant == variant}
    return all(stored.get(row.seed, {}) == _others(row) for row in new if row.variant == variant and row.seed in stored)


def _others(row: Row) -> Mapping[str, float]:
    claims = {name.removeprefix("predicted.") for name in row.numbers if name.startswith("predicted.")}
    return {n: v for n, v in row.numbers.items() if n not in claims and not n.startswith("predicted.")}


def _judged(claim: Claim, variant: str, found: Mapping[int, tuple[float, float]], lab: Lab) -> Gap:
    runs = lab.setting.get(claim.share_of) if claim.share_of else None
    return judge(claim, variant, [p for p, _ in found.values()], [m for _, m in found.values()], _whole(runs))


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _overlap(then: Gap, now: Gap) -> bool:
    """Whether zero lies in the interval of the difference of two independent means, each with its own half-width."""
    half: float = ((then.high - then.low) ** 2 + (now.high - now.low) ** 2) ** 0.5 / 2
    allowed: float = max(half, then.tolerance if then.claim.exact else 0.0)
    return abs(then.estimate - now.estimate) <= allowed
