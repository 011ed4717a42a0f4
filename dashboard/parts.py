"""Pieces of pages.

Text that somebody else wrote (runs, tags, addresses) goes through a component, which sets it as text, or through
html(), which escapes it; never through markdown, where a picture would call home.
"""

import re
from collections.abc import Mapping
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard import data, phrases
from dashboard.cell import role
from labs.kit.gap import Verdict
from labs.kit.results import Judged

ASSETS = Path(__file__).with_name("assets")
ICON = str(ASSETS / "icon.svg")
ABOUT = "**Gaplab** puts the theory of reinforcement learning for language models to the test."
OVERVIEW, CLAIM = "app_pages/overview.py", "app_pages/claim.py"
_GLYPHS = {
    Verdict.HOLDS: ("green", "●", "○"),
    Verdict.GAP: ("red", "◆", "◇"),
    Verdict.INCONCLUSIVE: ("yellow", "◐", "⊖"),
    Verdict.IMPOSSIBLE: ("violet", "✖", "✕"),
    Verdict.NOT_RUN: ("gray", "–", "–"),
}
_BREAK = "\\\\ "
_SPECIAL = set("\\`*_{}[]()#+-.!|<>~:$&^=@/'\"")


def style() -> None:
    """The page's own style sheet."""
    st.html(f"<style>{_asset('page.css')}</style>")


def masthead() -> None:
    """The way home, and to MLflow."""
    with st.container(key="masthead", horizontal=True, vertical_alignment="center", gap="medium"):
        st.page_link(OVERVIEW, label="**Gaplab**")
        if (uri := data.tracking_uri()).startswith("http"):
            st.page_link(uri, label="MLflow ↗")


def html(body: str, **texts: str) -> None:
    """HTML of ours with texts put in, each of them escaped."""
    st.html(body.format_map({name: escape(text) for name, text in texts.items()}))


def refusal(problem: str) -> None:
    """Three sentences in place of a page: what is wrong, why it matters, what to do."""
    first, _, rest = problem.partition("\n")
    html("<h1>{first}</h1><p class='refusal'>{rest}</p>", first=first, rest=rest)
    st.page_link(OVERVIEW, label="To the overview", icon=":material/arrow_back:")


def component(name: str, told: Mapping[str, Any], key: str) -> Any:
    """Mount assets/<name>.js with these data; what the reader opens there comes back as `.open`, once."""
    css, js = (_asset(f"marks.{kind}") + _asset(f"{name}.{kind}") for kind in ("css", "js"))
    return st.components.v2.component(f"gaplab_{name}", css=css, js=js)(data=told, key=key, on_open_change=lambda: None)


def go(mounted: Any) -> None:
    """Follow what the reader opened in a component."""
    told = mounted.open
    if not isinstance(told, Mapping):
        return
    known = ("mechanism",) if told.get("page") == "overview" else ("claim", "variant")
    asked = {name: str(told[name]) for name in known if told.get(name)}
    st.switch_page(OVERVIEW if told.get("page") == "overview" else CLAIM, query_params=asked)


def watch(watcher: data.Watcher, drawn: data.Seen) -> None:
    """Draw the page again as soon as more is known than what was drawn; nothing is sent while nothing is new."""

    @st.fragment(run_every=2)
    def look() -> None:
        if watcher.seen().version != drawn.version:
            st.rerun()

    look()


def asked(name: str) -> str:
    """What the address asks for under this name, once a choice made since has been put there."""
    chosen = f"{name} chosen"
    if chosen in st.session_state:
        value = st.session_state.pop(chosen)
        if value:
            st.query_params[name] = value
        else:
            st.query_params.pop(name, None)
    return st.query_params.get(name, "")


def keep(name: str, widget: str) -> None:
    """Remember a widget's new value until asked() puts it into the address: a callback is too early for that."""
    st.session_state[f"{name} chosen"] = st.session_state[widget]


def variant_label(one: Judged) -> str:
    """A variant on a button: its mark, its name, and what it is to the claim."""
    colour, own, theirs = _GLYPHS[one.gap.verdict]
    glyph = own if one.origin == "own" else theirs
    what = role(one.gap)
    if what == "control":
        colour = colour if phrases.as_it_must(one.gap) is False else "gray"
        return f":{colour}[\\[{glyph}\\]] {literal(one.gap.variant)} · control"
    return f":{colour}[{glyph}] {literal(one.gap.variant)}{' · must hold' if what == 'sound' else ''}"


def literal(text: str) -> str:
    r"""The text as markdown that shows it as it stands.

    >>> literal("pi* <b> ![x](y)")
    'pi\\* \\<b\\> \\!\\[x\\]\\(y\\)'
    """
    return "".join(f"\\{letter}" if letter in _SPECIAL else letter for letter in text)


def readme(text: str) -> str:
    r"""A lab's README without its title, with pictures and links into the repository as words: here they lead nowhere.

    >>> readme("# Title\n\nSee [the other lab](../b/README.md), [a paper](https://arxiv.org/abs/1), ![a plot](p.png).")
    'See the other lab, [a paper](https://arxiv.org/abs/1), a plot.'
    >>> readme("So $$a =\nb$$ is.")
    'So\n\n$$\na =\nb\n$$\n\nis.'
    """
    body = re.sub(r"!\[([^\]]*)\]\([^)]*\)", r"\1", re.sub(r"\A# .*\n+", "", text))
    body = re.sub(r"\s*\$\$(.+?)\$\$\s*", r"\n\n$$\n\1\n$$\n\n", body, flags=re.DOTALL)  # else one of two lines is none
    return re.sub(r"\[([^\]]+)\]\((?!https?://)[^)]*\)", r"\1", body)


def stacked(formula: str) -> str:
    r"""A formula of several parts with each on its own line, so that it fits beside the figure.

    >>> print(stacked(r"a = b, \qquad c = d"))
    \begin{gathered}a = b,\\ c = d\end{gathered}
    """
    parts = [part.strip() for part in re.split(r"\\q?quad", formula) if part.strip()]
    if len(parts) < 2 or r"\begin" in formula:
        return formula
    return rf"\begin{{gathered}}{_BREAK.join(parts)}\end{{gathered}}"


def _asset(name: str) -> str:
    path = ASSETS / name
    return _read(path, path.stat().st_mtime_ns)


@cache
def _read(path: Path, stamp: int) -> str:
    return path.read_text()
