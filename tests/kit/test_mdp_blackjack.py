"""Blackjack's exact laws against derivations that share nothing with them: backwards in fractions, and by play."""

from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from labs.kit.mdp import blackjack

BOOK = (13, True), 2
"""The state of Example 5.4: 13 with a usable ace, the dealer shows a deuce."""


@cache
def _moment(total: int, usable: bool, dealer: int, power: int, factor: int) -> Fraction:
    """E[rho^power G^power], rho 2 a decision, backwards from the end: each decision multiplies by `factor`."""
    if total > 21:
        return Fraction((-1) ** power)
    if total >= 20:
        return factor * _dealt(dealer, int(dealer == 1), total, power)
    return factor * sum(
        (Fraction(1, 13) * _next(total, usable, min(card, 10), dealer, power, factor) for card in range(1, 14)),
        Fraction(0),
    )


def _next(total: int, usable: bool, card: int, dealer: int, power: int, factor: int) -> Fraction:
    """Aces are counted as 1 first; 10 are added for one of them where that does not go bust."""
    low = (total - 10 if usable else total) + card
    ace = usable or card == 1
    high = ace and low + 10 <= 21
    return _moment(low + 10 if high else low, high, dealer, power, factor)


@cache
def _dealt(low: int, aces: int, player: int, power: int) -> Fraction:
    """What the game pays to the `power`, from the dealer's total with aces as 1 and the number of aces."""
    best = low + 10 if aces and low + 10 <= 21 else low
    if best >= 17:
        return Fraction((1 if best > 21 or best < player else 0 if best == player else -1) ** power)
    return sum(
        (Fraction(1, 13) * _dealt(low + min(card, 10), aces + (card == 1), player, power) for card in range(1, 14)),
        Fraction(0),
    )


@pytest.mark.parametrize(("total", "usable", "dealer"), [(13, True, 2), (13, False, 2), (19, False, 10), (21, True, 7)])
def test_moments_are_what_backward_recursion_says(total: int, usable: bool, dealer: int) -> None:
    """With rho 2 a decision of probability 1/2, a decision weighs 2 * 1/2 in the mean and 4 * 1/2 in the square."""
    for power in (1, 2):
        exact = _moment(total, usable, dealer, power, factor=2 ** (power - 1))
        assert blackjack.moment((total, usable), dealer, power) == pytest.approx(float(exact), abs=1e-13)


def test_the_value_is_the_books_estimate_and_more_digits() -> None:
    """The book played 10^8 episodes and got -0.27726; their mean has a standard error of 0.00009."""
    assert blackjack.moment(*BOOK, power=1) == pytest.approx(-0.27726, abs=2e-4)


@pytest.mark.parametrize("showing", range(1, 11))
def test_the_dealer_ends_somewhere(showing: int) -> None:
    final = blackjack.dealer_totals(showing)
    assert sum(final.values()) == pytest.approx(1)
    assert min(final.values()) > 0


def test_decisions_and_returns_of_played_hands_have_this_law() -> None:
    """20,000 hands, card by card: each share lies within five standard errors."""
    rng, table, hands = np.random.default_rng(0), blackjack.law(*BOOK), 20_000
    seen = np.zeros_like(table)
    for _ in range(hands):
        decisions, outcome = _play(rng)
        seen[decisions, outcome + 1] += 1
    assert table.sum() == pytest.approx(1)
    assert np.all(np.abs(seen / hands - table) <= 5 * np.sqrt(table * (1 - table) / hands) + 1e-3)


def _play(rng: np.random.Generator) -> tuple[int, int]:
    player, decisions = [1, 2], 0
    while _total(player) < 20:
        player.append(min(int(rng.integers(1, 14)), 10))
        decisions += 1
        if _total(player) > 21:
            return decisions, -1
    dealer = [2]
    while _total(dealer) < 17:
        dealer.append(min(int(rng.integers(1, 14)), 10))
    against = _total(dealer)
    return decisions + 1, 1 if against > 21 else int(np.sign(_total(player) - against))


def _total(cards: list[int]) -> int:
    low = sum(cards)
    return low + 10 if 1 in cards and low + 10 <= 21 else low
