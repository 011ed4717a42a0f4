"""A measured figure beside its peers: the ratio with its 95% interval, the target, and the state of the machine."""

import argparse
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from statistics import mean, median

from labs.kit import hardware, places
from labs.kit.intervals import student
from labs.kit.jsonout import print_json


@dataclass(frozen=True)
class Figure:
    """What was measured, once or several times."""

    what: str
    unit: str
    values: Sequence[float]
    state: str
    """What it was measured on, and what was in the caches."""
    target: float | None = None
    """The median is to be under it."""
    target_ratio: float | None = None
    """The mean ratio to the first peer is to be under it."""
    faster: float | None = None
    """It is to be at least so many times faster than the first peer; told as a speed-up."""
    peers: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """As many values as above make pairs, in the same order."""

    def ratio(self, peer: str) -> tuple[float, float, float]:
        """How many times the peer it is, with the interval: Student's t on the logarithms of the pairs' ratios.

        >>> [round(x, 2) for x in Figure("", "s", [2, 4, 8], "", peers={"one": [1, 1, 1]}).ratio("one")]
        [4.0, 0.71, 22.38]
        """
        theirs = self.peers[peer]
        if len(theirs) != len(self.values):
            return median(self.values) / median(theirs), -math.inf, math.inf
        logs = [math.log(own / other) for own, other in zip(self.values, theirs, strict=True)]
        low, high = student(logs)
        return math.exp(mean(logs)), math.exp(low), math.exp(high)

    def lines(self) -> Iterator[str]:
        """As a person reads it."""
        middle = median(self.values)
        of = f"median of {len(self.values)}, {min(self.values):.3g} to {max(self.values):.3g}"
        yield f"\n{self.what}: {middle:.3g} {self.unit}" + (f"   ({of})" if len(self.values) > 1 else "")
        if self.target is not None:
            yield f"    target under {self.target:g} {self.unit}: {'reached' if middle < self.target else 'MISSED'}"
        for at, (peer, theirs) in enumerate(self.peers.items()):
            if self.faster:
                yield f"    {self.speed_up()[0]} times faster than {peer}: {median(theirs):.3g} {self.unit}"
                yield f"    target at least {self.faster:g} times faster: {self.speed_up()[1]}"
                continue
            many, low, high = self.ratio(peer)
            said = f" [{low:.4g}, {high:.4g}]" if math.isfinite(high) else ""
            yield f"    {many:.4g}{said} times   {peer}: {median(theirs):.3g} {self.unit}"
            if self.target_ratio and not at:
                told = "reached" if many < self.target_ratio else "MISSED"
                yield f"    target under {self.target_ratio:g} times: {told}"
        yield f"    {self.state}"

    def speed_up(self) -> tuple[str, str]:
        """The ratio to the first peer the other way round, with its interval; and whether the target is reached.

        >>> Figure("", "s", [2, 4], "", faster=100, peers={"one": [100, 200]}).speed_up()
        ('50 [50, 50]', 'MISSED')
        """
        if not self.peers or not self.faster:
            return "", "not measured"
        many, low, high = self.ratio(next(iter(self.peers)))
        said = f" [{1 / high:.4g}, {1 / low:.4g}]" if math.isfinite(high) else ""
        return f"{1 / many:.4g}{said}", "reached" if 1 / many >= self.faster else "MISSED"


def table(figures: Sequence[Figure]) -> Iterator[str]:
    """Figures that are to be so many times faster, a line each."""
    rows: list[tuple[str, ...]] = [("", "ours", "theirs", "times faster", "target", "")]
    for one in figures:
        if one.faster:
            ours, theirs, *_ = [f"{median(told):.3g} {one.unit}" for told in (one.values, *one.peers.values())] + [""]
            many, told = one.speed_up()
            rows.append((one.what, ours, theirs, many, f"{one.faster:g}", told))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows if len(rows) > 1 else []:
        yield "  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip()


@contextmanager
def report(name: str, given: argparse.Namespace) -> Iterator[Callable[[Figure], None]]:
    """Gives the function to hand figures to; around them stand commit, machine, time and load."""
    cpu = f"{hardware.cpu()['model']}, {len(os.sched_getaffinity(0))} cores"
    machine = {"bench": name, "commit": _commit(), "cpu": cpu, "time": time.strftime("%Y-%m-%d %H:%M:%S %z")}
    loads, figures = [_load()], list[Figure]()
    if not given.json:
        _print(f"== {name}   commit {machine['commit']}   {cpu}   {machine['time']}   load {loads[0]} at the start")

    def add(figure: Figure) -> None:
        figures.append(figure)
        if not given.json:
            _print("\n".join(figure.lines()))

    yield add
    loads.append(_load())
    if given.json:
        told = [{**asdict(one), "ratios": {peer: one.ratio(peer) for peer in one.peers}} for one in figures]
        print_json({**machine, "loads": loads, "figures": told})
    else:
        _print("\n".join(["", *table(figures)]))
        _print(f"\n   load {loads[1]} at the end of {name}\n")


def arguments(doc: str | None, pairs: int) -> argparse.ArgumentParser:
    """The options that every bench has."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("--pairs", type=int, default=pairs, help=f"how often each side is measured (default {pairs})")
    parser.add_argument("--json", action="store_true", help="print one JSON value for a program, nothing else")
    return parser


def progress(text: str) -> None:
    """Say on stderr what goes on, so that minutes of measuring are not silent."""
    sys.stderr.write(f"   … {text}\n")


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _commit() -> str:
    asked = ["git", "-C", str(places.ROOT), "describe", "--always", "--dirty=, changed since"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _load() -> float:
    return round(os.getloadavg()[0], 2)
