"""compose.yaml as compose reads it."""

from functools import cache
from typing import Any

import yaml

from labs.kit import places

HARD = {"read_only": True, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"]}


@cache
def services(name: str = "compose.yaml") -> dict[str, dict[str, Any]]:
    """Its services by name."""
    told: dict[str, dict[str, Any]] = yaml.safe_load((places.ROOT / name).read_text())["services"]
    return told
