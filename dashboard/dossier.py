"""Everything that a claim's page says in words and rows, as plain data; what it shows in figures is figures.py."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboard import marks, phrases
from dashboard.cell import Json, address, cell, role
from dashboard.judging import Known
from labs.kit.errors import LabError, near
from labs.kit.gap import Verdict
from labs.kit.results import Judged
from labs.kit.words import MECHANISMS, Claim, Lab


@dataclass(frozen=True)
class Dossier:
    """One claim in one variant, and the claim in all of them."""

    lab: Lab
    claim: Claim
    known: Known
    one: Judged
    """The variant that is shown."""
    every: Sequence[Judged]
    """Every variant that measures the claim; the controls last."""


def find(known: Mapping[str, Known], claim: str, variant: str) -> Dossier:
    """The claim that an address names. Raises LabError where there is no such claim, or no such variant of it."""
    lab, name = _claim_of(known, claim)
    told = lab.claims[name]
    every = sorted(
        (one for one in known[lab.id].judged if one.gap.claim.name == name), key=lambda one: one.gap.is_control
    )
    wanted = variant or told.variant
    chosen = next((one for one in every if one.gap.variant == wanted), None)
    if chosen is None:
        names = [one.gap.variant for one in every]
        raise LabError(
            f"{told.id} is not measured in a variant called {wanted!r}. {near(wanted, names)}\n"
            "A variant is a setting under a name, and each claim says in which of them it is measured.\n"
            f"Open claim?claim={told.id} for its headline, or type `gaplab show {told.id}`."
        )
    return Dossier(lab, told, known[lab.id], chosen, every)


def _claim_of(known: Mapping[str, Known], claim: str) -> tuple[Lab, str]:
    lab_id, _, name = claim.rpartition("/")
    lab = known[lab_id].lab if lab_id in known else None
    if lab and name in lab.claims:
        return lab, name
    every = [one.id for told in known.values() if told.lab for one in told.lab.claims.values()]
    first = f"No claim is called {claim!r}. {_short(near(claim, every))}" if claim else "This address names no claim."
    raise LabError(
        f"{first.strip()}\n"
        "A claim's address is claim?claim=mechanism/lab/claim: two folders, and a key of lab.toml.\n"
        "Go back to the overview and choose one, or type `gaplab list`."
    )


def _short(hint: str) -> str:
    return hint if hint.startswith("Is ") else ""


def head(told: Dossier) -> Json:
    """The top of the page: where one is, the statement, the verdict in a sentence, the lab's other claims."""
    gap = told.one.gap
    heads = [one for one in told.known.judged if one.gap.is_headline]
    return {
        "mechanism": told.lab.mechanism,
        "path": [MECHANISMS[told.lab.mechanism], told.lab.title],
        "name": phrases.name(told.claim.name),
        "statement": " ".join(told.claim.statement.split()),
        "verdict": gap.verdict,
        "title": phrases.TITLES[gap.verdict],
        "own": told.one.origin == "own",
        "growth": marks.growth(gap),
        "amiss": role(gap) in ("control", "sound") and phrases.as_it_must(gap) is False,
        "variant": gap.variant,
        "role": role(gap),
        "sentence": phrases.sentence(told.one),
        "whose": whose(told.one),
        "siblings": [_sibling(one.gap.claim, one) for one in heads],
        "wrong": told.known.wrong,
    }


def _sibling(claim: Claim, one: Judged) -> Json:
    return {**cell(one), "href": address(claim.id), "name": phrases.name(claim.name)}


def whose(one: Judged) -> str:
    """Whose trials these are, and which are left out."""
    match one.origin:
        case "own":
            said = f"Your own trials, preset {one.preset}."
        case "reference":
            said = f"The authors' trials (preset {one.preset}), not yours."
        case _:
            said = ""
    if one.stale:
        are = "trial of yours is" if one.stale == 1 else "trials of yours are"
        said += f" {one.stale} older {are} left out: the code or the numbers have changed since."
    if one.failed:
        said += f" {one.failed} {'trial' if one.failed == 1 else 'trials'} failed."
    return said.strip()


def rules(told: Dossier) -> list[tuple[str, str]]:
    """What stands on the theory card below the formula: a heading and a text each, in the lab's own words."""
    claim, gap = told.claim, told.one.gap
    said = [
        ("How it is judged", _relation(told)),
        ("Source", claim.source),
        ("Which reading is tested", phrases.TARGETS[claim.target]),
    ]
    if claim.cause.strip():
        said.append(("Known cause", claim.cause))
    elif any(one.gap.verdict in (Verdict.GAP, Verdict.IMPOSSIBLE) for one in told.every if one.gap.is_headline):
        said.append(("Cause", "Not known yet: this gap is open."))
    said += [(title, _ruler(one)) for title, one in _rulers(told)]
    return [(title, " ".join(text.split())) for title, text in said if text.strip() or not gap]


def _relation(told: Dossier) -> str:
    claim, gap = told.claim, told.one.gap
    size = "" if math.isnan(gap.tolerance) else phrases.number(gap.tolerance, gap.tolerance)
    if isinstance(claim.within, str):
        within = f"{claim.within} of it" + (f" ({size} {claim.unit})" if size else "")
    else:
        within = f"{phrases.number(claim.within)} {claim.unit}"
    extra = [
        f"It is about the difference to the variant {claim.against}, paired by seed." if claim.against else "",
        f"Theory proves that nothing lies {claim.bound} the prediction." if claim.bound else "",
        "Its values have a heavy tail, so the median over seeds is judged, by order statistics." if claim.tail else "",
        "It is an identity, so every single trial must agree." if claim.exact else "",
        "It is a share of many runs, so Wilson's interval over all of them judges." if claim.share_of else "",
    ]
    return " ".join([phrases.RELATIONS[claim.relation].format(within=within), *(text for text in extra if text)])


def _rulers(told: Dossier) -> list[tuple[str, Judged]]:
    known = {one.gap.variant: one for one in told.every}
    names = (("Control", told.claim.control), ("Where it must hold", told.claim.sound))
    return [(title, known[name]) for title, name in names if name in known]


def _ruler(one: Judged) -> str:
    """Whether the lab can see a gap where there is one, and none where there is none."""
    gap = one.gap
    if gap.verdict is Verdict.NOT_RUN:
        return f"{gap.variant}: not run yet."
    if gap.verdict is Verdict.INCONCLUSIVE:
        return f"{gap.variant}: cannot be told yet."
    truth = "the claim is false there" if gap.is_control else "the claim is true there"
    seen = "and the lab says so" if phrases.as_it_must(gap) else f"yet the verdict is {gap.verdict}"
    return f"{gap.variant}: {truth}, {seen} ({marks.times(gap)} the tolerance)."


def alt(told: Dossier, how: str) -> str:
    """What a figure shows, for those who do not see it."""
    return f"{phrases.name(told.claim.name)} {how}, {told.one.gap.variant}. {phrases.sentence(told.one)}".replace(
        "`", ""
    )
