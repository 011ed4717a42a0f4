"""`gaplab doctor`: look at everything that a run needs, say how it stands, and what to type."""

from collections.abc import Iterator
from dataclasses import asdict

from rich.markup import escape
from rich.table import Table

from labs.kit import console
from labs.kit.errors import LabError
from labs.kit.examine import Finding, State, containers, machine, making, records, serving
from labs.kit.jsonout import print_json

MARKS = {State.WELL: "[cyan]●[/]", State.NOTE: "[yellow]○[/]", State.ILL: "[red]◆[/]"}


def doctor(json: bool = False) -> int:
    """Print every finding; sends what MLflow lacks and ends what died on the way. Returns 1 where something is ill."""
    found = list(diagnose())
    if json:
        print_json([asdict(one) for one in found])
    else:
        console.out().print(_table(found))
    return int(any(one.state is State.ILL for one in found))


def diagnose() -> Iterator[Finding]:
    """Every finding. A subject that cannot be looked at is itself a finding: the others are still told."""
    for subject in (machine, making, serving, records, containers):
        try:
            yield from subject()
        except LabError as problem:
            yield Finding.of_error(subject.__name__, problem)


def _table(found: list[Finding]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for one in found:
        told = escape(one.told)
        if one.remedy and one.state is not State.WELL:
            told += f"\n[bold]{escape(one.remedy)}[/]"
        table.add_row(MARKS[one.state], one.what, told)
    return table
