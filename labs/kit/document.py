"""The generated parts of the documents: README's table of gaps, the keys of lab.toml, each lab's figures.

`python -m labs.kit.document` writes them between their markers; a test fails where they are stale.
"""

import ast
import inspect
import sys
from collections.abc import Iterator
from dataclasses import MISSING, fields
from io import StringIO
from itertools import pairwise
from pathlib import Path

from rich.console import Console

from labs.kit import catalogue, console, cost, figures, markdown, places, reference, words
from labs.kit.errors import LabError
from labs.kit.results import gaps
from labs.kit.words import Claim, Figure, Lab, Preset

_SHOWN = ("integration/kl_optimum", "textbook_optimum")
_OURS = {"mechanism", "name", "folder", "lab"}
_FROM_THE_LAB = {"presets", "Preset.seeds", "Preset.variants"}
"""Keys without a default of their own that a lab.toml may leave out all the same."""


def documents() -> dict[Path, dict[str, str]]:
    """The text that belongs between the markers of each document."""
    labs = catalogue.find(places.ROOT / "labs")
    return {
        places.ROOT / "README.md": {"gaps": markdown.table(labs), "claim": claim(labs)},
        places.ROOT / "labs" / "README.md": {"keys": keys(), "path": path(labs)},
    }


def filled(text: str, parts: dict[str, str]) -> str:
    """The document with each part between `<!-- name: … -->` and `<!-- /name -->`."""
    for name, part in parts.items():
        head, rest = text.split(f"<!-- {name}:", 1)
        comment, rest = rest.split("-->", 1)
        _, tail = rest.split(f"<!-- /{name} -->", 1)
        text = f"{head}<!-- {name}:{comment}-->\n{part}<!-- /{name} -->{tail}"
    return text


def draw(lab: Lab) -> list[Path]:
    """Draw the lab's figures and put them into its README; returns the drawings that were stale.

    Raises LabError where the README has no place for one, or the reference lacks what it shows.
    """
    readme = lab.folder / "README.md"
    parts, text = figures.parts(lab), readme.read_text() if lab.figures else ""
    for name in parts:
        if f"<!-- {name}:" not in text or f"<!-- /{name} -->" not in text:
            raise LabError(
                f"{readme} has no place for the {name} that lab.toml declares.\n"
                "A figure that no reader sees is drawn for nobody.\n"
                f"Write where it belongs:\n<!-- {name}: drawn from reference.json by `python -m labs.kit.document` -->"
                f"\n<!-- /{name} -->"
            )
    if (fresh := filled(text, parts)) != text:
        readme.write_text(fresh)
    return figures.write(lab)


def keys() -> str:
    """Every key of lab.toml with the sentence that stands under its field."""
    titles = {Lab: "A lab", Preset: "[presets.x]", Claim: "[claims.x]", Figure: "[figures.x]"}
    parts = []
    for shape, title in titles.items():
        rows = [f"| `{name}` | {need} | {text} |" for name, need, text in _fields(shape)]
        parts.append(f"**{title}**\n\n| Key | | What it says |\n|---|---|---|\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


def claim(labs: list[Lab]) -> str:
    """One claim as `gaplab show` prints it, from the reference alone; empty while the lab is not there."""
    lab = next((one for one in labs if one.id == _SHOWN[0]), None)
    if lab is None:
        return ""
    judged = [one for one in gaps(lab, [], reference.read(lab)) if one.gap.claim.name == _SHOWN[1]]
    out = Console(file=StringIO(), width=108, no_color=True)
    for part in console.show_claim(lab.claims[_SHOWN[1]], judged):
        out.print(part)
    said = "\n".join(line.rstrip() for line in out.file.getvalue().strip().splitlines())  # type: ignore[attr-defined]
    return f"```\n$ .venv/bin/gaplab show {'/'.join(_SHOWN)}\n\n{said}\n```\n"


def path(labs: list[Lab]) -> str:
    """The labs in the order to learn them in, with what each needs first and how long its quick preset takes."""
    rows = [
        f"| [{lab.id}]({lab.id}/README.md) | {lab.title} | {', '.join(map(_bare, lab.needs))} | `{lab.stack}` "
        f"| {len(lab.claims)} | {console.minutes(cost.seconds(lab))} |"
        for lab in labs
    ]
    head = "| Lab | The question | After | Stack | Claims | Quick, 2 cores |\n|---|---|---|---|---:|---:|\n"
    return head + "\n".join(rows) + "\n"


def _bare(lab: str) -> str:
    return lab.partition("/")[2]


def _fields(shape: type) -> Iterator[tuple[str, str, str]]:
    said = _sentences(shape)
    for entry in fields(shape):
        if entry.name not in _OURS:
            optional = entry.default is not MISSING or entry.default_factory is not MISSING
            optional |= not {entry.name, f"{shape.__name__}.{entry.name}"}.isdisjoint(_FROM_THE_LAB)
            name = {"stacks": "stack"}.get(entry.name, entry.name)
            yield name, "" if optional else "needed", " ".join(said.get(entry.name, "").split()).replace("|", "\\|")


def _sentences(shape: type) -> dict[str, str]:
    """Field -> the string literal that stands under it."""
    tree = ast.parse(inspect.getsource(words))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == shape.__name__)
    found = {}
    for field, after in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(after, ast.Expr):
            found[field.target.id] = str(ast.literal_eval(after.value))
    return found


def main() -> None:
    """Write every document; a figure that cannot be drawn is told at the end and holds up nothing else."""
    for document, parts in documents().items():
        document.write_text(filled(document.read_text(), parts))
    problems = []
    for lab in catalogue.find():
        try:
            draw(lab)
        except LabError as problem:
            problems.append(str(problem))
    sys.exit("\n\n".join(problems) or None)


if __name__ == "__main__":
    main()
