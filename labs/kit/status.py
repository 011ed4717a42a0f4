"""`gaplab status`: what runs and where, how many trials are done, and what it all takes on the disk."""

import os
import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table

from labs.kit import console, folders, places, spool, standing
from labs.kit.jsonout import print_json
from labs.kit.services import ServiceState


@dataclass(frozen=True)
class Trials:
    """The trials of one lab on this machine."""

    lab: str
    done: int
    running: int
    unfinished: int
    """Begun, not finished, and run by nobody now."""


def status(json: bool = False) -> int:
    """Print it all. Returns 0: a service that is stopped is no mistake."""
    running, trials = standing.status(), trials_of_labs()
    if json:
        told = {"services": list(map(asdict, running)), "trials": list(map(asdict, trials))}
        print_json({**told, "bytes": dict(disk_use())})
        return 0
    out = console.out()
    for one in running:
        out.print(_service(one), soft_wrap=True)
    out.print(_trials(trials) if trials else "\nNo trial was run here yet. Type: make up, or gaplab run LAB")
    sizes = dict(disk_use())  # takes seconds where the disk is slow, so it comes last
    parts = "  ·  ".join(f"{name} {megabytes(size)}" for name, size in sizes.items() if size >= 2**20)
    out.print(f"\n{places.home()}: {megabytes(sum(sizes.values()))}  ({parts})", markup=False, soft_wrap=True)
    return 0


def trials_of_labs() -> list[Trials]:
    """Counts for each lab that has trials here."""
    return [_count(lab) for lab in folders.labs()]


def disk_use() -> Iterator[tuple[str, int]]:
    """Bytes of each part of home(); a file with several names (stacks share theirs) counts once."""
    seen: set[tuple[int, int]] = set()
    if places.home().is_dir():
        for part in sorted(places.home().iterdir()):
            yield part.name, bytes_of(part, seen)


def bytes_of(path: Path, seen: set[tuple[int, int]]) -> int:
    """What a file or folder takes on the disk, without what was seen before."""
    waiting, total = [str(path)], 0
    while waiting:
        here = waiting.pop()
        try:
            told = os.lstat(here)
            if (told.st_dev, told.st_ino) in seen:
                continue
            seen.add((told.st_dev, told.st_ino))
            total += told.st_blocks * 512
            if stat.S_ISDIR(told.st_mode):
                waiting += [entry.path for entry in os.scandir(here)]
        except FileNotFoundError:  # it was removed while we looked
            continue
    return total


def megabytes(size: float) -> str:
    """A size as a person says it.

    >>> megabytes(3_500_000), megabytes(2_150_000_000)
    ('3 MB', '2.0 GB')
    """
    return f"{size / 2**30:.1f} GB" if size >= 2**30 else f"{size / 2**20:.0f} MB"


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
    taken = f"{one.link}   [dim]{one.memory:.0f} MB[/]" if one.pid else f"{standing.again()} starts it"
    return f"{MARKS[one.state]} {one.name:<10} {one.state:<9} {taken}"


def _trials(trials: list[Trials]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("lab", "done", "running", "unfinished"):
        table.add_column(column, justify="left" if column == "lab" else "right")
    for one in trials:
        table.add_row(one.lab, str(one.done), str(one.running or ""), str(one.unfinished or ""))
    return table
