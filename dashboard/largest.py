"""The largest gaps on one axis: to scale within the tolerance, by powers of ten beyond."""

import math
from collections.abc import Sequence

from dashboard import marks, phrases
from dashboard.cell import Json, cell
from labs.kit.gap import Verdict
from labs.kit.results import Judged

FAR = (Verdict.GAP, Verdict.IMPOSSIBLE)
MOST = 8
"""How many are shown."""


def largest(heads: Sequence[Judged]) -> Json:
    """The headline verdicts that are gaps, the furthest first."""
    far = [one for one in heads if one.gap.verdict in FAR]
    far = sorted(far, key=lambda one: abs(marks.distance(one.gap)), reverse=True)
    shown = far[:MOST]
    ends = [0.0, *(end for one in shown for end in (_low(one), _high(one)))]
    low, high = min(-1.3, *ends) - 0.1, max(1.3, *ends) + 0.1
    return {
        "none": _none(heads),
        "axis": [low, high],
        "more": len(far) - len(shown),
        "gaps": [
            {
                **cell(one),
                "name": phrases.name(one.gap.claim.name),
                "lab": phrases.name(one.gap.claim.lab.partition("/")[2]),
                "times": marks.times(one.gap),
                "at": _compressed(marks.distance(one.gap)),
                "low": _low(one),
                "high": _high(one),
                "relation": one.gap.claim.relation,
                "why": "cause known" if one.gap.claim.cause.strip() else "cause open",
            }
            for one in shown
        ],
    }


def _none(heads: Sequence[Judged]) -> str:
    """What to say where no gap is shown."""
    open_ = sum(one.gap.verdict is Verdict.NOT_RUN for one in heads)
    if open_ == len(heads):
        return "Nothing is known yet: no trial has been recorded."
    return "None of the claims that were run departs from its prediction by more than its tolerance."


def _low(one: Judged) -> float:
    return _compressed(one.gap.low / one.gap.tolerance if one.gap.tolerance else -math.inf)


def _high(one: Judged) -> float:
    return _compressed(one.gap.high / one.gap.tolerance if one.gap.tolerance else math.inf)


def _compressed(far: float) -> float:
    """Up to one tolerance to scale, then a step for every power of ten; nothing lies beyond nine."""
    if abs(far) <= 1:
        return far
    return math.copysign(min(9.0, 1 + math.log10(abs(far))) if math.isfinite(far) else 9.0, far)
