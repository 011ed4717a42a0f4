"""Errors a user can act on: what is wrong and where, why it matters, what to type."""

import difflib
from collections.abc import Iterable


class LabError(Exception):
    """A mistake that the reader can put right; shown without a traceback."""


def near(word: str, known: Iterable[str]) -> str:
    """A hint that names the known word nearest to `word`, or the known words where none is near.

    >>> near("nf5", ["none", "int8", "nf4"])
    "Is 'nf4' meant?"
    >>> near("blue", ["none", "int8"])
    'There is int8, none.'
    """
    names = sorted(set(known))
    found = difflib.get_close_matches(word, names, n=1)
    return f"Is {found[0]!r} meant?" if found else f"There is {', '.join(names) or 'none'}."
