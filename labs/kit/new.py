"""`gaplab new MECHANISM/NAME`: a small lab that passes `check` and runs, to be edited into one's own."""

import json
import os
import re
from keyword import iskeyword
from pathlib import Path

from labs.kit import places
from labs.kit.errors import LabError, near
from labs.kit.words import MECHANISMS

_TEMPLATES = Path(__file__).parent / "templates"


def new(name: str) -> Path:
    """Write the folder of a new lab and return it. Raises LabError for a bad or taken name."""
    mechanism, _, lab = name.partition("/")
    if mechanism not in MECHANISMS or not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", lab) or iskeyword(lab):
        why = "The part after / is written with a-z, 0-9 and _, begins with a letter, and is no word of Python's own."
        raise LabError(
            f"{name!r:.80} is not a name for a lab. {why if mechanism in MECHANISMS else near(mechanism, MECHANISMS)}\n"
            "A lab stands in the folder of its mechanism, and its name is also a Python package and a web address.\n"
            "Type for example `gaplab new foundations/coin_flips`."
        )
    taken = [place for known in MECHANISMS if os.path.lexists(place := places.labs() / known / lab)]
    if taken:
        raise LabError(
            f"{taken[0]} is there already.\nA lab's name is its address, so there is one of each.\n"
            f"Choose another name, for example `gaplab new {mechanism}/{lab}_2`."
        )
    folder = places.labs() / mechanism / lab
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    for source in sorted(_TEMPLATES.iterdir()):
        (folder / source.name.removesuffix(".tmpl")).write_text(source.read_text().replace("LAB_NAME", lab))
    (folder / "notebook.ipynb").write_text(_notebook(mechanism, lab))
    return folder


def _notebook(mechanism: str, lab: str) -> str:
    cells = [
        ("markdown", f"# {lab}\n\nTheory predicts, one trial measures, a figure shows both."),
        (
            "code",
            f"from labs.kit.trial import Quiet\nfrom labs.{mechanism}.{lab} import practice, theory\n\n"
            "predicted = theory.mean_reward(success_rate=0.3)\npredicted",
        ),
        (
            "code",
            "log = Quiet()\nseen = practice.trial(0, log, success_rate=0.3, pulls=10_000, skip_failures=0.0)\nseen",
        ),
        (
            "code",
            "import matplotlib.pyplot as plt\n\nsteps, values = zip(*log.points['curve.mean_reward'])\n"
            "plt.plot(steps, values)\nplt.axhline(predicted, linestyle='--', color='#c0452b')\n"
            "plt.xlabel('pulls')\nplt.ylabel('mean reward')",
        ),
    ]
    kernel = {"display_name": "Gaplab tabular", "language": "python", "name": "gaplab-tabular"}
    made = [_cell(index, kind, text) for index, (kind, text) in enumerate(cells)]
    return json.dumps({"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}, indent=1)


def _cell(index: int, kind: str, text: str) -> dict[str, object]:
    more: dict[str, object] = {"outputs": [], "execution_count": None} if kind == "code" else {}
    return {"cell_type": kind, "id": f"cell-{index}", "metadata": {}, "source": text.splitlines(keepends=True), **more}
