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
            many, low, high = self.ratio(peer)
            if self.faster:
                yield from self._speed_up(peer)
                continue
            said = f" [{low:.4g}, {high:.4g}]" if math.isfinite(high) else ""
            yield f"    {many:.4g}{said} times   {peer}: {median(theirs):.3g} {self.unit}"
            if self.target_ratio and not at:
                told = "reached" if many < self.target_ratio else "MISSED"
                yield f"    target under {self.target_ratio:g} times: {told}"
        yield f"    {self.state}"

    def _speed_up(self, peer: str) -> Iterator[str]:
        """The ratio the other way round."""
        many, low, high = self.ratio(peer)
        said = f" [{1 / high:.4g}, {1 / low:.4g}]" if math.isfinite(high) else ""
        told = "reached" if self.faster and 1 / many >= self.faster else "MISSED"
        yield f"    {1 / many:.4g}{said} times faster than {peer}: {median(self.peers[peer]):.3g} {self.unit}"
        yield f"    target at least {self.faster:g} times faster: {told}"


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
