"""One claim: what theory says, what was measured, how far apart they are, how sure that is, and why."""

import streamlit as st

from dashboard import data, dossier, evidence, figures, parts, phrases, trials
from dashboard.dossier import Dossier
from labs.kit import check
from labs.kit.errors import LabError
from labs.kit.gap import Verdict
from labs.kit.palette import Palette, palette
from labs.kit.results import pairs


def main() -> None:
    """Draw the claim that the address names."""
    watcher = data.watcher()
    seen = watcher.seen()
    parts.masthead()
    try:
        told = dossier.find(seen.known, parts.asked("claim"), parts.asked("variant"))
    except LabError as problem:
        parts.refusal(str(problem))
    else:
        st.set_page_config(page_title=f"{phrases.name(told.claim.name)} · Gaplab")
        left, right = st.columns([1.9, 1], gap="large")
        with left:
            parts.go(parts.component("verdict", dossier.head(told), key="verdict"))
            choose_variant(told)
            draw(told, watcher)
            across(told)
        with right:
            theory(told)
            repeat(told)
        below(told)
    parts.watch(watcher, seen)


def colours() -> Palette:
    """Those of the theme that the reader sees."""
    return palette(dark=st.context.theme.type == "dark")


def choose_variant(told: Dossier) -> None:
    """One button a variant; the choice stands in the address."""
    key = f"variant of {told.claim.id}"
    known = {one.gap.variant: one for one in told.every}
    st.session_state[key] = told.one.gap.variant
    st.segmented_control(
        "Variant",
        list(known),
        required=True,
        key=key,
        on_change=parts.keep,
        args=("variant", key),
        format_func=lambda name: parts.variant_label(known[name]),
        label_visibility="collapsed",
        wrap=True,
    )


def draw(told: Dossier, watcher: data.Watcher) -> None:
    """The figure that fits what was measured: curves where there are any, and always the seeds that are judged."""
    gap = told.one.gap
    if gap.verdict is Verdict.NOT_RUN:
        st.code(trials.command(told.one), language="shell", wrap_lines=True)
        return
    measured, predicted = evidence.lines(told, watcher)
    if measured:
        parts.html("<h2>Step by step</h2>")
        st.vega_lite_chart(
            figures.curve(gap, measured, predicted, colours()), theme=None, alt=dossier.alt(told, "step by step")
        )
        parts.html("<h2>Seed by seed</h2>")
    found = pairs(told.claim, gap.variant, told.one.rows)
    st.vega_lite_chart(figures.seeds(gap, found, colours()), theme=None, alt=dossier.alt(told, "seed by seed"))


def theory(told: Dossier) -> None:
    """The card: the formula and where it comes from."""
    with st.container(border=True, key="theory"):
        parts.html("<h3>Theory predicts</h3>")
        formula = check.formula(told.lab, told.claim.name)
        if formula:
            st.latex(parts.stacked(formula))
        for title, text in dossier.rules(told):
            parts.html(
                f"<h3>{{title}}</h3><p class='{'cause' if 'ause' in title else 'rule'}'>{{text}}</p>",
                title=title,
                text=text,
            )


def across(told: Dossier) -> None:
    """Every variant on one scale."""
    if all(one.gap.verdict is Verdict.NOT_RUN for one in told.every):
        return
    parts.html("<h2>Across variants</h2>")
    figure = figures.forest(told.every, told.one.gap.variant, colours())
    st.vega_lite_chart(figure, theme=None, alt=dossier.alt(told, "across variants"))


def repeat(told: Dossier) -> None:
    """The command for these very trials."""
    if told.one.rows:
        parts.html("<h2>Repeat it</h2>")
        st.code(trials.command(told.one), language="shell", wrap_lines=True)


def below(told: Dossier) -> None:
    """The trials, and what the lab says of itself."""
    table = trials.table(told, data.tracking_uri())
    if table["rows"] or table["failures"]:
        parts.html("<h2>Trials behind this verdict</h2>")
        parts.component("trials", table, key="trials")
    readme = told.lab.folder / "README.md"
    if readme.is_file():
        with st.expander(f"About the lab: {parts.literal(told.lab.title)}"):
            st.markdown(parts.readme(readme.read_text()))


if __name__ == "__main__":
    main()
