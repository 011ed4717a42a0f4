"""The cliff's exact solutions against second derivations: a grid walked by hand, sweeps of the book's own equation."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from labs.kit.mdp import cliff, decisions

Array = NDArray[np.float64]
Cell = tuple[int, int]
START, GOAL = (3, 0), (3, 11)
STEPS = ((-1, 0), (0, 1), (1, 0), (0, -1))


def _step(cell: Cell, action: int) -> tuple[Cell, int]:
    """Example 6.6 in words: bump into the border and stay; step off the edge, pay 100 and begin again."""
    row, column = (min(max(at + by, 0), last) for at, by, last in zip(cell, STEPS[action], (3, 11), strict=True))
    return (START, -100) if row == 3 and 0 < column < 11 else ((row, column), -1)


CELLS = [(row, column) for row in range(3) for column in range(12)] + [START]


def _worth(value: dict[Cell, float], cell: Cell) -> list[float]:
    return [reward + value[to] for to, reward in (_step(cell, action) for action in range(4))]


def test_every_step_leads_where_the_example_says() -> None:
    moves, rewards = cliff.world()
    for state, cell in enumerate(CELLS):
        for action in range(4):
            to, reward = _step(cell, action)
            ahead = [*CELLS, GOAL].index(to)
            assert moves[action, state].tolist() == np.eye(38)[ahead].tolist()
            assert rewards[action, state, ahead] == reward


def _swept(backup: Callable[[dict[Cell, float], Cell], float]) -> dict[Cell, float]:
    """Values of all cells, swept in place from 0 until none moves."""
    value, moved = dict.fromkeys([*CELLS, GOAL], 0.0), 1.0
    while moved > 1e-11:
        moved = 0.0
        for cell in CELLS:
            before, value[cell] = value[cell], backup(value, cell)
            moved = max(moved, abs(value[cell] - before))
    return value


@pytest.mark.parametrize("epsilon", [0.0, 0.1, 0.3])
def test_soft_optimum_is_where_sweeps_of_its_bellman_equation_end(epsilon: float) -> None:
    """Section 5.4 of the book as it stands, swept until nothing moves; the solver makes every action slip instead."""

    def backup(value: dict[Cell, float], cell: Cell) -> float:
        worth = _worth(value, cell)
        return (1 - epsilon) * max(worth) + epsilon * sum(worth) / 4

    value = _swept(backup)
    found, of_action = cliff.soft_optimum(*cliff.world(), epsilon)
    assert found == pytest.approx([value[cell] for cell in CELLS], abs=1e-8)
    for column, cell in zip(of_action.T, CELLS, strict=True):
        assert column == pytest.approx(_worth(value, cell), abs=1e-8)


@pytest.mark.parametrize("epsilon", [0.0, 0.1])
def test_slipping_on_the_optimal_path_costs_what_following_the_distances_costs(epsilon: float) -> None:
    """Without a fall Q* is minus the distance to the goal, so the greedy part heads for the nearer cells, evenly."""
    distance = {(row, column): (3 - row) + (11 - column) for row, column in CELLS} | {START: 13, GOAL: 0}

    def backup(value: dict[Cell, float], cell: Cell) -> float:
        worth, steps = _worth(value, cell), [_step(cell, action) for action in range(4)]
        nearer = [
            worth[action]
            for action, (to, reward) in enumerate(steps)
            if reward == -1 and distance[to] == distance[cell] - 1
        ]
        return (1 - epsilon) * sum(nearer) / len(nearer) + epsilon * sum(worth) / 4

    value = _swept(backup)
    assert cliff.greedy_with_slips(*cliff.world(), epsilon) == pytest.approx([value[cell] for cell in CELLS], abs=1e-8)


def test_no_policy_with_slips_is_better_than_the_soft_optimum() -> None:
    """The eps-greedy policies around 100 random tables, each valued by its own linear solve."""
    rng, (moves, rewards) = np.random.default_rng(0), cliff.world()
    best = cliff.soft_optimum(moves, rewards, 0.1)[0]
    for _ in range(100):
        policy = cliff.around(rng.random((4, 37)), 0.1)
        assert np.all(decisions.policy_values(policy, moves, rewards, 1.0) <= best + 1e-9)
    own = cliff.around(cliff.soft_optimum(moves, rewards, 0.1)[1], 0.1)
    assert decisions.policy_values(own, moves, rewards, 1.0) == pytest.approx(best)


@pytest.mark.parametrize(("epsilon", "row", "steps"), [(0.0, 2, 13), (0.157, 1, 15), (0.158, 0, 17)])
def test_greedy_path_keeps_further_away_the_more_one_slips(epsilon: float, row: int, steps: int) -> None:
    moves, rewards = cliff.world()
    path = cliff.greedy_path(moves, cliff.soft_optimum(moves, rewards, epsilon)[1])
    assert len(path) == steps
    assert min(CELLS[state][0] for state in path) == row


def test_the_upper_row_is_best_from_its_threshold_on() -> None:
    """At eps = 0.157417 the two paths are worth the same: the best policy's first steps change there."""
    moves, rewards = cliff.world()
    lengths = [
        len(cliff.greedy_path(moves, cliff.soft_optimum(moves, rewards, epsilon)[1]))
        for epsilon in (0.157416, 0.157418)
    ]
    assert lengths == [15, 17]


def test_greed_in_a_circle_is_told() -> None:
    """Up at the border stays where it is, for ever."""
    moves, _ = cliff.world()
    with pytest.raises(ValueError, match="runs in a circle"):
        cliff.greedy_path(moves, np.eye(4)[:, :1] * np.ones((4, 37)))
