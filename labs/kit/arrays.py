"""Arrays that a trial observed: kept beside its record as .npz, never a metric."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def save(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write the arrays, if there are any; readable without unpickling anything."""
    if not arrays:
        return
    import numpy as np

    with path.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **{name: np.asarray(value) for name, value in arrays.items()})
