"""What a trial was made from that its recipe does not hold: digests of made things, noted by whoever made them."""

_noted: dict[str, str] = {}


def note(name: str, value: str) -> None:
    """Put a tag on the trial that is running in this process, for example base = sha256 of the weights."""
    _noted[name] = value


def noted() -> dict[str, str]:
    """The tags noted in this process so far."""
    return dict(_noted)
