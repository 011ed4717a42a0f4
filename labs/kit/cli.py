"""The gaplab command. Each verb prints what it found and what to type next; imports wait until a verb needs them."""

import gc
import sys
from contextlib import nullcontext
from typing import Annotated, NoReturn

import typer

from labs.kit import cli_services, cli_share, cli_stack
from labs.kit.errors import LabError
from labs.kit.jsonout import print_json
from labs.kit.wellformed import MOST_SEEDS

app = typer.Typer(
    help="Put the theory of reinforcement learning for language models to the test.\n\n"
    "A lab makes claims; a claim is one sentence of theory about one number; a run measures that number over "
    "several seeds and says whether it holds. Start with: gaplab list, gaplab show kl_optimum, gaplab run bandits.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

LabArgument = Annotated[str, typer.Argument(metavar="LAB[/CLAIM]", help="[mechanism/]lab, or one claim of it")]
LabsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="LAB…", help="labs, mechanisms or globs; all labs if none is given")
]
Json = Annotated[bool, typer.Option("--json", help="print one JSON value for a program, nothing else")]
PresetOption = Annotated[str, typer.Option(help="how much is run: quick, full or gpu")]


@app.command("list")
def list_labs(labs: LabsArgument = None, json: Json = False) -> None:
    """List the labs in the order to learn them in: question, claims, stack, and how long `quick` takes on 2 cores."""
    from labs.kit import catalogue, console, cost

    chosen = catalogue.pick(labs or [])
    if json:
        told = ({"lab": x.id, "title": x.title, "stacks": x.stacks, "claims": list(x.claims)} for x in chosen)
        print_json([{**of, "cpu_seconds": cost.seconds(x)} for of, x in zip(told, chosen, strict=True)])
        return
    out = console.out()
    if not chosen:
        out.print("No lab is here yet. Type: gaplab new foundations/coin_flips")
        return
    out.print(console.catalogue(chosen))
    out.print(f"\nNext: gaplab show {chosen[0].id}   ·   gaplab run {chosen[0].id}")


@app.command()
def show(lab: LabArgument, json: Json = False) -> None:
    """Show a lab's claims with their verdicts, or one claim whole: prediction, measurement, interval, cause.

    Your own trials are judged as soon as a variant has two of them; until then the authors' run is shown.
    """
    from labs.kit import catalogue, console, results
    from labs.kit.views import as_json, judged_of

    chosen, claim = catalogue.pick_claim(lab)
    judged: list[results.Judged] = judged_of(chosen)
    if claim:
        judged = [one for one in judged if one.gap.claim == claim]
    if json:
        print_json([as_json(one) for one in judged])
        return
    out = console.out()
    for part in console.show_claim(claim, judged, whole=True) if claim else console.show_lab(chosen, judged):
        out.print(part, soft_wrap=isinstance(part, str))


@app.command()
def check(labs: LabsArgument = None, json: Json = False) -> None:
    """Check lab folders without running them: words, files, formulas, doctests, controls. Needs no stack."""
    from labs.kit import catalogue, console
    from labs.kit.check import check as check_lab

    found = {lab.id: check_lab(lab) for lab in catalogue.pick(labs or [])}
    if json:
        print_json(found)
    else:
        out = console.out()
        for name, problems in found.items():
            out.print(f"[cyan]●[/] {name}" if not problems else f"[red]◆[/] {name}")
            for problem in problems:
                out.print(f"  {problem}", markup=False)
    if any(found.values()):
        raise typer.Exit(1)


@app.command()
def run(
    labs: LabsArgument = None,
    variant: Annotated[list[str] | None, typer.Option(help="only this variant; may be given again")] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, max=MOST_SEEDS, help="how many seeds (default: the preset's)")
    ] = None,
    preset: PresetOption = "quick",
    engine: Annotated[str, typer.Option(help="where trials run")] = "process",
    workers: Annotated[
        int | None, typer.Option(min=1, help="trials at once (default: cores, memory permitting)")
    ] = None,
    json: Json = False,
) -> None:
    """Run the trials of labs and record them; what is finished under the same recipe is not run again.

    Ctrl-C loses nothing: type the same command again to go on. Exit code 1 if a trial failed.
    """
    from labs.kit import catalogue, console
    from labs.kit.plan import plan
    from labs.kit.progress import about_preset, run_and_tell

    chosen = catalogue.pick(labs or [])
    trials = plan(chosen, preset, variant or [], seeds)
    for line in () if json else about_preset(chosen, preset):
        console.out().print(line, soft_wrap=True)
    raise typer.Exit(run_and_tell(trials, engine, workers, json).exit_code)


@app.command()
def gaps(
    mechanism: Annotated[str | None, typer.Option(help="only this mechanism")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="README's table, from the references alone")] = False,
    json: Json = False,
) -> None:
    """List the claims that do not hold by their headline verdict, what departs the furthest first, and count all.

    With --json every claim is told, those that hold as well.
    """
    from labs.kit import catalogue, console, results
    from labs.kit.markdown import table
    from labs.kit.views import as_json, judged_of

    labs = catalogue.pick([mechanism] if mechanism else [])
    if markdown:
        typer.echo(table(labs), nl=False)
        return
    judged = [one for lab in labs for one in judged_of(lab) if one.gap.is_headline]
    if json:
        print_json([as_json(one) for one in judged])
        return
    out = console.out()
    for line in console.gap_lines(judged):
        out.print(line)
    out.print("\n" + console.tally_line(len(labs), results.tally(judged)))


@app.command()
def verify(labs: LabsArgument = None, preset: PresetOption = "quick", json: Json = False) -> None:
    """Run labs again and say claim by claim: equal to the last bit, equal within the intervals, or different.

    Your own trials are not touched. After Ctrl-C it begins anew. Exit code 1 if any claim is different.
    """
    from labs.kit import catalogue, console
    from labs.kit.compare import Agreement
    from labs.kit.plan import having
    from labs.kit.progress import Progress
    from labs.kit.verify import verify as verify_labs

    chosen = having(catalogue.pick(labs or []), preset)
    shown = Progress(console.out(), lines=False)
    try:
        with nullcontext() if json else shown.live():
            found = verify_labs(chosen, preset, shown)
    except KeyboardInterrupt:
        _stopped("Nothing was compared, and your own trials are as they were; the same command begins anew.")
    if json:
        print_json([{"claim": c.claim.id, "variant": c.variant, "agreement": c.agreement} for c in found])
    else:
        console.out().print(console.comparison_table(found))
    if any(one.agreement in (Agreement.DIFFERENT, Agreement.MISSING) for one in found):
        raise typer.Exit(1)


@app.command()
def record(
    labs: LabsArgument = None,
    preset: Annotated[list[str] | None, typer.Option(help="only this preset; may be given again")] = None,
) -> None:
    """Run `quick` and `full` of labs here and write their reference.json: the verdicts that a newcomer sees first."""
    from labs.kit import catalogue, console, document, reference
    from labs.kit.plan import plan
    from labs.kit.progress import run_and_tell

    presets = preset or reference.RECORDED
    for lab in catalogue.pick(labs or []):
        for name in presets:
            if name in lab.presets and (code := run_and_tell(plan([lab], name)).exit_code):
                raise typer.Exit(code)
        console.out().print(f"Wrote {reference.write(lab, presets)}", markup=False)
        for figure in document.draw(lab):
            console.out().print(f"Drew {figure}", markup=False)


@app.command()
def new(
    name: Annotated[str, typer.Argument(metavar="MECHANISM/NAME", help="for example foundations/coin_flips")],
) -> None:
    """Write a small lab that passes `gaplab check` and runs, to be edited into your own."""
    from labs.kit import console
    from labs.kit.new import new as new_lab

    folder = new_lab(name)
    told = f"Wrote {folder}\nNext: gaplab check {name}   ·   gaplab run {name}   ·   then edit its files"
    console.out().print(told, markup=False, soft_wrap=True)


cli_services.add_to(app)
cli_stack.add_to(app)
cli_share.add_to(app)


def main() -> None:
    """Run the command; an error that the reader can put right is shown without a traceback."""
    gc.set_threshold(100_000)  # most verbs end within a second: looking for cycles in what they import is 3% of it
    try:
        app()
    except LabError as problem:
        _refused(problem)
    except OSError as problem:
        from labs.kit.disk import in_words

        if told := in_words(problem):
            _refused(told)
        raise
    except KeyboardInterrupt:
        _stopped()
    except SystemExit as ended:
        if isinstance(getattr(ended.__context__, "__cause__", None), KeyboardInterrupt):  # as Typer hands it on
            _stopped()
        raise


def _refused(problem: LabError) -> NoReturn:
    sys.stderr.write(f"gaplab: {problem}\n")
    sys.exit(2)


def _stopped(so: str = "Nothing is lost; type the same command to go on.") -> NoReturn:
    sys.stderr.write(f"\ngaplab: stopped. {so}\n")
    sys.exit(130)


if __name__ == "__main__":
    main()
