"""Why something from elsewhere was not taken in: said in the first line, in three sentences."""

from collections.abc import Iterator
from contextlib import contextmanager

from labs.kit.errors import LabError

_STUMBLES = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
_NOT_THERE = (FileNotFoundError, NotADirectoryError, IsADirectoryError)


def plain(text: object) -> str:
    r"""What a stranger wrote, on one line and without what would steer the reader's terminal.

    >>> plain("holds\x1b[2K\n")
    'holds?[2K?'
    """
    return "".join(letter if letter.isprintable() else "?" for letter in str(text))


def refused(what: object, why: str) -> LabError:
    """Three sentences on something that was altered, or was never what it is said to be."""
    return LabError(
        f"{what}: altered, or not made by `gaplab share`: {plain(why)}.\n"
        "It is not what its maker recorded, so nothing of it was started.\n"
        "Fetch it again, and ask who gave it to you for NAME@sha256:… as their `gaplab share` printed it."
    )


@contextmanager
def reading(what: object) -> Iterator[None]:
    """Read what a stranger wrote. It may be anything, so whatever a reader stumbles over there is a refusal."""
    try:
        yield
    except (*_STUMBLES, *_NOT_THERE) as problem:
        raise refused(what, f"its files cannot be read ({type(problem).__name__}: {problem})") from problem


def no_room(what: object, where: object) -> LabError:
    """Three sentences on a full disk."""
    return LabError(
        f"{what}: the disk is full ({where}).\n"
        "Half an image is no image, so nothing of it was kept, and nothing was verified.\n"
        "Make room (`docker image prune`, `docker builder prune`, `gaplab clean`) and type the same command again."
    )
