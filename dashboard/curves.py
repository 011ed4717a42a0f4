"""Curves of several seeds made ready to draw: on common steps, thinned, with their mean and its interval."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import stdtrit

Line = tuple[Sequence[int], Sequence[float]]
"""(steps, values)"""
Points = list[dict[str, Any]]
MOST = 200
"""Steps drawn: what a screen shows; raw curves have thousands."""


def band(lines: Mapping[int, Line]) -> Points:
    """The mean over seeds at each step, with Student's 95% interval; low and high are the mean for a single seed."""
    if not lines:
        return []
    steps, values = _common(lines)
    centre, count = values.mean(axis=0), len(values)
    half = np.zeros_like(centre)
    if count > 1:
        half = float(stdtrit(count - 1, 0.975)) * values.std(axis=0, ddof=1) / np.sqrt(count)
    rows = zip(steps, centre, centre - half, centre + half, strict=True)
    return [{"step": int(s), "value": float(v), "low": float(low), "high": float(high)} for s, v, low, high in rows]


def points(lines: Mapping[int, Line]) -> Points:
    """Every seed's own curve."""
    steps, values = _common(lines)
    pairs = zip(lines, values, strict=True)
    return [
        {"seed": str(seed), "step": int(step), "value": float(value)}
        for seed, row in pairs
        for step, value in zip(steps, row, strict=True)
    ]


def bunched(lines: Mapping[int, Line]) -> bool:
    """Whether most steps lie in the first eighth: they were logged by their logarithm, and are best seen so."""
    steps = sorted({step for line in lines.values() for step in line[0]})
    return len(steps) > 8 and steps[len(steps) // 2] < steps[-1] / 8


def from_one(lines: Mapping[int, Line]) -> dict[int, Line]:
    """The curves without step 0, which has no logarithm."""
    pairs = {seed: [(s, v) for s, v in zip(*line, strict=True) if s > 0] for seed, line in lines.items()}
    return {seed: ([s for s, _ in kept], [v for _, v in kept]) for seed, kept in pairs.items()}


def _common(lines: Mapping[int, Line]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Steps that every seed reached, and the seeds' values there, one row a seed."""
    reached = min(line[0][-1] for line in lines.values())
    known = sorted({step for steps, _ in lines.values() for step in steps if step <= reached})
    kept = np.unique(np.linspace(0, len(known) - 1, min(MOST, len(known))).round().astype(int))
    steps = np.asarray(known)[kept]
    return steps, np.stack([np.interp(steps, *line) for line in lines.values()])
