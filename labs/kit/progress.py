"""What a run shows while it runs: trials done, running and left, the time that is left, each verdict as it falls."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from labs.kit import console, places, reading, results, spool
from labs.kit.engines import Ended, Event, Notice, Planned, Status
from labs.kit.gap import Gap, Verdict
from labs.kit.jsonout import print_json
from labs.kit.pace import Pace, count, duration
from labs.kit.plan import Trial, having
from labs.kit.run import Failure, Report, run
from labs.kit.words import Lab

SHOWN = 5
"""So many failures are told whole at the end; the others are counted."""


def run_and_tell(
    trials: Sequence[Trial], engine: str = "process", workers: int | None = None, json: bool = False
) -> Report:
    """Run the trials with a display, or for a program with one JSON value at the end."""
    if json:
        report = run(trials, engine, workers)
        print_json({**vars(report), "failed": [vars(failure) for failure in report.failed]})
        return report
    out = console.out()
    show = Progress(out)
    begin = time.monotonic()
    with show.live():
        report = run(trials, engine, workers, show)
    for line in summary(report, time.monotonic() - begin):
        out.print(line, soft_wrap=True)
    return report


def about_preset(labs: Sequence[Lab], preset: str) -> Iterator[str]:
    """What a reader may not expect of a preset that not every lab has, as Rich markup."""
    lack = len(labs) - len(having(labs, preset))
    if lack:
        yield f"[dim]{lack} of {count(len(labs), 'lab')} have no preset {preset}, so they are left out.[/]"
    if preset == "gpu" and places.device() != "gpu":
        yield "[yellow]The stacks here are for the CPU, on which the preset gpu takes hours: GAPLAB_DEVICE=gpu.[/]"


class Progress:
    """Takes the events of a run. On a terminal the last lines stay and change; elsewhere each event is a line.

    `lines=False` draws the last lines alone, for a run whose trials are not the reader's own.
    """

    def __init__(self, out: Console, lines: bool = True) -> None:
        self._out, self._tells = out, lines
        self._pace, self._verdicts = Pace(), Verdicts()
        self._notice = Notice("")
        self._lock = threading.Lock()

    def live(self) -> AbstractContextManager[object]:
        """Draws the last lines while inside; on a terminal alone."""
        if not self._out.is_terminal:
            return nullcontext()
        return Live(get_renderable=self._draw, console=self._out, transient=True, refresh_per_second=4)

    def __call__(self, event: Event) -> None:
        """Show what has happened."""
        with self._lock:
            self._pace.take(event)
            lines = list(self._lines(event)) if self._tells else ()
            self._notice = event if isinstance(event, Notice) else self._notice
        for line in lines:
            self._out.print(line, soft_wrap=True)

    def _lines(self, event: Event) -> Iterator[str]:
        if isinstance(event, Planned):
            yield from self._planned(event)
        elif isinstance(event, Notice):
            if event.text != self._notice.text and not self._out.is_terminal:
                yield f"[dim]{escape(event.text)}[/]"
        elif isinstance(event, Ended):
            yield from self._ended(event)

    def _planned(self, event: Planned) -> Iterator[str]:
        self._verdicts.plan(event.trials)
        if event.skipped:
            yield f"[dim]{count(event.skipped, 'trial')} finished before, not run again[/]"

    def _ended(self, event: Ended) -> Iterator[str]:
        if event.status is Status.KILLED:
            cause = event.message or f"signal {event.signal}"
            yield f"[yellow]{escape(event.trial.name)} was killed ({escape(cause)}); it is run again[/]"
        elif event.status is Status.BUSY:
            yield f"[dim]{escape(event.trial.name)} is held by another process, so it is waited for[/]"
        elif event.status in (Status.FAILED, Status.TIMEOUT):
            yield f"[red]✖[/] {escape(event.trial.name)}: {escape(event.message.splitlines()[0])}"
        elif not self._out.is_terminal:
            yield f"[dim]{self._pace.share} {escape(event.trial.name)}[/]"
        if event.status in (Status.FINISHED, Status.ELSEWHERE):
            for gap in self._verdicts.fall(event.trial):
                yield verdict_line(gap)

    def _draw(self) -> RenderableType:
        with self._lock:
            pace, notice = self._pace, self._notice
            bar = Table.grid(padding=(0, 1))
            drawn = ProgressBar(
                total=max(1, pace.total), completed=pace.done, width=30, complete_style="cyan", finished_style="cyan"
            )
            bar.add_row(drawn, Text(pace.sentence()))
            running = ", ".join(trial.name for trial in pace.running.values())
            more = ": ".join(filter(None, (notice.text, notice.detail)))
        return Group(
            bar, *(Text(line, style="dim", no_wrap=True, overflow="ellipsis") for line in (running, more) if line)
        )


class Verdicts:
    """Judges a variant again whenever one of its trials has ended, and tells what is new."""

    def __init__(self) -> None:
        self._labs: dict[str, Lab] = {}
        self._rows: dict[str, dict[str, results.Row]] = {}
        self._told: dict[tuple[str, str], Verdict] = {}

    def plan(self, trials: Sequence[Trial]) -> None:
        """Know what has been judged before, so that only news is told."""
        for folder in dict.fromkeys(trial.lab_folder for trial in trials):
            lab = reading.read(Path(folder))
            self._labs[lab.id] = lab
            self._rows[lab.id] = {row.key: row for row in results.rows(lab.id)}
            self._told |= {(gap.claim.id, gap.variant): gap.verdict for gap in self._judged(lab)}

    def fall(self, trial: Trial) -> list[Gap]:
        """The verdicts that this trial has changed."""
        ended = spool.finished(trial.folder)
        if ended is None or trial.lab not in self._labs:
            return []
        self._rows[trial.lab][trial.key] = results.row_of(trial, ended)
        judged = self._judged(self._labs[trial.lab])
        news = [gap for gap in judged if self._told.get((gap.claim.id, gap.variant)) is not gap.verdict]
        self._told |= {(gap.claim.id, gap.variant): gap.verdict for gap in news}
        return news

    def _judged(self, lab: Lab) -> list[Gap]:
        """From the reader's own trials, where there are enough of them for a verdict."""
        found = results.gaps(lab, self._rows[lab.id].values(), ())
        return [one.gap for one in found if one.gap.seeds >= (1 if one.gap.claim.exact else 2)]


def verdict_line(gap: Gap) -> str:
    """One verdict in one line, as Rich markup."""
    role = " [dim](control)[/]" if gap.is_control else ""
    return f"{console.badge(gap.verdict)}  {gap.claim.id} [dim]{gap.variant}[/]{role}  {escape(console.sentence(gap))}"


def summary(report: Report, seconds: float) -> Iterator[str]:
    """What the run did and what to type next, as Rich markup."""
    counts = {
        "run": report.done,
        "finished before": report.skipped,
        "finished by another command": report.elsewhere,
        "failed": len(report.failed),
    }
    yield " · ".join(f"{number} {said}" for said, number in counts.items() if number or said == "run") + (
        f" · {duration(seconds)}"
    )
    yield from _failures(report.failed)
    if report.waiting:
        yield f"[yellow]{count(report.waiting, 'record')} on this disk not yet in MLflow; the next run sends them.[/]"
    for problem in report.problems:
        yield f"[yellow]{escape(problem)}[/]"


def _failures(failed: Sequence[Failure]) -> Iterator[str]:
    """One of each lab and variant is told whole: its other seeds mostly fail for the same reason."""
    groups: dict[str, list[Failure]] = {}
    for failure in failed:
        groups.setdefault(failure.trial.rpartition(" seed ")[0], []).append(failure)
    for group in list(groups.values())[:SHOWN]:
        more = f" [dim](and {count(len(group) - 1, 'seed')} more)[/]" if len(group) > 1 else ""
        yield f"\n[red]✖ {escape(group[0].trial)}[/]{more}\n{escape(group[0].message)}"
    if len(groups) > SHOWN:
        yield f"\n[red]✖ and {count(len(groups) - SHOWN, 'variant')} more[/]"
