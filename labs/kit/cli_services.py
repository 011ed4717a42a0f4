"""Verbs about the machine: up, down, status, doctor, clean."""

from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Put the verbs beside the others."""
    for verb in (up, down):
        app.command()(verb)


def up(
    labs: Annotated[list[str] | None, typer.Argument(metavar="LAB…", help="all labs if none is given")] = None,
    preset: Annotated[str, typer.Option(help="how much is run: quick, full or gpu")] = "quick",
) -> None:
    """Start the dashboard, MLflow and Jupyter in the background, then run what is not finished.

    Ctrl-C loses nothing: the services stay, and the same command goes on from there.
    """
    from labs.kit.up import up as go

    raise typer.Exit(go(labs or [], preset))


def down() -> None:
    """Stop the services that `up` started, and nothing else; everything recorded is kept."""
    from labs.kit.up import down as stop

    raise typer.Exit(stop())
