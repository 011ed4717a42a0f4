"""Verbs about the machine: up, down, status, doctor, clean."""

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="print one JSON value for a program, nothing else")]


def add_to(app: typer.Typer) -> None:
    """Put the verbs beside the others."""
    for verb in (up, down, status, doctor, clean):
        app.command()(verb)


def up(
    labs: Annotated[list[str] | None, typer.Argument(metavar="LAB…", help="all labs if none is given")] = None,
    preset: Annotated[str, typer.Option(help="how much is run: quick, full or gpu")] = "quick",
    engine: Annotated[
        str, typer.Option(help="process: on this machine as it is; docker: all in containers")
    ] = "process",
) -> None:
    """Start the dashboard, MLflow and Jupyter in the background, then run what is not finished.

    Ctrl-C loses nothing: the services stay, and the same command goes on from there.
    """
    from labs.kit.up import up as go

    raise typer.Exit(go(labs or [], preset, engine))


def down() -> None:
    """Stop the services that `up` started, and nothing else; everything recorded is kept."""
    from labs.kit.up import down as stop

    raise typer.Exit(stop())


def status(json: Json = False) -> None:
    """Show what runs and where, how many trials are recorded, how much disk is used."""
    from labs.kit.status import status as tell

    raise typer.Exit(tell(json))


def doctor(json: Json = False) -> None:
    """Look for what is wrong on this machine and say what to type; ends what died on the way. Exit code 1 if ill."""
    from labs.kit.doctor import doctor as examine

    raise typer.Exit(examine(json))


def clean(
    what: Annotated[
        str, typer.Argument(help="trials (stale ones), stacks (old ones), runs (dead ones), everything")
    ] = "trials",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False,
) -> None:
    """Remove what nobody needs any more. Says how many bytes, asks, and never touches what is in use."""
    from labs.kit.clean import clean as remove

    raise typer.Exit(remove(what, yes, confirm=typer.confirm))
