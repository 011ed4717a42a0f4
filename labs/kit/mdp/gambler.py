"""The gambler's problem of Example 4.3 in exact rationals: where stakes tie, they tie exactly."""

from fractions import Fraction


def win_chances(heads: Fraction, goal: int = 100) -> list[Fraction]:
    """Chance of reaching the goal from each capital, 0 to `goal`, when nothing can be done better.

    A coin that is not in one's favour is best played boldly (Dubins and Savage 1965): stake all, or what is missing.
    That sends a capital to its double, less the goal where it lies beyond, so every capital leads into a known one or
    into a cycle, and around a cycle v = a v + b.
    """
    if heads > Fraction(1, 2):
        raise ValueError(f"Bold play is best for a coin that is not in one's favour, not for heads = {heads}.")
    known = {0: Fraction(0), goal: Fraction(1)}
    for capital in range(1, goal):
        path, place = [], capital
        while place not in known and place not in path:
            path.append(place)
            place = _doubled(place, goal)
        if place not in known:
            slope, offset = Fraction(1), Fraction(0)
            for step in path[path.index(place) :]:
                offset += slope * _won(step, heads, goal)
                slope *= _kept(step, heads, goal)
            known[place] = offset / (1 - slope)
        for step in reversed(path):
            known[step] = _won(step, heads, goal) + _kept(step, heads, goal) * known[_doubled(step, goal)]
    return [known[capital] for capital in range(goal + 1)]


def best_stakes(heads: Fraction, goal: int = 100) -> dict[int, list[int]]:
    """Every stake that is worth as much as the best one, for each capital at which one can play; smallest first."""
    worth = win_chances(heads, goal)
    return {
        capital: [
            stake
            for stake in range(1, min(capital, goal - capital) + 1)
            if heads * worth[capital + stake] + (1 - heads) * worth[capital - stake] == worth[capital]
        ]
        for capital in range(1, goal)
    }


def _doubled(capital: int, goal: int) -> int:
    """Where bold play goes, unless the game is over at once."""
    return 2 * capital if 2 * capital <= goal else 2 * capital - goal


def _won(capital: int, heads: Fraction, goal: int) -> Fraction:
    """Chance that bold play wins at once where losing would not be the end."""
    return heads if 2 * capital > goal else Fraction(0)


def _kept(capital: int, heads: Fraction, goal: int) -> Fraction:
    """Chance that bold play goes on to the doubled capital."""
    return 1 - heads if 2 * capital > goal else heads
