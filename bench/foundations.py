"""Figures of the book: our labs against the public replication, the same settings and outputs, plotting off.

CPU seconds of one thread, fresh process each, pairs with the order turned; imports are not counted, on either side.
`--peer DIR` is a checkout of ShangtongZhang/reinforcement-learning-an-introduction at 96bc203; without it our half is
measured alone. Each figure is told warm, the process having called before what is compiled; then from the cache, the
process's first call with the kernels on disk; then cold, the first call of all, which compiles them.
"""

import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.tools.book import FIGURES, SIZES, Drawn
from bench.tools.figures import Figure, arguments, progress, report
from labs.kit import catalogue, places
from labs.kit.stack import Stack
from labs.kit.words import Value

COMMIT = "96bc203"


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
    theirs, ours = list[float](), list[tuple[float, float]]()
    with tempfile.TemporaryDirectory() as cache:
        progress(f"{drawn.figure}: cold")
        cold = sum(_ours(drawn.lab, settings, drawn.small, cache))
        for at in range(pairs):
            progress(f"{drawn.figure}: pair {at + 1} of {pairs}")
            for side in ("ours", "theirs") if at % 2 else ("theirs", "ours"):
                if side == "ours":
                    ours.append(_ours(drawn.lab, settings, drawn.small, cache))
                elif peer:
                    theirs += _run(["theirs", str(peer / drawn.script), drawn.function])
    peers = {"the replication": theirs} if theirs else {}
    warm, first = [whole for _, whole in ours], [loading + whole for loading, whole in ours]
    state = f"{drawn.lab}: {drawn.size}\n    kept: {drawn.kept}"
    return [
        Figure(drawn.figure, "CPU s", warm, state, faster=drawn.target, peers=peers),
        Figure(f"{drawn.figure}, from the cache", "CPU s", first, "the first call of a process, kernels on disk"),
        Figure(f"{drawn.figure}, cold", "CPU s", [cold], "the first call of all, no kernel on disk"),
    ]


def _exponent(lab: str, variant: str, name: str, sizes: Sequence[int]) -> Figure:
    """The slope of log cost in log size, by least squares over three sizes."""
    costs = []
    with tempfile.TemporaryDirectory() as cache:
        for size in sizes:
            progress(f"{lab}: {name} = {size}")
            costs.append(_ours(lab, [{**_setting(lab, variant), name: size}], {name: sizes[0]}, cache)[1])
    x, y = [math.log(size) for size in sizes], [math.log(cost) for cost in costs]
    middle = sum(x) / len(x)
    slope = sum((a - middle) * b for a, b in zip(x, y, strict=True)) / sum((a - middle) ** 2 for a in x)
    told = ", ".join(f"{cost:.3g} at {size:,}" for size, cost in zip(sizes, costs, strict=True))
    return Figure(f"{lab}, {variant}: cost grows with {name} to the power", "", [slope], f"CPU s: {told}")


def _setting(lab: str, variant: str) -> dict[str, Value]:
    return catalogue.read(places.ROOT / "labs" / lab).setting_of(variant, "full")


def _ours(
    lab: str, settings: Sequence[Mapping[str, Value]], small: Mapping[str, Value], cache: str
) -> tuple[float, float]:
    """CPU seconds of the small first call and of the figure after it; compiled kernels are kept in `cache`."""
    loading, whole = _run(["ours", lab, json.dumps(settings), json.dumps(small)], {"NUMBA_CACHE_DIR": cache})
    return loading, whole


def _run(told: Sequence[str], over: Mapping[str, str] | None = None) -> list[float]:
    """The CPU seconds that a fresh process of the tabular stack tells."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **(over or {})}
    command = [str(Stack("tabular").python), "-m", "bench.inside.book", *told]
    done = subprocess.run(command, cwd=places.ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"bench: `{' '.join(command[2:5])} …` ended with code {done.returncode}:\n{done.stderr}")
    return [float(word) for word in done.stdout.splitlines()[-1].split()]


if __name__ == "__main__":
    main()
