"""The grid against walking: its best values are distances, and its ties are counted by hand on the smallest one."""

import numpy as np
import pytest

from labs.kit.mdp import decisions, grid


@pytest.mark.parametrize("side", [2, 3, 5])
def test_best_value_is_minus_the_distance_to_the_nearer_corner(side: int) -> None:
    far = np.add.outer(np.arange(side), np.arange(side)).ravel()[1:-1]
    assert decisions.optimal_values(*grid.two_corners(side)) == pytest.approx(-np.minimum(far, 2 * (side - 1) - far))


def test_every_action_leads_to_one_cell_and_costs_one() -> None:
    moves, rewards = grid.two_corners(4)
    assert moves.shape == (4, 14, 15)
    assert np.all(moves.sum(axis=2) == 1)
    assert np.all(rewards == -1)


def test_walls_keep_the_walker_where_it_is() -> None:
    """Two by two: the state beside the first corner goes up or right into a wall, down or left into a goal."""
    moves, _ = grid.two_corners(2)
    assert moves[:, 0].argmax(axis=1).tolist() == [0, 2, 0, 2]
    assert moves[:, 1].argmax(axis=1).tolist() == [2, 1, 2, 1]
