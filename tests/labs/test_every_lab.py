"""What must be true of every lab. Runs over the labs found on disk: a new lab brings no new test code."""

import pytest

from labs.kit import catalogue, places, reference
from labs.kit.check import check
from labs.kit.gap import Verdict
from labs.kit.results import Judged, gaps
from labs.kit.words import Claim, Lab

LABS = catalogue.find(places.ROOT / "labs")
CLAIMS = [(lab, claim) for lab in LABS for claim in lab.claims.values()]


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.id)
def test_lab_passes_its_check(lab: Lab) -> None:
    """Files, words, formulas, doctests and controls: what `gaplab check` says to somebody who adds a lab."""
    assert check(lab) == []


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.id)
def test_reference_was_recorded_with_todays_recipe(lab: Lab) -> None:
    assert reference.stale(lab) == [], f"type: gaplab record {lab.id}"


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.id)
def test_practice_is_short_enough_to_read(lab: Lab) -> None:
    """A lab that needs more than 150 lines of practice is two labs."""
    assert len((lab.folder / "practice.py").read_text().splitlines()) <= 150


@pytest.mark.parametrize(("lab", "claim"), CLAIMS, ids=[claim.id for _, claim in CLAIMS])
def test_control_shows_the_gap_in_the_reference(lab: Lab, claim: Claim) -> None:
    """A lab that sees no gap where there is one proves nothing when it sees none elsewhere."""
    judged = _judged(lab, claim)
    assert judged[claim.control].gap.verdict in (Verdict.GAP, Verdict.IMPOSSIBLE)


@pytest.mark.parametrize(("lab", "claim"), CLAIMS, ids=[claim.id for _, claim in CLAIMS])
def test_a_claim_that_fails_holds_where_it_must(lab: Lab, claim: Claim) -> None:
    """A ruler that says `gap` everywhere is as blind as one that never does."""
    judged = _judged(lab, claim)
    if judged[claim.variant].gap.verdict is Verdict.GAP:
        assert claim.cause or claim.sound
        assert claim.sound, f"{claim.id}: the headline is a gap, so name a variant in which the claim holds"
    if claim.sound:
        assert judged[claim.sound].gap.verdict is Verdict.HOLDS


def _judged(lab: Lab, claim: Claim) -> dict[str, Judged]:
    found = gaps(lab, [], reference.read(lab))
    return {one.gap.variant: one for one in found if one.gap.claim.name == claim.name}
