"""What the command prints: sentences and tables, with a verdict by shape and colour."""

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.markup import escape
from rich.padding import Padding
from rich.table import Column, Table

from labs.kit import cost
from labs.kit.gap import Gap, Verdict
from labs.kit.words import MECHANISMS, Claim, Lab

if TYPE_CHECKING:
    from labs.kit.results import Judged, Tally

MARKS = {
    Verdict.HOLDS: ("●", "cyan"),
    Verdict.GAP: ("◆", "red"),
    Verdict.INCONCLUSIVE: ("○", "yellow"),
    Verdict.NOT_RUN: ("–", "dim"),
    Verdict.IMPOSSIBLE: ("✖", "bold magenta"),
}
TARGETS = {
    "trainer": "the trainer's own objective",
    "textbook": "the textbook's objective",
    "folk": "what is commonly said",
}


_UNBROKEN = 100_000
"""Columns that no line of ours reaches."""


def out() -> Console:
    """The console for results. Only a terminal has an edge: no line that a pipe or a log gets is broken in two."""
    console = Console(highlight=False, soft_wrap=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _UNBROKEN
    return console


def badge(verdict: Verdict) -> str:
    """The verdict with its mark, as Rich markup."""
    mark, style = MARKS[verdict]
    return f"[{style}]{mark} {verdict}[/]"


def sentence(gap: Gap) -> str:
    """One gap in one sentence: prediction, measurement, interval, tolerance, unit, seeds."""
    if gap.verdict is Verdict.NOT_RUN:
        return f"not run. Type: gaplab run {gap.claim.lab} --variant {gap.variant}"
    shape = {"equals": "±", "at_most": "+", "at_least": "-"}[gap.claim.relation]
    middle = "median " if gap.claim.tail == "heavy" else ""
    seeds = f"{gap.seeds} seed" + ("s" if gap.seeds != 1 else "")
    return (
        f"predicted {number(gap.predicted)}, measured {middle}{number(gap.measured)} {gap.claim.unit}; "
        f"gap {number(gap.estimate, sign=True)} {interval(gap)}, tolerance {shape}{number(gap.tolerance)}, {seeds}"
    )


def interval(gap: Gap) -> str:
    """The 95% interval of the gap; said in words where one seed gives none."""
    if math.isinf(gap.low):
        return "(too few seeds for an interval)"
    return f"[{number(gap.low, sign=True)}, {number(gap.high, sign=True)}]"


def number(value: float, sign: bool = False) -> str:
    """Four significant digits, and no more than a reader can use.

    >>> number(0.8527111), number(-11.65685, sign=True), number(3e-13), number(0.0)
    ('0.8527', '-11.66', '3e-13', '0')
    """
    plus = "+" if sign and value >= 0 else ""
    return f"{plus}{value:.4g}"


def minutes(cpu_seconds: Mapping[str, float], preset: str = "quick", cores: int = 2) -> str:
    """How long a preset takes on so many cores, coarsely; empty where nobody has recorded it.

    >>> minutes({"quick": 36.0}), minutes({"quick": 400.0}), minutes({})
    ('under 1 min', '3 min', '')
    """
    if preset not in cpu_seconds:
        return ""
    whole = round(cpu_seconds[preset] / cores / 60)
    return f"{whole} min" if whole else "under 1 min"


def catalogue(labs: Sequence[Lab]) -> Group:
    """The labs by mechanism: how many claims, which stack, how long `quick` takes, and the question under it."""
    width = max(len(lab.id) for lab in labs)
    lines: list[Any] = []
    for mechanism, title in MECHANISMS.items():
        mine = [lab for lab in labs if lab.mechanism == mechanism]
        if mine:
            lines.append(f"[bold]{title}[/]")
        for lab in mine:
            claims = f"{len(lab.claims):2} claim{'s' if len(lab.claims) > 1 else ' '}"
            told = f"{' '.join(lab.stacks):9}{minutes(cost.seconds(lab))}"
            lines.append(f"  {lab.id:{width}}  {claims}  [dim]{told}[/]")
            lines.append(_indented(f"[dim]{escape(lab.title)}[/]", 4))
    return Group(*lines)


def show_lab(lab: Lab, judged: "Sequence[Judged]") -> Iterable[Any]:
    """Every claim of a lab with its headline verdict and, under it, every variant that measures it."""
    yield f"[bold]{escape(lab.title)}[/]  [dim]{lab.id} · stack {' '.join(lab.stacks)}[/]"
    for claim in lab.claims.values():
        yield from show_claim(claim, [one for one in judged if one.gap.claim == claim])
    yield f"\nMore of one claim: gaplab show {lab.id}/{next(iter(lab.claims))}"


def show_claim(claim: Claim, judged: "Sequence[Judged]", whole: bool = False) -> Iterable[Any]:
    """One claim: its sentence, its verdict in a sentence, its variants; with `whole` also where it comes from."""
    head = next(one for one in judged if one.gap.is_headline)
    yield f"\n[bold]{claim.id}[/]  {badge(head.gap.verdict)}{_origin(head)}"
    yield _indented(escape(" ".join(claim.statement.split())))
    yield _indented(escape(f"{head.gap.variant}: {sentence(head.gap)}"))
    if head.gap.verdict is Verdict.GAP:
        yield _indented(escape(f"Cause: {' '.join(claim.cause.split()) or 'not known yet.'}"))
    if whole:
        yield _indented(f"Source: {escape(claim.source)}. Tested: {TARGETS[claim.target]}.")
    yield _indented(_variants(judged), above=1 if whole else 0)
    if whole:
        yield f"\n{_next(claim, head)}"


def _indented(told: "str | Table", by: int = 2, above: int = 0) -> Padding:
    return Padding(told, (above, 0, 0, by), expand=False)  # expanded, it would fill a line up to the edge with blanks


def _next(claim: Claim, head: "Judged") -> str:
    """What to type after one claim, and where it stands on the page."""
    from labs.kit.services import links  # nothing else here needs to know where services answer

    own = f"Run it anew and compare: gaplab verify {claim.lab}"
    run = f"Run it yourself: gaplab run {claim.lab} --variant {claim.variant}"
    return f"{own if head.origin == 'own' else run}   ·   {links().dashboard}/claim?claim={claim.id}"


def _variants(judged: "Sequence[Judged]") -> Table:
    table = Table(*(Column(overflow="fold") for _ in range(5)), box=None, pad_edge=False, show_header=False)
    for one in judged:
        gap = one.gap
        role = "headline" if gap.is_headline else "control" if gap.is_control else ""
        role = "sound" if gap.variant == gap.claim.sound else role
        middle = "" if gap.verdict is Verdict.NOT_RUN else f"{number(gap.measured)} against {number(gap.predicted)}"
        table.add_row(gap.variant, f"[dim]{role}[/]", badge(gap.verdict), middle, _notes(one))
    return table


def _origin(one: "Judged") -> str:
    return "  [dim](the authors' run, not yours)[/]" if one.origin == "reference" else ""


def _notes(one: "Judged") -> str:
    said = [f"{one.stale} stale" if one.stale else "", f"[red]{one.failed} failed[/]" if one.failed else ""]
    return "[dim]" + ", ".join(text for text in said if text) + "[/]"


def tally_line(labs: int, counts: "Tally") -> str:
    """The one line that ends a run: how many claims hold, gap, are open."""
    gaps = counts.gap_known + counts.gap_open
    parts = [
        f"{counts.holds} hold",
        f"{gaps} gaps ({counts.gap_known} explained)",
        f"{counts.inconclusive} inconclusive",
        f"{counts.impossible} impossible" if counts.impossible else "",
        f"{counts.not_run} not run" if counts.not_run else "",
    ]
    head = f"{_count(labs, 'lab')}, {_count(counts.claims, 'claim')}"
    return " · ".join([head, *(part for part in parts if part)])


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def gap_lines(judged: "Sequence[Judged]") -> Iterable[Any]:
    """Every claim that does not hold by its headline verdict, what departs the furthest (in tolerances) first."""
    departing = [one.gap for one in judged if one.gap.verdict is not Verdict.HOLDS]
    for gap in sorted(departing, key=lambda gap: (_ORDER.index(gap.verdict), -_width(gap))):
        far = "" if gap.verdict is Verdict.NOT_RUN else f"  [dim]{number(_width(gap))} tolerances[/]"
        yield f"{badge(gap.verdict)}  {gap.claim.id} {gap.variant}{far}"
        yield _indented(f"[dim]{escape(sentence(gap))}[/]")


_ORDER = (Verdict.IMPOSSIBLE, Verdict.GAP, Verdict.INCONCLUSIVE, Verdict.NOT_RUN)


def _width(gap: Gap) -> float:
    """Tolerances between theory and practice; what lies on the right side of a one-sided claim is no distance."""
    beyond = {"equals": abs(gap.estimate), "at_most": gap.estimate, "at_least": -gap.estimate}[gap.claim.relation]
    return max(0.0, beyond / gap.tolerance) if gap.tolerance else math.inf


def comparison_table(found: Sequence[Any]) -> Table:
    """Claim by claim: same verdict or not, and how exactly the numbers came again."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(overflow="fold")
    for one in found:
        same = f"same verdict ({one.now})" if one.then is one.now else f"was {one.then}, is {one.now}"
        style = {"equal to the last bit": "cyan", "equal within the intervals": "cyan"}.get(one.agreement, "red")
        table.add_row(
            f"{one.claim.id} [dim]{one.variant}[/]",
            same,
            f"[{style}]{one.agreement}[/]",
            f"{one.equal} of {one.seeds} seeds",
        )
    return table
