"""A lab whose trials are light and sure: a second long, with a checkpoint, and a result that is known beforehand."""

import random
from pathlib import Path

from tests.kit.folders import write_lab

STEPS = 40
VARIANTS = {"plain": 1.0, "scaled": 3.0}
LAB = "foundations/light"

_TOML = f"""
title = "Is a trial recorded once, whatever happens to it?"
stack = "tabular"
seeds = 5
timeout = 60
memory = 100

[setting]
steps = {STEPS}
pause = 0.02
scale = {VARIANTS["plain"]}

[variants.plain]

[variants.scaled]
scale = {VARIANTS["scaled"]}

[claims.total]
statement = "The sum is half the number of steps."
source = "Sutton & Barto (2018), eq. 2.1"
target = "textbook"
relation = "equals"
within = 20.0
unit = "1"
control = "scaled"
"""

_THEORY = '''"""A sum of uniform numbers."""


def total(steps: int) -> float:
    r"""Half of each.

    $$n / 2$$

    >>> total(4)
    2.0
    """
    return steps / 2
'''

_PRACTICE = '''"""Add random numbers, slowly, from the last checkpoint on."""

import json
import random
import time


def trial(seed, log, *, steps, pause, scale):
    """The same sum, however often it is interrupted."""
    checkpoint = log.folder / "checkpoint.json"
    begin, total = 0, 0.0
    if checkpoint.exists():
        begin, total = json.loads(checkpoint.read_text())
        log.resume(begin - 1)
    for step in range(begin, steps):
        total += scale * random.Random(f"{seed}-{step}").random()
        log("curve.total", total, step)
        time.sleep(pause)
        if step % 10 == 9:
            log.sync()
            (log.folder / "checkpoint.new").write_text(json.dumps([step + 1, total]))
            (log.folder / "checkpoint.new").replace(checkpoint)
    return {"total": total, "steps_done": float(step + 1)}
'''


def write(root: Path) -> Path:
    """Write the lab's folder and return it."""
    return write_lab(root, LAB, _TOML, _THEORY, _PRACTICE)


def curve(variant: str, seed: int) -> list[float]:
    """What a trial logs when nothing disturbs it."""
    total, told = 0.0, []
    for step in range(STEPS):
        total += VARIANTS[variant] * random.Random(f"{seed}-{step}").random()
        told.append(total)
    return told
