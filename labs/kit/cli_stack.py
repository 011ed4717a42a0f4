"""`gaplab stack`: the pinned sets of packages that labs run with."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from labs.kit.stack import Stack

stacks = typer.Typer(
    help="Pinned sets of packages: a venv on this machine, an image in containers, from one lock.",
    no_args_is_help=True,
)
Names = Annotated[list[str] | None, typer.Argument(metavar="STACK…", help="all of them if none is given")]


def add_to(app: typer.Typer) -> None:
    """Put the verbs under `gaplab stack`."""
    app.add_typer(stacks, name="stack")


@stacks.command("list")
def list_stacks(json: Annotated[bool, typer.Option("--json", help="one JSON value for a program")] = False) -> None:
    """List the stacks: whether each is built here, how many packages its lock pins, its digest."""
    from rich.table import Table

    from labs.kit import console, stack
    from labs.kit.jsonout import print_json

    told = [
        {"stack": one.name, "built": one.built, "packages": _packages(one), "digest": one.digest, "venv": str(one.venv)}
        for one in stack.find()
    ]
    if json:
        print_json(told)
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("stack", "built", "packages", "digest"):
        table.add_column(column, justify="right" if column == "packages" else "left")
    for one in told:
        mark = "[cyan]●[/] yes" if one["built"] else "[dim]–[/] no"
        table.add_row(str(one["stack"]), mark, str(one["packages"]), str(one["digest"])[:12])
    out = console.out()
    out.print(table)
    missing = [one.name for one in stack.find() if one.for_labs and not one.built]
    out.print(f"\nNext: gaplab stack build {' '.join(missing)}" if missing else "\nAll stacks of labs are built.")


@stacks.command("build")
def build_stacks(names: Names = None) -> None:
    """Build stacks from their locks and run each one's smoke test; what is built is not built again."""
    from labs.kit import console, stack

    out = console.out()
    for one in [stack.Stack(name) for name in names] if names else [s for s in stack.find() if s.for_labs]:
        if one.built:
            out.print(f"[cyan]●[/] {one.name} is built")
            continue
        with out.status(f"{one.name}: starting") as status:
            stack.build(one, on_line=lambda line, name=one.name, shown=status: shown.update(f"{name}: {line}"))  # type: ignore[misc]
        out.print(f"[cyan]●[/] {one.name} built")


@stacks.command("image")
def build_images(names: Names = None) -> None:
    """Build images from the same locks, and run each one's smoke test; without names also the database's.

    With SOURCE_DATE_EPOCH=0 in the environment whoever builds the same commit gets the same digest: docs/share.md.
    """
    from labs.kit import console, stack
    from labs.kit.containers import dated, images
    from labs.kit.containers.daemon import otherwise

    out = console.out()
    chosen = [stack.Stack(name) for name in names] if names else [s for s in stack.find() if s.in_image]
    others = () if names else ("database",)
    venvs = "`gaplab stack build` makes venvs from the same locks and needs none."
    with out.status("docker buildx bake") as status, otherwise(venvs):
        images.build(chosen, others, on_line=lambda line: status.update(line.partition(" [")[0][:100]))
    for one in chosen:
        out.print(f"[cyan]●[/] {images.name_of(one)} {images.id_of(one) if dated.asked_for() else ''}", soft_wrap=True)
    if dated.in_vain():
        out.print(
            f"\n{dated.MOMENT} had no effect on files: this engine keeps images in a store of its own. docs/share.md"
        )


@stacks.command("lock")
def lock_stacks(
    names: Names = None,
    device: Annotated[str, typer.Option(help="cpu or gpu")] = "cpu",
    upgrade: Annotated[bool, typer.Option(help="take the newest versions that requirements.in allows")] = False,
    platform: Annotated[str, typer.Option(help="write nothing; say which locks another platform could use")] = "",
) -> None:
    """Write the locks, every package with its hashes, from requirements.in; what stacks share has one version."""
    from labs.kit import console, stack

    if platform:
        raise typer.Exit(
            _elsewhere([stack.Stack(one, device) for one in names or [s.name for s in stack.find()]], platform)
        )
    chosen = [stack.Stack(name, device) for name in names] if names else ()
    for path in stack.lock(chosen, device, upgrade):
        console.out().print(f"Wrote {path}", markup=False)


def _elsewhere(stacks: "Sequence[Stack]", platform: str) -> int:
    from labs.kit import console, stack

    out = console.out()
    against = {one: stack.hindrance(one, platform) for one in stacks}
    for one, why in against.items():
        out.print(f"{one.name:<10}{one.device}  " + (f"no: {why}" if why else "yes"), markup=False, soft_wrap=True)
    return int(any(against.values()))


def _packages(one: object) -> int:
    lock = one.lock  # type: ignore[attr-defined]
    return sum("==" in line for line in lock.read_text().splitlines()) if lock.is_file() else 0
