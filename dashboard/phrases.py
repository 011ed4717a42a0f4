"""Verdicts in plain sentences, and numbers with as many digits as their tolerance can use."""

import math

from labs.kit.gap import Gap, Verdict
from labs.kit.results import Judged
from labs.kit.words import Claim

TITLES = {
    Verdict.HOLDS: "Holds",
    Verdict.GAP: "Gap",
    Verdict.INCONCLUSIVE: "Inconclusive",
    Verdict.IMPOSSIBLE: "Impossible",
    Verdict.NOT_RUN: "Not run",
}
TARGETS = {
    "trainer": "The trainer's own objective: what its code, read closely, must do.",
    "textbook": "The textbook's objective: what the paper or the book proves.",
    "folk": "The folk reading: what is commonly said, whether or not anybody proved it.",
}
RELATIONS = {
    "equals": "The measurement must equal the prediction, give or take {within}.",
    "at_most": "The measurement must not exceed the prediction by more than {within}.",
    "at_least": "The measurement must not fall short of the prediction by more than {within}.",
}
_SIGN = {"equals": "±", "at_most": "+", "at_least": "−"}


def number(value: float, scale: float = 0.0, sign: bool = False) -> str:
    """A number as a reader wants it: to a tenth of `scale` (the tolerance), else to four digits; with a real minus.

    >>> number(0.4237, 0.06), number(-8527.1, 170, sign=True), number(2.21e-16, 1e-9), number(1e-9, 1e-9)
    ('0.424', '−8,527', '2.2·10⁻¹⁶', '10⁻⁹')
    >>> number(0.5, 1e-9), number(12.0, 0.1, sign=True), number(0.0), number(float("inf")), number(-0.0004, 0.03)
    ('0.5', '+12.00', '0', '∞', '0.000')
    """
    plus = "+" if sign and value >= 0 else "−" if value < 0 else ""
    size = abs(value)
    if not math.isfinite(size):
        return "–" if math.isnan(size) else f"{plus}∞"
    if size and not 1e-5 <= size < 1e7:
        return plus + _power(size)
    if 1e-6 < scale < math.inf:
        digits = max(0, min(6, 1 - math.floor(math.log10(scale))))
        told = f"{size:,.{digits}f}"
        return plus + told if told.strip("0.") else told
    return f"{plus}{size:,.0f}" if size >= 1000 else f"{plus}{size:.4g}"


def _power(size: float) -> str:
    """Two digits and a power of ten."""
    digits, _, power = f"{size:.1e}".partition("e")
    raised = str(int(power)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"10{raised}" if digits == "1.0" else f"{digits}·10{raised}"


def tolerance(claim: Claim, value: float) -> str:
    """The tolerance with the side it lies on, in the claim's unit."""
    return f"{_SIGN[claim.relation]}{number(value, value)}"


def sentence(one: Judged) -> str:
    """The verdict in plain words: what was measured and predicted, how far apart, how sure, against which tolerance."""
    gap = one.gap
    if gap.verdict is Verdict.NOT_RUN:
        return "No trial of this variant has been recorded, so nothing is known."
    return " ".join(part for part in (_said(gap), _how_sure(gap), _role(one)) if part)


def _said(gap: Gap) -> str:
    size = gap.tolerance
    measured, predicted = number(gap.measured, size), number(gap.predicted, size)
    subject = f"The measured median of {measured}" if gap.claim.tail == "heavy" else f"Measured {measured}"
    if gap.claim.against:
        subject = f"The difference to `{gap.claim.against}`, measured as {measured},"
    match gap.verdict, gap.claim.relation:
        case Verdict.IMPOSSIBLE, _:
            return f"{subject} beats {predicted}, which theory proves to be a bound: the theory or the code is wrong."
        case Verdict.INCONCLUSIVE, _:
            return f"{subject} cannot be told yet from the predicted {predicted}."
        case Verdict.HOLDS, "equals":
            return f"{subject} agrees with the predicted {predicted}."
        case Verdict.HOLDS, "at_most":
            return f"{subject} stays within the predicted ceiling of {predicted}."
        case Verdict.HOLDS, _:
            return f"{subject} reaches the predicted floor of {predicted}."
        case _, "at_most":
            return f"{subject} exceeds the predicted ceiling of {predicted}."
        case _, "at_least":
            return f"{subject} falls short of the predicted floor of {predicted}."
        case _:
            return f"{subject} departs from the predicted {predicted}."


def _how_sure(gap: Gap) -> str:
    size, unit = gap.tolerance, f" {gap.claim.unit}" if gap.claim.unit else ""
    seeds = f"{gap.seeds} seed{'s' * (gap.seeds != 1)}"
    against = f"against a tolerance of {tolerance(gap.claim, size)}{unit}"
    estimate = number(gap.estimate, size, sign=True)
    if gap.claim.exact:
        worst = max(abs(gap.low), abs(gap.high))
        return f"It is an identity: the largest gap of {seeds} is {number(worst, size)}, {against}."
    if math.isinf(gap.low) or math.isinf(gap.high):
        need = "six seeds" if gap.claim.tail == "heavy" else "two seeds"
        return f"The gap is {estimate}, {against}; {seeds} cannot say how sure that is, it takes {need} or more."
    over = f"over {seeds}" if not gap.claim.share_of else f"over all runs of {seeds}"
    low, high = number(gap.low, size, sign=True), number(gap.high, size, sign=True)
    return f"The gap is {estimate}, 95% interval {low} to {high} {over}, {against}."


def _role(one: Judged) -> str:
    gap = one.gap
    match gap.is_control, gap.variant == gap.claim.sound, as_it_must(gap):
        case True, _, True:
            return "This is the control: here the claim is false, and the lab sees it."
        case True, _, False:
            return (
                "This is the control: here the claim is false, yet the lab does not see it. Do not trust its verdicts."
            )
        case True, _, None:
            return "This is the control: here the claim is false, and the lab must come to see it."
        case _, True, True:
            return "Here the claim is to hold, and it does: the ruler reads true."
        case _, True, False:
            return "Here the claim is to hold, yet it does not. Do not trust the gap that the headline shows."
        case _:
            return ""


def as_it_must(gap: Gap) -> bool | None:
    """Whether a control shows a gap and any other variant holds; None where that cannot be told yet."""
    if gap.verdict in (Verdict.NOT_RUN, Verdict.INCONCLUSIVE):
        return None
    return (gap.verdict is not Verdict.HOLDS) if gap.is_control else (gap.verdict is Verdict.HOLDS)


def is_within(gap: Gap, distance: float) -> bool:
    """Whether one seed's distance from theory lies inside the tolerance."""
    too_low = distance < -gap.tolerance and gap.claim.relation != "at_most"
    too_high = distance > gap.tolerance and gap.claim.relation != "at_least"
    return not (too_low or too_high)


def chance(claims: int) -> str:
    """How many of so many claims miss by chance at 95%.

    >>> chance(34), chance(1)
    ('With 34 claims at 95%, about 2 miss by chance.', '')
    """
    share = claims / 20
    told = f"about {share:.0f} miss" if share >= 1.5 else "about one misses" if share >= 0.5 else ""
    return f"With {claims} claims at 95%, {told} by chance." if told else ""


def name(word: str) -> str:
    """A folder's or a claim's name as words.

    >>> name("own_fixed_point")
    'own fixed point'
    """
    return word.replace("_", " ")
