"""Blackjack as in Example 5.1 of Sutton and Barto, for a player who sticks from some total on: exact laws, no sampling.

Cards come with replacement, 1 to 10 with tens four times as often. An ace counts 11 while that does not go bust (it is
then usable). The dealer sticks on 17 and more; there are no naturals, because episodes start after the deal.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Hand = tuple[int, bool]
"""The total, and whether it counts an ace as 11."""

CARDS = [(card, (4 if card == 10 else 1) / 13) for card in range(1, 11)]
RETURNS = np.array([-1.0, 0.0, 1.0])
"""What an episode may return: the columns of law()."""


def law(hand: Hand, showing: int, stick_from: int = 20) -> Array:
    """Joint law of an episode's number of decisions (row) and its return (column: loss, draw, win).

    The player hits below `stick_from` and sticks from there on; every hit and the last stick is one decision.
    """
    rows, hands = [np.zeros(3)], {hand: 1.0}
    dealer = dealer_totals(showing)
    while hands:
        ended, after = np.zeros(3), dict[Hand, float]()
        for held, chance in hands.items():
            if held[0] >= stick_from:
                ended += chance * _compared(held[0], dealer)
                continue
            for to, dealt in _draws(held):
                if to[0] > 21:
                    ended[0] += chance * dealt
                else:
                    after[to] = after.get(to, 0.0) + chance * dealt
        rows.append(ended)
        hands = after
    return np.array(rows)


def moment(hand: Hand, showing: int, power: int, ratio: float = 2.0, stick_from: int = 20) -> float:
    """E[(rho G)^power] while another player plays, who agrees with each decision with probability 1 / ratio.

    rho is 0 once that player has disagreed, and else ratio^decisions.
    """
    table = law(hand, showing, stick_from)
    weight = ratio ** ((power - 1) * np.arange(len(table)))
    return float(weight @ table @ RETURNS**power)


def dealer_totals(showing: int) -> dict[int, float]:
    """Chances of the dealer's final totals, 17 to 21; 0 stands for bust."""
    hands: dict[Hand, float] = {(11, True) if showing == 1 else (showing, False): 1.0}
    final = dict.fromkeys((0, *range(17, 22)), 0.0)
    while hands:
        after = dict[Hand, float]()
        for held, chance in hands.items():
            for to, dealt in _draws(held):
                if to[0] >= 17:
                    final[to[0] if to[0] <= 21 else 0] += chance * dealt
                else:
                    after[to] = after.get(to, 0.0) + chance * dealt
        hands = after
    return final


def _draws(hand: Hand) -> Iterator[tuple[Hand, float]]:
    """Each card that may be drawn: the hand after it, and its chance."""
    total, usable = hand
    for card, chance in CARDS:
        if card == 1 and total + 11 <= 21:
            yield (total + 11, True), chance
        elif total + card > 21 and usable:
            yield (total + card - 10, False), chance
        else:
            yield (total + card, usable), chance


def _compared(total: int, dealer: dict[int, float]) -> Array:
    """Chances that a player who sticks on `total` loses, draws, wins."""
    more = sum(chance for other, chance in dealer.items() if other > total)
    same = dealer.get(total, 0.0)
    return np.array([more, same, 1 - more - same])
