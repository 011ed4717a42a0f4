"""How long a lab's presets took when they were recorded. A list of all labs asks for it: it imports nothing heavy."""

import json
from itertools import takewhile

from labs.kit.words import Lab

TRIALS = ' "trials": [\n'
"""The line of reference.json behind which the trials stand, which are most of the file."""


def seconds(lab: Lab) -> dict[str, float]:
    """CPU seconds by preset, from the head of the lab's reference.json; empty where nothing was recorded.

    A damaged file is told by whoever shows the lab, not by a list of all.
    """
    path = lab.folder / "reference.json"
    if not path.is_file():
        return {}
    with path.open(errors="replace") as file:
        head = "".join(takewhile(lambda line: line != TRIALS, file))
    try:
        told: dict[str, float] = json.loads(head.rstrip().rstrip(",") + "}").get("seconds", {})
    except ValueError:
        return {}
    return told
