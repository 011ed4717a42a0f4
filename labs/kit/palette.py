"""The colours of the dashboard's config.toml by what they mean, for figures; its pages take them from Streamlit."""

import tomllib
from dataclasses import dataclass
from functools import cache

from labs.kit import places
from labs.kit.gap import Verdict

CONFIG = places.ROOT / "dashboard" / ".streamlit" / "config.toml"


@dataclass(frozen=True)
class Palette:
    """One theme's colours."""

    paper: str
    ink: str
    muted: str
    line: str
    zone: str
    """The tolerance; always grey."""
    theory: str
    """Always dashed, too."""
    measured: str
    verdicts: dict[Verdict, str]
    series: tuple[str, ...]
    """Lines that stand side by side, where theory and measurement of each share a colour."""


@cache
def palette(dark: bool) -> Palette:
    """The colours of the light theme or the dark one."""
    told = tomllib.loads(CONFIG.read_text())["theme"]["dark" if dark else "light"]
    return Palette(
        paper=told["backgroundColor"],
        ink=told["textColor"],
        muted=told["grayTextColor"],
        line=told["borderColor"],
        zone=told["grayColor"],
        theory=told["redColor"],
        measured=told["blueColor"],
        verdicts={
            Verdict.HOLDS: told["greenColor"],
            Verdict.GAP: told["redColor"],
            Verdict.INCONCLUSIVE: told["yellowColor"],
            Verdict.IMPOSSIBLE: told["violetColor"],
            Verdict.NOT_RUN: told["grayColor"],
        },
        series=tuple(told[f"{hue}Color"] for hue in ("blue", "red", "green", "yellow", "violet", "gray")),
    )
