"""Numbers, colours and heights of a figure, worked out without measuring a letter."""

import math
from collections.abc import Sequence

from labs.kit.palette import Palette


def numbers(places: Sequence[float], by_log: bool) -> list[str]:
    """The numbers as a reader writes them.

    >>> numbers([-0.5, 0.0, 0.5], by_log=False), numbers([1e-5, 0.02, 1000.0, 1e7], by_log=True)
    (['−0.5', '0.0', '0.5'], ['10⁻⁵', '0.02', '1,000', '10⁷'])
    """
    if by_log:
        return [_power(place) for place in places]
    decimals = max((len(f"{place:.10g}".partition(".")[2].partition("e")[0]) for place in places), default=0)
    return [f"{place:,.{decimals}f}".replace("-", "−") for place in places]


def _power(place: float) -> str:
    exponent = math.floor(math.log10(place) + 1e-9)
    if -4 < exponent < 6:
        return f"{place:,.10g}"
    raised = str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    factor = f"{place / 10**exponent:.3g}"
    return f"10{raised}" if factor == "1" else f"{factor}·10{raised}"


def hues(colours: Palette, count: int) -> list[str]:
    """A colour a line; from the seventh on the same again, two fifths of the way to the paper."""
    series = colours.series
    return [series[i] if i < len(series) else _mixed(series[i % len(series)], colours.paper) for i in range(count)]


def _mixed(one: str, other: str) -> str:
    """Three fifths of one colour and two of the other.

    >>> _mixed("#000000", "#ff0005")
    '#660002'
    """
    return "#" + "".join(f"{(3 * int(one[i : i + 2], 16) + 2 * int(other[i : i + 2], 16)) // 5:02x}" for i in (1, 3, 5))


def apart(wanted: Sequence[float], least: float, lowest: float, highest: float) -> list[float]:
    """Heights as near as can be to those wanted, at least so far from each other and within the edges.

    >>> apart([10.0, 11.0, 50.0], 5.0, 0.0, 60.0)
    [8.0, 13.0, 50.0]
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    pools: list[list[float]] = []
    for rank, i in enumerate(order):
        pools.append([wanted[i] - rank * least])
        while len(pools) > 1 and math.fsum(pools[-2]) / len(pools[-2]) > math.fsum(pools[-1]) / len(pools[-1]):
            last = pools.pop()
            pools[-1] += last
    flat = [math.fsum(pool) / len(pool) for pool in pools for _ in pool]
    room = highest - (len(order) - 1) * least
    made = [0.0] * len(order)
    for rank, i in enumerate(order):
        made[i] = max(lowest, min(flat[rank], room)) + rank * least
    return made
