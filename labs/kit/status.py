"""`gaplab status`: what runs and where, how many trials are done, and what it all takes on the disk."""

import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table

from labs.kit import console, folders, places, sizes, spool, standing
from labs.kit.jsonout import print_json
from labs.kit.services import ServiceState

PATIENCE = 0.3
"""Seconds for counting bytes; `--json` counts all, however long it takes."""


@dataclass(frozen=True)
class Trials:
    """The trials of one lab on this machine."""

    lab: str
    done: int
    running: int
    unfinished: int
    """Begun, not finished, and run by nobody now."""


@dataclass(frozen=True)
class Use:
    """What a part of home() takes on the disk."""

    part: str
    bytes: int
    is_all: bool = True
    """False where the time was over before everything was counted."""

    def __str__(self) -> str:
        return ("" if self.is_all else "over ") + sizes.megabytes(self.bytes)


def status(json: bool = False) -> int:
    """Print it all. Returns 0: a service that is stopped is no mistake."""
    running, trials = standing.status(), trials_of_labs()
    if json:
        told = {"services": list(map(asdict, running)), "trials": list(map(asdict, trials))}
        print_json({**told, "bytes": {use.part: use.bytes for use in disk_use()}})
        return 0
    out = console.out()
    for one in running:
        out.print(_service(one), soft_wrap=True)
    out.print(_trials(trials) if trials else "\nNo trial was run here yet. Type: make up, or gaplab run LAB")
    used = list(disk_use(PATIENCE))  # it takes seconds where the disk is cold, so it comes last and not whole
    parts = "  ·  ".join(f"{use.part} {use}" for use in used if use.bytes >= 2**20)
    whole = Use("", sum(use.bytes for use in used), all(use.is_all for use in used))
    out.print(f"\n{places.home()}: {whole}{f'  ({parts})' if parts else ''}", markup=False, soft_wrap=True)
    return 0


def trials_of_labs() -> list[Trials]:
    """Counts for each lab that has trials here."""
    return [_count(lab) for lab in folders.labs()]


def disk_use(patience: float = math.inf) -> Iterator[Use]:
    """Each part of home(), the stacks first; what was not counted when the seconds are over is told as it stands."""
    home, seen = places.home(), set[tuple[int, int]]()
    if (home / "stacks").is_dir():
        yield Use("stacks", sizes.of_stacks(home / "stacks"))
    until = time.monotonic() + patience
    for part in sorted(home.iterdir()) if home.is_dir() else ():
        if part.name != "stacks":
            yield Use(part.name, *sizes.within(part, seen, until))


def _count(lab: str) -> Trials:
    done = running = unfinished = 0
    for entry in folders.of_lab(lab):
        folder = Path(entry.path)
        if spool.is_finished(folder):
            done += 1
        elif spool.is_held(folder):
            running += 1
        else:
            unfinished += 1
    return Trials(lab, done, running, unfinished)


MARKS = {"healthy": "[cyan]●[/]", "starting": "[yellow]○[/]", "failed": "[red]◆[/]", "stopped": "[dim]–[/]"}


def _service(one: ServiceState) -> str:
    """One line, never cut: a shortened address opens nothing."""
    asked = f"   password: {one.password}" if one.password else ""
    taken = f"{one.link}{asked}   [dim]{one.memory:.0f} MB[/]" if one.pid else f"{standing.again()} starts it"
    return f"{MARKS[one.state]} {one.name:<10} {one.state:<9} {taken}"


def _trials(trials: list[Trials]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("lab", "done", "running", "unfinished"):
        table.add_column(column, justify="left" if column == "lab" else "right", overflow="fold")
    for one in trials:
        table.add_row(one.lab, str(one.done), str(one.running or ""), str(one.unfinished or ""))
    return table
