"""Everything that the overview shows, as plain data for assets/board.js, which sets it as text and nothing else."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from dashboard import phrases
from dashboard.cell import Json, cell
from dashboard.data import Seen
from dashboard.judging import Known
from dashboard.largest import FAR, largest
from labs.kit import results
from labs.kit.gap import Verdict
from labs.kit.results import Judged
from labs.kit.words import MECHANISMS, Claim, Lab

ABOUT = {
    "foundations": "bandits, Markov decision processes, policy gradients",
    "integration": "GRPO and PPO on quantised language models",
    "adaptation": "mathematics, tools, preferences",
    "selection": "what to learn under a limit of time and memory",
    "validation": "seeds, intervals, replication",
}
ORDER = (Verdict.HOLDS, Verdict.GAP, Verdict.INCONCLUSIVE, Verdict.IMPOSSIBLE, Verdict.NOT_RUN)


def board(seen: Seen, mechanism: str | None) -> Json:
    """The overview of all mechanisms, or of one; what the verdicts say is worked out once while they stay the same."""
    known, drawn = _drawn.get(mechanism, ({}, {}))
    if known is not seen.known:
        drawn = _verdicts(seen, mechanism)
        _drawn[mechanism] = seen.known, drawn
    wrong = [seen.broken] if seen.broken else []
    return {**drawn, "wrong": wrong + drawn["wrong"], "status": status(seen)}


_drawn: dict[str | None, tuple[Mapping[str, Known], Json]] = {}
"""mechanism -> what was judged, and what is drawn of it"""


def _verdicts(seen: Seen, mechanism: str | None) -> Json:
    labs = [lab for lab in seen.labs if mechanism in (None, lab.mechanism)]
    judged = [one for lab in labs for one in seen.known[lab.id].judged]
    heads = [one for one in judged if one.gap.is_headline]
    return {
        "counts": _counts(heads),
        "note": phrases.chance(len(heads)),
        "bands": [_band(name, seen, labs) for name in MECHANISMS if mechanism in (None, name)],
        "largest": largest(heads),
        "next": _next(labs, heads),
        "doubts": [_doubt(one) for one in judged if one.gap.is_control and phrases.as_it_must(one.gap) is False],
        "wrong": [known.wrong for name, known in seen.known.items() if known.wrong and _shows(name, mechanism)],
        "authors": any(one.origin == "reference" for one in heads),
    }


def status(seen: Seen) -> Json:
    """How fresh the page is; the browser counts the seconds."""
    return {
        "finished": seen.finished,
        "newest": seen.newest_ms,
        "away": seen.away.partition("\n")[0],
        "synced": seen.synced_ms if seen.away else 0,
    }


def _counts(heads: Sequence[Judged]) -> list[Json]:
    tally, count = results.tally(heads), Counter(one.gap.verdict for one in heads)
    note = {Verdict.GAP: f"{tally.gap_known} explained" if tally.gap_known else ""}
    shown = [verdict for verdict in ORDER if count[verdict] or verdict is not Verdict.IMPOSSIBLE]
    return [
        {"verdict": verdict, "title": phrases.TITLES[verdict], "count": count[verdict], "note": note.get(verdict, "")}
        for verdict in shown
    ]


def _band(mechanism: str, seen: Seen, labs: Iterable[Lab]) -> Json:
    mine = [lab for lab in labs if lab.mechanism == mechanism]
    heads = [one for lab in mine for one in seen.known[lab.id].judged if one.gap.is_headline]
    return {
        "name": mechanism,
        "title": MECHANISMS[mechanism],
        "about": ABOUT.get(mechanism, ""),
        "summary": _summary(heads),
        "gaps": sum(one.gap.verdict in FAR for one in heads),
        "labs": [_lab(lab, seen.known[lab.id].judged) for lab in mine],
        "empty": "" if mine else f"No lab yet. `gaplab new {mechanism}/NAME` writes one to start from.",
    }


def _summary(heads: Sequence[Judged]) -> str:
    known = [one for one in heads if one.gap.verdict is not Verdict.NOT_RUN]
    gaps = sum(one.gap.verdict in FAR for one in known)
    if not known:
        return f"{len(heads)} claims, not run yet" if heads else ""
    return f"{gaps or 'no'} gap{'s' * (gaps > 1)} in {len(known)}" + (" run" if len(known) < len(heads) else "")


def _lab(lab: Lab, judged: Sequence[Judged]) -> Json:
    return {
        "id": lab.id,
        "title": lab.title,
        "claims": [_claim(claim, [one for one in judged if one.gap.claim == claim]) for claim in lab.claims.values()],
    }


def _claim(claim: Claim, judged: Sequence[Judged]) -> Json:
    head = next((one for one in judged if one.gap.is_headline), judged[0])
    return {
        "id": claim.id,
        "name": phrases.name(claim.name),
        "statement": " ".join(claim.statement.split()),
        "head": cell(head),
        "marks": [cell(one) for one in sorted(judged, key=lambda one: one.gap.is_control)],
    }


def _next(labs: Sequence[Lab], heads: Sequence[Judged]) -> Json:
    """What the reader has not run, by lab, with the command for it."""
    rows = []
    for lab in labs:
        mine = [one for one in heads if one.gap.claim.lab == lab.id]
        missing = sum(one.origin == "none" for one in mine)
        theirs = sum(one.origin == "reference" for one in mine)
        if missing or theirs:
            rows.append({"lab": lab.id, "command": f"gaplab run {lab.id}", "missing": missing, "theirs": theirs})
    own = sum(one.origin == "own" for one in heads)
    return {"labs": rows, "own": own, "of": len(heads), "all": "gaplab run" if len(rows) > 1 else ""}


def _doubt(one: Judged) -> Json:
    return {**cell(one), "name": f"{phrases.name(one.gap.claim.name)}, {one.gap.variant}"}


def _shows(lab: str, mechanism: str | None) -> bool:
    return mechanism in (None, lab.partition("/")[0])
