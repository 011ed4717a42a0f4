"""What a trial that does nothing measures."""


def at_once() -> float:
    """Nothing.

    >>> at_once()
    0.0
    """
    return 0.0
