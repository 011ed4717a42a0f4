"""One thing that was looked at, and what to type about it."""

from dataclasses import dataclass
from enum import StrEnum

from labs.kit.errors import LabError


class State(StrEnum):
    """How it stands."""

    WELL = "well"
    NOTE = "note"
    """Works, but less well than it could, or is not there yet."""
    ILL = "ill"
    """Something does not work."""


@dataclass(frozen=True)
class Finding:
    """What was looked at and found."""

    what: str
    state: State
    told: str
    remedy: str = ""
    """What to type; empty where nothing need be done."""

    @classmethod
    def of_error(cls, what: str, problem: LabError | str) -> "Finding":
        """An error told shortly: what is wrong, and what to type, its last line."""
        first, *rest = str(problem).splitlines()
        return cls(what, State.ILL, first, rest[-1] if rest else "")
