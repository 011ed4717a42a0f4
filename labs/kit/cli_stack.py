"""`gaplab stack`: the pinned sets of packages that labs run with."""

from typing import Annotated

import typer

stacks = typer.Typer(help="Pinned sets of packages: a venv here, an image in containers.", no_args_is_help=True)
Names = Annotated[list[str] | None, typer.Argument(metavar="STACK…", help="all of them if none is given")]


def add_to(app: typer.Typer) -> None:
    """Put the verbs under `gaplab stack`."""
    app.add_typer(stacks, name="stack")
