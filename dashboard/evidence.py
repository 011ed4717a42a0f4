"""The curves behind a verdict, seed by seed, from wherever they are kept."""

from collections.abc import Mapping

from dashboard.curves import Line
from dashboard.data import Watcher
from dashboard.dossier import Dossier
from labs.kit.results import Row

Lines = dict[int, Line]
"""seed -> its curve"""


def lines(told: Dossier, watcher: Watcher) -> tuple[Lines, Lines]:
    """What was measured and what was predicted, step by step; empty for a claim without curves."""
    mine = [row for row in told.one.rows if row.variant == told.one.gap.variant]
    curves = {row.seed: _of(row, told, watcher) for row in mine}
    return _named(curves, f"curve.{told.claim.name}"), _named(curves, f"predicted.curve.{told.claim.name}")


def _of(row: Row, told: Dossier, watcher: Watcher) -> Mapping[str, Line]:
    return told.known.curves.get(row.key, {}) if row.origin == "reference" else watcher.curves(row)


def _named(curves: Mapping[int, Mapping[str, Line]], name: str) -> Lines:
    return {seed: found[name] for seed, found in curves.items() if name in found and len(found[name][0]) > 1}
