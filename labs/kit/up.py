"""`make up`, once there is a .venv: the services first, then the trials and what they need, the page filling."""

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Console
from rich.markup import escape

from labs.kit import catalogue, console, disk, reference, results, standing
from labs.kit.engines import refuse_unknown
from labs.kit.gap import Verdict
from labs.kit.pace import count
from labs.kit.plan import plan
from labs.kit.progress import about_preset, run_and_tell
from labs.kit.services import Links
from labs.kit.services.known import DASHBOARD
from labs.kit.views import judged_of
from labs.kit.words import Lab


def up(patterns: Sequence[str] = (), preset: str = "quick", engine: str = "process") -> int:
    """Start the services and run what is not finished of the labs that the patterns name. Returns the exit code.

    Everything it makes is kept whole or not at all, so Ctrl-C and a second call cost nothing. A trial that fails is
    told and is no failure of this command, which has done its part; a stack that cannot be made is one.
    """
    labs = catalogue.pick(patterns)
    trials = plan(labs, preset)
    refuse_unknown(engine)
    out = console.out()
    try:
        links = _start(out, engine)
        for line in about_preset(labs, preset):
            out.print(line, soft_wrap=True)
        report = run_and_tell(trials, engine)
        pages = _notebooks(out, engine, links, sorted({trial.stack for trial in trials}))
    except KeyboardInterrupt:
        told = "Stopped. Nothing is lost: the same command goes on from here, `make down` stops the services."
        out.print(f"\n{told}", soft_wrap=True)
        return 130
    if report.failed:
        told = f"✖ {count(len(report.failed), 'trial')} failed, for the reasons above: nothing was measured by them."
        out.print(f"\n[red]{told}[/] The services are up; the same command tries them again.", soft_wrap=True)
    for line in _last_lines(labs, links, pages, standing.editor(engine)):
        out.print(line, markup=False, soft_wrap=True)
    return 1 if report.hindered or (report.failed and disk.is_full()) else 0


def down() -> int:
    """Stop what up() started, and nothing else. Returns the exit code."""
    again, stopped = standing.again(), standing.stop()
    told = f"Stopped {' and '.join(stopped)}. What was recorded is kept; `{again}` goes on from there."
    if not stopped:
        told = "Nothing of Gaplab's was running."
        if any(one.pid for one in standing.status()):
            told = "What runs was started by compose: `docker compose --profile all down` stops it, and all is kept."
    console.out().print(told, soft_wrap=True)
    return 0


def _start(out: Console, engine: str) -> Links:
    def ready(name: str, link: str) -> None:
        if name == DASHBOARD.name:
            out.print(f"Dashboard  {link}   shows the authors' verdicts until yours come in", soft_wrap=True)

    with out.status("Starting the dashboard, MLflow and Jupyter") as shown:
        return standing.start(engine, ready, lambda line: shown.update(escape(line[:100])))


def _notebooks(out: Console, engine: str, links: Links, stacks: list[str]) -> dict[str, str]:
    with out.status("Starting Jupyter") as shown:
        return standing.notebooks(engine, links, stacks, lambda line: shown.update(escape(line[:100])))


def _last_lines(labs: Sequence[Lab], links: Links, notebooks: Mapping[str, str], editor: tuple[str, str]) -> list[str]:
    judged = [one for lab in labs for one in judged_of(lab)]
    return [
        "",
        console.tally_line(len(labs), results.tally(judged)) + _beside(labs),
        *_addresses(links, notebooks),
        *([f"Editor     {editor[0]}   password: {editor[1]}"] if all(editor) else []),
        f"Next: .venv/bin/gaplab show {_most_telling(labs, judged)}   ·   make down stops everything",
    ]


def _addresses(links: Links, notebooks: Mapping[str, str]) -> Iterator[str]:
    """In one line, where there is one Jupyter server."""
    pages = f"Dashboard  {links.dashboard}      MLflow  {links.mlflow}"
    if len(notebooks) == 1:
        yield f"{pages}      Jupyter  {next(iter(notebooks.values()))}"
        return
    yield pages
    yield from (f"Jupyter    {link}   {name}" for name, link in notebooks.items())


def _beside(labs: Sequence[Lab]) -> str:
    """How the same claims came out for the authors; nothing where they recorded none."""
    told = [one for lab in labs for one in results.gaps(lab, [], reference.read(lab)) if one.origin == "reference"]
    counts = console.tally_line(len(labs), results.tally(told)).partition(" · ")[2]
    return f"       (the authors' run: {counts})" if told else ""


def _most_telling(labs: Sequence[Lab], judged: Sequence[results.Judged]) -> str:
    """The lab of the widest gap whose cause is known: the best first page to read."""
    heads = [one.gap for one in judged if one.gap.is_headline and one.gap.verdict is Verdict.GAP]
    known = [gap for gap in heads if gap.claim.cause]
    widest = max(known, key=lambda gap: abs(gap.estimate) / gap.tolerance if gap.tolerance else 0.0, default=None)
    return widest.claim.lab if widest else labs[0].id if labs else "--help"
