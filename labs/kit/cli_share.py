"""`gaplab share`: a lab as an image that says whether it gives the same verdicts elsewhere."""

from itertools import count
from pathlib import Path
from typing import Annotated, Any

import typer

share = typer.Typer(
    help="Hand a lab on as an image, and see whether it gives the same verdicts elsewhere.\n\n"
    "A lab image holds the lab, the kit, every package of its stack, the recorded trials, and a manifest: the claims "
    "with their verdicts and the digest of each file. Pinned packages alone do not make a result come again, so "
    "whoever gets it runs the lab in it, without network, and compares: gaplab share verify.\n\n"
    "You: share push LAB NAME, or share save LAB FILE. They: share verify NAME@sha256:… --push NAME, which puts what "
    "they measured beside what you did; share show lists both. What is checked, and what is not: docs/share.md.",
    no_args_is_help=True,
)
LabArgument = Annotated[str, typer.Argument(metavar="LAB", help="[mechanism/]lab; it needs a reference.json")]
Key = Annotated[Path | None, typer.Option(help="sign with this SSH key, for example ~/.ssh/id_ed25519")]
Signers = Annotated[
    Path | None, typer.Option(help="take it only if signed by one of these: a line each, NAME and public key")
]
What = Annotated[
    str,
    typer.Argument(
        metavar="NAME@sha256:…|FILE[@sha256:…]|sha256:…", help="what push, save, pull or load printed on its first line"
    ),
]
Json = Annotated[bool, typer.Option("--json", help="print one JSON value for a program, nothing else")]


def add_to(app: typer.Typer) -> None:
    """Put the verbs under `gaplab share`."""
    app.add_typer(share, name="share")


@share.command("build")
def build_image(lab: LabArgument, key: Key = None) -> None:
    """Build a lab's image on the layers of its stack, and print its ID; push and save do this by themselves.

    Refused where the reference is stale: the image would fail its own verification.
    """
    _tell(str(_built(lab, key).id), "Look at it: gaplab share show")


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

    _tell(making.push(_built(lab, key), name), "Whoever gets it types: gaplab share verify")


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

    making.refuse_nowhere(file)
    _tell(making.save(_built(lab, key), file), "Whoever gets it types: gaplab share verify")


@share.command("pull")
def pull_image(
    image: Annotated[str, typer.Argument(metavar="NAME@sha256:…", help="what push printed")], signers: Signers = None
) -> None:
    """Fetch a lab's image and keep it, if it is what it says: then it can be shown and verified without the registry.

    Nothing of it is started. `docker image rm` with the ID that is printed removes it again.
    """
    _keep(image, signers)


@share.command("load")
def load_image(
    file: Annotated[str, typer.Argument(metavar="FILE[@sha256:…]", help="what save printed")], signers: Signers = None
) -> None:
    """Read a lab's image out of a file and keep it, if it is what it says; see pull."""
    _keep(file, signers)


@share.command("show")
def show_image(image: What, signers: Signers = None, json: Json = False) -> None:
    """Say who made an image, on which machine, with which verdicts, and list the results that others attached to it.

    Verdicts are worked out here from the numbers it carries, never taken from it; nothing of it is started.
    """
    from labs.kit import console
    from labs.kit.jsonout import print_json
    from labs.kit.share import quarantine, telling

    with console.out().status("fetching"), quarantine.taken_in(image, signers) as guest:
        if json:
            print_json(telling.shown_as_json(guest))
        else:
            _say(telling.shown(guest))


@share.command("verify")
def verify_image(
    image: What,
    signers: Signers = None,
    preset: Annotated[str, typer.Option(help="how much is run: quick or full")] = "quick",
    workers: Annotated[int | None, typer.Option(min=1, help="trials at once (default: cores)")] = None,
    push: Annotated[str, typer.Option(metavar="NAME", help="push it there with this machine's result attached")] = "",
    save: Annotated[
        Path | None, typer.Option(metavar="FILE", help="write it there with this machine's result attached")
    ] = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """Run a lab in somebody's image, without network, and say claim by claim whether the verdict is the same here.

    First digest, labels, manifest and files are held against each other; nothing is started before they agree. Equal to
    the last bit is asked for on the class of machine that recorded it, equal within the intervals elsewhere. Exit code
    1 if a claim is different. The image and all that it wrote are removed again, unless it was here before.

    A signature covers the manifest and so the lab, the kit and the lock; the digest covers the packages as well.
    Neither says that the lab is right: this says that what its authors measured comes again.
    """
    from labs.kit import console, hardware
    from labs.kit.jsonout import print_json
    from labs.kit.share import making, proof, quarantine, signature, telling

    if key:
        signature.refuse_unread(key, "key")
    if save:
        making.refuse_nowhere(save)
    with console.out().status("fetching") as status, quarantine.taken_in(image, signers) as guest:
        if not json:
            _say(telling.head(guest))
        status.update(f"running {guest.lab.id} in the image")
        rows = proof.run(guest, preset, workers, _counted(status, guest.lab.id))
        found = proof.held_against(guest, preset, rows, hardware.cpu())
        if json:
            print_json(telling.as_json(guest, found))
        else:
            _say(telling.lines(found))
        if push or save:
            status.update("attaching the result")
            _hand_on(guest, preset, rows, key, push, save, json)
    raise typer.Exit(telling.exit_code(found))


def _counted(status: Any, lab: str) -> Any:
    """Tells how many trials are over."""
    from labs.kit.engines import Ended

    done = count(1)

    def tell(event: object) -> None:
        if isinstance(event, Ended) and event.final:
            status.update(f"running {lab} in the image: {next(done)} trials are over")

    return tell


def _hand_on(guest: Any, preset: str, rows: Any, key: Path | None, push: str, save: Path | None, quiet: bool) -> None:
    """The image with what was measured in it; told on standard error where standard output is a program's."""
    from labs.kit.share import attached, making

    with attached.image_with(guest.image, attached.encoded(guest.said, preset, rows), key) as grown:
        made = [making.push(grown, push)] if push else []
        made += [making.save(grown, save)] if save else []
    for name in made:
        typer.echo(f"With this machine's result attached: {name}", err=quiet)


def _keep(what: str, signers: Path | None) -> None:
    from labs.kit import console
    from labs.kit.share import quarantine, telling

    with console.out().status("fetching"), quarantine.taken_in(what, signers, keep=True) as guest:
        _tell(quarantine.kept(guest), "Next: gaplab share verify")
        _say(telling.head(guest))


def _built(name: str, key: Path | None) -> Any:
    from labs.kit import catalogue, console
    from labs.kit.share import making

    lab, _ = catalogue.pick_claim(name)
    with console.out().status(f"building the image of {lab.id}") as status:
        return making.build(lab, key, lambda line: status.update(line[:100]))


def _tell(name: str, then: str) -> None:
    """The name alone on the first line, as programs want it."""
    typer.echo(f"{name}\n{then} {name}")


def _say(lines: Any) -> None:
    for line in lines:
        typer.echo(line)
