"""A small lab on disk that a test may break in one place."""

from pathlib import Path

CLAIM = """
[claims.mean_reward]
statement = "The mean reward is the rate."
source = "Sutton & Barto (2018), eq. 2.1"
target = "textbook"
relation = "equals"
within = 0.05
unit = "reward"
control = "{control}"
"""

TOML = f"""
title = "Does a coin come up as often as it says?"
stack = "tabular"
seeds = 5

[setting]
rate = 0.3
flips = 1000
lost = 0.0

[presets.quick]
seeds = 2

[variants.fair]

[variants.lossy]
lost = 0.5
{CLAIM.format(control="lossy")}"""

THEORY = '''"""Predictions for a coin."""


def mean_reward(rate: float) -> float:
    r"""Expected reward.

    $$p$$

    >>> mean_reward(0.25)
    0.25
    """
    return rate
'''

PRACTICE = '''"""Flip a coin."""

import random


def trial(seed, log, *, rate, flips, lost):
    """Average the flips that were written down."""
    rng = random.Random(seed)
    kept = [hit for hit in (rng.random() < rate for _ in range(flips)) if hit or rng.random() >= lost]
    log("curve.mean_reward", sum(kept) / len(kept), len(kept))
    return {"mean_reward": sum(kept) / len(kept), "kept": float(len(kept))}
'''


def write_lab(
    root: Path,
    name: str = "foundations/coin",
    toml: str = TOML,
    theory: str = THEORY,
    practice: str = PRACTICE,
) -> Path:
    """Write a lab folder under root and return it."""
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "lab.toml").write_text(toml)
    (folder / "theory.py").write_text(theory)
    (folder / "practice.py").write_text(practice)
    (folder / "README.md").write_text("# Coin\n\nIts claim is mean_reward.\n")
    (folder / "notebook.ipynb").write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    return folder
