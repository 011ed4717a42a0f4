"""A trial that imports what labs of its stack import, says that it is there, and does nothing."""

import numba  # noqa: F401
import numpy  # noqa: F401
import scipy.stats  # noqa: F401

from labs.kit.trial import Log


def trial(seed: int, log: Log) -> dict[str, float]:
    """Write one number."""
    log("here", 0.0, 0)
    return {"at_once": 0.0}
