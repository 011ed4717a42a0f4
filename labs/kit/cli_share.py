"""`gaplab share`: a lab as an image that says whether it gives the same verdicts elsewhere."""

from pathlib import Path
from typing import Annotated, Any

import typer

share = typer.Typer(
    help="Hand a lab on as an image, and see whether it gives the same verdicts elsewhere.\n\n"
    "A lab image holds the lab, the kit, every package of its stack, the recorded trials, and a manifest: the claims "
    "with their verdicts and the digest of each file. Pinned packages alone do not make a result come again, so "
    "whoever gets it runs the lab in it, without network, and compares: gaplab share verify.",
    no_args_is_help=True,
)
LabArgument = Annotated[str, typer.Argument(metavar="LAB", help="[mechanism/]lab; it needs a reference.json")]
Key = Annotated[Path | None, typer.Option(help="sign the manifest with this SSH key, for example ~/.ssh/id_ed25519")]
Json = Annotated[bool, typer.Option("--json", help="print one JSON value for a program, nothing else")]


def add_to(app: typer.Typer) -> None:
    """Put the verbs under `gaplab share`."""
    app.add_typer(share, name="share")


@share.command("push")
def push_image(
    lab: LabArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help="registry.example.org/me/lab")],
    key: Key = None,
) -> None:
    """Build a lab's image and push it to a registry; prints NAME@sha256:…, which is what to hand on.

    A mere name may stand for another image tomorrow; the digest cannot. Log in first where it is needed: docker login.
    """
    from labs.kit.share import making

    _tell_of(making.push(_built(lab, key), name))


@share.command("save")
def save_image(
    lab: LabArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="written anew; a name in .gz is compressed")],
    key: Key = None,
) -> None:
    """Build a lab's image and write it to one file, for those without a registry; prints its name with its digest.

    Hand on the digest by another way than the file: who can change the file could change the digest beside it.
    """
    from labs.kit.share import making

    _tell_of(making.save(_built(lab, key), file))


@share.command("verify")
def verify_image(
    image: Annotated[str, typer.Argument(metavar="NAME@sha256:…|FILE[@sha256:…]", help="what push or save printed")],
    signers: Annotated[
        Path | None, typer.Option(help="take it only if signed by one of these: a line each, NAME and public key")
    ] = None,
    preset: Annotated[str, typer.Option(help="how much is run: quick or full")] = "quick",
    workers: Annotated[int | None, typer.Option(min=1, help="trials at once (default: cores)")] = None,
    json: Json = False,
) -> None:
    """Run a lab in somebody's image, without network, and say claim by claim whether the verdict is the same here.

    First digest, labels, manifest and files are held against each other; nothing is started before they agree. Equal to
    the last bit is asked for on the class of machine that recorded it, equal within the intervals elsewhere. Exit code
    1 if a claim is different. The image and all that it wrote are removed again.

    A signature covers the manifest and so the lab, the kit and the lock; the digest covers the packages as well.
    Neither says that the lab is right: this says that what its authors measured comes again.
    """
    from labs.kit import console
    from labs.kit.jsonout import print_json
    from labs.kit.share import proof, quarantine, telling

    out = console.out()
    with out.status("fetching") as status, quarantine.taken_in(image, signers) as guest:
        if not json:
            for line in telling.head(guest):
                typer.echo(line)
        status.update(f"running {guest.lab.id} in the image")
        found = proof.held_against(guest, preset, workers)
    if json:
        print_json(telling.as_json(guest, found))
    else:
        for line in telling.lines(found):
            typer.echo(line)
    raise typer.Exit(telling.exit_code(found))


def _built(name: str, key: Path | None) -> Any:
    from labs.kit import catalogue, console
    from labs.kit.share import making

    lab, _ = catalogue.pick_claim(name)
    with console.out().status(f"building the image of {lab.id}") as status:
        return making.build(lab, key, lambda line: status.update(line[:100]))


def _tell_of(name: str) -> None:
    typer.echo(f"{name}\nWhoever gets it types: gaplab share verify {name}")
