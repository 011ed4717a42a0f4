"""Every claim of every mechanism, and what the trials say of it."""

import streamlit as st

from dashboard import data, parts
from dashboard.board import board
from labs.kit.words import MECHANISMS


def main() -> None:
    """Draw all mechanisms, or the one that the address names."""
    watcher = data.watcher()
    seen = watcher.seen()
    parts.masthead()
    parts.html(
        "<h1>Where does practice depart from theory?</h1>"
        "<p class='lead'>Each line is one claim of theory, tested over several seeds: first its verdict, then the same "
        "claim in other variants. Brackets hold the control, where it must fail.</p>"
    )
    asked = parts.asked("mechanism")
    chosen = asked if asked in MECHANISMS else None
    st.session_state["mechanisms"] = chosen
    st.pills(
        "Mechanism",
        list(MECHANISMS),
        format_func=MECHANISMS.__getitem__,
        key="mechanisms",
        on_change=parts.keep,
        args=("mechanism", "mechanisms"),
        label_visibility="collapsed",
    )
    parts.go(parts.component("board", board(seen, chosen), key="board"))
    parts.watch(watcher, seen)


if __name__ == "__main__":
    main()
