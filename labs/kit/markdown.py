"""README's table of gaps, from the references alone, so that it does not depend on anybody's own trials."""

from collections.abc import Sequence

from labs.kit import reference
from labs.kit.results import Judged, Tally, gaps, tally
from labs.kit.words import MECHANISMS, Lab

_COLUMNS = ("Claims", "Hold", "Gap, cause known", "Gap, cause open", "Inconclusive", "Impossible", "Not run")


def table(labs: Sequence[Lab]) -> str:
    """The markdown table, one row a mechanism, counting each claim by its headline variant."""
    lines = [_row("Mechanism", _COLUMNS), "|---|" + "---:|" * len(_COLUMNS)]
    for mechanism, title in MECHANISMS.items():
        judged = [one for lab in labs if lab.mechanism == mechanism for one in _recorded(lab)]
        lines.append(_row(title, _numbers(tally(judged))))
    return "\n".join(lines) + "\n"


def _recorded(lab: Lab) -> list[Judged]:
    return gaps(lab, [], reference.read(lab))


def _numbers(counts: Tally) -> list[int]:
    return [
        counts.claims,
        counts.holds,
        counts.gap_known,
        counts.gap_open,
        counts.inconclusive,
        counts.impossible,
        counts.not_run,
    ]


def _row(title: str, cells: Sequence[object]) -> str:
    return f"| {title} | " + " | ".join(str(cell) for cell in cells) + " |"
