"""Imports what the labs of this stack import, and compiles one loop with Numba."""
# ruff: noqa: F401, T201

import ipykernel.kernelapp
import matplotlib.figure
import numba
import numpy as np
import pebble
import pytest
import scipy.optimize
import scipy.special
import scipy.stats


@numba.njit
def total(numbers: np.ndarray) -> float:
    """A sum as a loop."""
    result = 0.0
    for number in numbers:
        result += number
    return result


assert total(np.arange(5.0)) == 10.0
assert abs(scipy.special.stdtrit(4, 0.975) - 2.776) < 1e-3
print("tabular: ok")
