"""Bold play against every policy there is, and against value iteration in floating point."""

from fractions import Fraction
from itertools import product
from math import prod

import numpy as np
import pytest

from labs.kit.mdp import gambler

HEADS = Fraction(2, 5)


def _worth(stakes: tuple[int, ...], heads: Fraction, goal: int) -> list[Fraction]:
    """Chance of winning from each capital with these stakes, by elimination in rationals."""
    size = goal - 1
    rows = [[Fraction(int(i == j)) for j in range(size)] + [Fraction(0)] for i in range(size)]
    for capital, stake in enumerate(stakes, start=1):
        for chance, place in ((heads, capital + stake), (1 - heads, capital - stake)):
            if place == goal:
                rows[capital - 1][-1] += chance
            elif place:
                rows[capital - 1][place - 1] -= chance
    for pivot in range(size):
        rows[pivot] = [number / rows[pivot][pivot] for number in rows[pivot]]
        for other in range(size):
            if other != pivot:
                factor = rows[other][pivot]
                rows[other] = [a - factor * b for a, b in zip(rows[other], rows[pivot], strict=True)]
    return [row[-1] for row in rows]


@pytest.mark.parametrize("goal", [5, 6, 7, 8])
@pytest.mark.parametrize("heads", [HEADS, Fraction(1, 3), Fraction(1, 2)])
def test_chances_are_the_best_of_all_policies(goal: int, heads: Fraction) -> None:
    """Up to 144 policies for a goal of eight: each is valued exactly, the best of each capital kept."""
    choices = [range(1, min(capital, goal - capital) + 1) for capital in range(1, goal)]
    every = [_worth(stakes, heads, goal) for stakes in product(*choices)]
    assert gambler.win_chances(heads, goal)[1:-1] == [max(of) for of in zip(*every, strict=True)]


@pytest.mark.parametrize("goal", [6, 8])
def test_best_stakes_are_those_that_some_best_policy_takes(goal: int) -> None:
    choices = [range(1, min(capital, goal - capital) + 1) for capital in range(1, goal)]
    best = gambler.win_chances(HEADS, goal)[1:-1]
    winners = [stakes for stakes in product(*choices) if _worth(stakes, HEADS, goal) == best]
    taken = {capital: sorted({stakes[capital - 1] for stakes in winners}) for capital in range(1, goal)}
    assert gambler.best_stakes(HEADS, goal) == taken


def test_chances_are_where_value_iteration_ends() -> None:
    value = np.append(np.zeros(100), 1.0)
    for _ in range(200):
        for capital in range(1, 100):
            stakes = np.arange(1, min(capital, 100 - capital) + 1)
            value[capital] = np.max(0.4 * value[capital + stakes] + 0.6 * value[capital - stakes])
    assert [float(chance) for chance in gambler.win_chances(HEADS)] == pytest.approx(value, abs=1e-14)


def test_known_chances_and_the_number_of_best_policies() -> None:
    """Half wins with 2/5; a quarter needs that twice; three quarters fall back to half."""
    chances, stakes = gambler.win_chances(HEADS), gambler.best_stakes(HEADS)
    assert (chances[25], chances[50], chances[75]) == (Fraction(4, 25), Fraction(2, 5), Fraction(16, 25))
    assert sum(len(tied) > 1 for tied in stakes.values()) == 72
    assert max(len(tied) for tied in stakes.values()) == 3
    assert prod(len(tied) for tied in stakes.values()) == pytest.approx(7.950e25, rel=1e-3)


def test_coin_in_ones_favour_is_refused() -> None:
    """There timid play is best, and bold play would be a wrong answer."""
    with pytest.raises(ValueError, match="not in one's favour"):
        gambler.win_chances(Fraction(3, 5))
