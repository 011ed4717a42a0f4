"""One JSON value on standard output, for a program."""

import json
import math
import sys
from typing import Any


def print_json(value: object) -> None:
    """Print the value; a number that is not finite becomes null, because JSON has no word for it."""
    sys.stdout.write(json.dumps(_finite(value), indent=1, default=str) + "\n")


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return value
