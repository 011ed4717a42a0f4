"""Figures of the book: our labs against the public replication, the same settings and outputs, plotting off.

CPU seconds of one thread, fresh process each, pairs with the order turned. `--peer DIR` is a checkout of
ShangtongZhang/reinforcement-learning-an-introduction at 96bc203; without it our half is measured alone. Warm: what is
compiled was loaded before; cold: the first call of all, which compiles.
"""

import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.tools.figures import Figure, arguments, progress, report
from labs.kit import catalogue, places
from labs.kit.stack import Stack
from labs.kit.words import Value

COMMIT = "96bc203"


@dataclass(frozen=True)
class Drawn:
    """One figure of the book, as both sides simulate it."""

    figure: str
    size: str
    lab: str
    changed: Sequence[tuple[str, Mapping[str, Value]]]
    """A variant of the lab and the numbers over it; all of them make the figure."""
    small: Mapping[str, Value]
    """Numbers that make each of them small, to load what is compiled."""
    script: str
    function: str
    target: float
    """At least so many times faster."""


FIGURES = [
    Drawn(
        "Figure 2.2",
        "2,000 runs of 1,000 steps, three epsilons",
        "foundations/bandits",
        [("book", {"runs": 2000, "steps": 1000, "epsilon": epsilon}) for epsilon in (0.0, 0.1, 0.01)],
        {"runs": 2, "steps": 100},
        "chapter02/ten_armed_testbed.py",
        "figure_2_2",
        100,
    ),
    Drawn(
        "Figure 6.5",
        "1,000 runs of 300 episodes, Q-learning and double Q-learning",
        "foundations/q_learning",
        [(variant, {"runs": 1000}) for variant in ("book", "book_double_q")],
        {"runs": 2, "episodes": 50},
        "chapter06/maximization_bias.py",
        "figure_6_7",
        100,
    ),
]
"""The replication numbers its figures after an early draft of the book."""

SIZES: list[tuple[str, str, str, Sequence[int]]] = [
    ("foundations/bandits", "book", "runs", (500, 2_000, 8_000)),
    ("foundations/bandits", "book", "arms", (10, 40, 160)),
]
"""Lab, variant, the number that grows, its three sizes."""


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__, pairs=3)
    parser.add_argument("--peer", type=Path, metavar="DIR", help="a checkout of the replication, never copied from")
    given = parser.parse_args()
    if given.peer:
        _check_peer(given.peer)
    else:
        sys.stderr.write("   No --peer DIR: our half alone.\n")
    with report("foundations", given) as add:
        for drawn in FIGURES:
            for figure in _figure(drawn, given.pairs, given.peer):
                add(figure)
        for lab, variant, name, sizes in SIZES:
            add(_exponent(lab, variant, name, sizes))


def _check_peer(folder: Path) -> None:
    """Another commit would be another peer."""
    asked = ["git", "-C", str(folder), "rev-parse", "HEAD"]
    told = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    if not told.startswith(COMMIT):
        sys.exit(
            f"bench: {folder} is at {told[:7] or 'no commit'}, not at {COMMIT}.\n"
            "The ratios are against that commit of ShangtongZhang/reinforcement-learning-an-introduction.\n"
            f"Type: git -C {folder} checkout {COMMIT}"
        )


def _figure(drawn: Drawn, pairs: int, peer: Path | None) -> list[Figure]:
    settings = [{**_setting(drawn.lab, variant), **over} for variant, over in drawn.changed]
    with tempfile.TemporaryDirectory() as empty:
        cold = _ours(drawn.lab, settings, {}, {"NUMBA_CACHE_DIR": empty})[0]
    ours: list[float] = []
    theirs: list[float] = []
    for at in range(pairs):
        progress(f"{drawn.figure}: pair {at + 1} of {pairs}")
        for side in ("ours", "theirs") if at % 2 else ("theirs", "ours"):
            if side == "ours":
                ours.append(_ours(drawn.lab, settings, drawn.small)[1])
            elif peer:
                theirs += _run(["theirs", str(peer / drawn.script), drawn.function])
    state = f"{drawn.lab}: {drawn.size}; one thread, fresh process each"
    peers = {"the replication": theirs} if theirs else {}
    return [
        Figure(f"{drawn.figure}, warm", "CPU s", ours, state, faster=drawn.target, peers=peers),
        Figure(f"{drawn.figure}, cold", "CPU s", [cold], "the first call of all, compiled kernels not there yet"),
    ]


def _exponent(lab: str, variant: str, name: str, sizes: Sequence[int]) -> Figure:
    """The slope of log cost in log size, by least squares over three sizes."""
    costs = []
    for size in sizes:
        progress(f"{lab}: {name} = {size}")
        costs.append(_ours(lab, [{**_setting(lab, variant), name: size}], {name: sizes[0]})[1])
    x, y = [math.log(size) for size in sizes], [math.log(cost) for cost in costs]
    middle = sum(x) / len(x)
    slope = sum((a - middle) * b for a, b in zip(x, y, strict=True)) / sum((a - middle) ** 2 for a in x)
    told = ", ".join(f"{cost:.3g} at {size:,}" for size, cost in zip(sizes, costs, strict=True))
    return Figure(f"{lab}, {variant}: cost grows with {name} to the power", "", [slope], f"CPU s: {told}")


def _setting(lab: str, variant: str) -> dict[str, Value]:
    return catalogue.read(places.ROOT / "labs" / lab).setting_of(variant, "full")


def _ours(
    lab: str, settings: Sequence[Mapping[str, Value]], small: Mapping[str, Value], over: Mapping[str, str] | None = None
) -> list[float]:
    return _run(["ours", lab, json.dumps(settings), json.dumps(small)], over)


def _run(told: Sequence[str], over: Mapping[str, str] | None = None) -> list[float]:
    """The CPU seconds that a fresh process of the tabular stack tells."""
    environment: dict[str, Any] = {**os.environ, "NUMBA_CACHE_DIR": str(places.home() / "numba"), **(over or {})}
    command = [str(Stack("tabular").python), "-m", "bench.inside.book", *told]
    done = subprocess.run(command, cwd=places.ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"bench: `{' '.join(command[2:5])} …` ended with code {done.returncode}:\n{done.stderr}")
    return [float(word) for word in done.stdout.splitlines()[-1].split()]


if __name__ == "__main__":
    main()
