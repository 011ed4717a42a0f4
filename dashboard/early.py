"""A Link header by which the browser fetches, with the page itself, what the page would ask for piece by piece later.

Streamlit loads the code of each kind of element when the first such element arrives, and a font when the first word is
set in it: a chain of waits, which this makes one. Names with their hashes are found in Streamlit's own folder; where
that looks otherwise than today, the header is empty and the page loads as it always did.
"""

import re
from pathlib import Path

import streamlit as st

STATIC = Path(st.__file__).parent / "static"
ELEMENTS = ("Html", "PageLink", "ButtonGroup", "BidiComponent")
"""What every page of ours shows."""
HEADINGS = "SourceSerifVariable-Roman"
IMPORTED = re.compile(r"""\b(?:from|import)["'`]\./([\w.-]+\.js)["'`]""")


def header() -> str:
    """The value of the header; empty where nothing is found."""
    index = (STATIC / "index.html").read_text()
    code = [path for path in _with_imports(ELEMENTS) if path.name not in index]
    fonts = sorted(STATIC.glob(f"static/media/{HEADINGS}.*.woff2"))
    links = [f"{_address(path)}; rel=modulepreload; crossorigin" for path in code]
    return ", ".join([*links, *(f"{_address(path)}; rel=preload; as=font; crossorigin" for path in fonts)])


def _with_imports(names: tuple[str, ...]) -> list[Path]:
    """The scripts of these elements, and those that they import."""
    found = [path for name in names for path in sorted(STATIC.glob(f"static/js/{name}.*.js"))]
    for path in found:  # it grows
        imported = (path.with_name(name) for name in IMPORTED.findall(path.read_text()))
        found += dict.fromkeys(other for other in imported if other not in found and other.is_file())
    return found


def _address(path: Path) -> str:
    return f"<./{path.relative_to(STATIC).as_posix()}>"
