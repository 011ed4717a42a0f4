"""The documents: what is generated is fresh, and what they tell a reader to type exists."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from labs.kit import places
from labs.kit.cli import app
from labs.kit.document import documents, filled

DOCUMENTS = ["README.md", "CONTRIBUTING.md", "labs/README.md", "docs/share.md"]


@pytest.mark.parametrize("name", ["README.md", "labs/README.md"])
def test_generated_parts_are_fresh(name: str) -> None:
    path = places.ROOT / name
    fresh = filled(path.read_text(), documents()[path])
    assert path.read_text() == fresh, "type: .venv/bin/python -m labs.kit.document"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_verb_that_a_document_names_exists(name: str) -> None:
    verbs = {verb for line in _commands(places.ROOT / name) for verb in [shlex.split(line)[1]] if verb[0] != "-"}
    known = CliRunner().invoke(app, ["--help"]).output
    assert verbs
    for verb in verbs:
        assert re.search(rf"\b{verb}\b", known), f"{name} says `gaplab {verb}`, which the command does not have"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_leads_somewhere(name: str) -> None:
    path = places.ROOT / name
    for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
        assert (path.parent / target).exists(), f"{name} links to {target}"


def _commands(path: Path) -> list[str]:
    return re.findall(r"(gaplab [a-z][a-z]*[^`\n#·…]*)", path.read_text())
