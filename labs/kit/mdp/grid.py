"""Grids with goals in two corners, the problem of Example 4.1: full of ties, as language is."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

STEPS = ((-1, 0), (1, 0), (0, 1), (0, -1))
"""Up, down, right, left, as (rows, columns)."""


def two_corners(side: int) -> tuple[Array, Array]:
    """Moves and rewards of a square whose first and last cells end the episode, for `side` squared less two states.

    The four actions go to the next cell, or nowhere at a wall; each step costs 1. Both corners are one ending, the last
    column.
    """
    states = side * side - 2
    moves = np.zeros((len(STEPS), states, states + 1))
    for action, (down, right) in enumerate(STEPS):
        for state in range(states):
            row, column = divmod(state + 1, side)  # cell 0 is the first corner
            cell = min(max(row + down, 0), side - 1) * side + min(max(column + right, 0), side - 1)
            moves[action, state, cell - 1 if 0 < cell <= states else states] = 1.0
    return moves, np.full_like(moves, -1.0)
