"""What `show` and `gaps` look at: a lab judged from the reader's own trials and the reference."""

from typing import Any

from labs.kit import reference, results
from labs.kit.words import Lab


def judged_of(lab: Lab) -> list[results.Judged]:
    """Every claim of the lab in every variant that measures it."""
    return results.gaps(lab, results.rows(lab.id), reference.read(lab), results.failed(lab.id))


def as_json(one: results.Judged) -> dict[str, Any]:
    """One verdict for a program."""
    gap = one.gap
    return {
        "claim": gap.claim.id,
        "variant": gap.variant,
        "verdict": str(gap.verdict),
        "origin": one.origin,
        "preset": one.preset,
        "predicted": gap.predicted,
        "measured": gap.measured,
        "gap": gap.estimate,
        "interval": [gap.low, gap.high],
        "tolerance": gap.tolerance,
        "unit": gap.claim.unit,
        "seeds": gap.seeds,
        "stale": one.stale,
        "failed": one.failed,
        "cause": gap.claim.cause,
    }
