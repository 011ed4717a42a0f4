"""A claim's page, driven without a browser."""

import pytest

from labs.kit.plan import plan
from labs.kit.words import Lab
from tests.dashboard import pages, world
from tests.kit.records import write

MEAN = "foundations/coin/mean"


def test_own_trials_are_judged_in_a_sentence(labs: list[Lab]) -> None:
    world.mirror(labs, world.near_theory(labs, {"mean": 3.0}))
    page = pages.claim(claim=MEAN)
    head = pages.told(page, "verdict")
    assert (head["title"], head["own"], head["variant"]) == ("Gap", True, "fair")
    assert head["sentence"].startswith("Measured 0.65")
    assert "departs from the predicted 0.500" in head["sentence"]
    assert "over 5 seeds, against a tolerance of ±0.050 share of heads" in head["sentence"]
    assert head["whose"] == "Your own trials, preset full."
    assert "\\mathbb{E}[X] = p" in page.latex[0].value
    assert page.code[0].value == "gaplab run foundations/coin --variant fair --preset full"


def test_the_authors_trials_are_said_to_be_theirs(labs: list[Lab]) -> None:
    world.reference(labs[0], world.near_theory(labs))
    page = pages.claim(claim=MEAN)
    assert pages.told(page, "verdict")["whose"] == "The authors' trials (preset full), not yours."
    assert {row["place"] for row in pages.told(page, "trials")["rows"]} == {"authors"}


def test_nothing_recorded_shows_the_command(labs: list[Lab]) -> None:
    page = pages.claim(claim=MEAN, variant="bent")
    assert pages.told(page, "verdict")["title"] == "Not run"
    assert page.code[0].value == "gaplab run foundations/coin --variant bent"
    assert not page.get("vega_lite_chart")


def test_a_control_says_that_it_must_fail(labs: list[Lab]) -> None:
    world.mirror(labs, world.near_theory(labs))
    head = pages.told(pages.claim(claim=MEAN, variant="lossy"), "verdict")
    assert head["role"] == "control"
    assert head["sentence"].endswith("here the claim is false, and the lab sees it.")


def test_a_bound_that_is_beaten_is_impossible(labs: list[Lab]) -> None:
    world.mirror(labs, world.near_theory(labs, {"ratio": 2.0}))
    head = pages.told(pages.claim(claim="integration/clip/ratio"), "verdict")
    assert head["title"] == "Impossible"
    assert "which theory proves to be a bound: the theory or the code is wrong" in head["sentence"]


def test_a_difference_shows_both_variants_trials(labs: list[Lab]) -> None:
    """The claim is about bent minus fair: the table shows differences, the command runs both."""
    world.mirror(labs, world.near_theory(labs))
    page = pages.claim(claim="foundations/coin/lead")
    table = pages.told(page, "trials")
    assert [row["seed"] for row in table["rows"]] == [0, 1, 2, 3, 4]
    assert all(0.45 < float(row["measured"]) < 0.55 for row in table["rows"])
    assert page.code[0].value == "gaplab run foundations/coin --variant bent --variant fair --preset full"


def test_stale_and_failed_trials_are_counted_and_left_out(labs: list[Lab]) -> None:
    planned = [trial for trial in plan(labs[:1], "quick") if trial.variant == "fair"]
    write(world.stale(planned[0]), {"mean": 0.9, "predicted.mean": 0.5})
    write(planned[1], status="FAILED", message="![x](http://evil.example/message.png)")
    page = pages.claim(claim=MEAN)
    said = pages.told(page, "verdict")["whose"]
    assert "1 older trial of yours is left out" in said
    assert "1 trial failed." in said
    failure = pages.told(page, "trials")["failures"][0]
    assert (failure["seed"], failure["message"]) == (1, "![x](http://evil.example/message.png)")


def test_choosing_a_variant_puts_it_into_the_address(labs: list[Lab]) -> None:
    world.mirror(labs, world.near_theory(labs))
    page = pages.claim(claim=MEAN)
    page.segmented_control[0].select("worn").run()
    assert page.query_params["variant"] == "worn"
    assert pages.told(page, "verdict")["variant"] == "worn"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"claim": "foundations/coin/maen"}, "Is &#x27;foundations/coin/mean&#x27; meant?"),
        ({"claim": "elsewhere"}, "No claim is called &#x27;elsewhere&#x27;."),
        ({}, "This address names no claim."),
        ({"claim": MEAN, "variant": "bnet"}, "Is &#x27;bent&#x27; meant?"),
        ({"claim": "<img src=x>"}, "&lt;img src=x&gt;"),
    ],
)
def test_an_address_that_names_nothing_gets_three_sentences(labs: list[Lab], asked: dict[str, str], said: str) -> None:
    page = pages.claim(**asked)
    body = pages.html(page)
    assert said in body
    assert "<img" not in body
    assert len(body.splitlines()) >= 2, "what is wrong, then why it matters and what to do"
    assert not page.get("bidi_component")


def test_words_of_a_lab_are_shown_as_they_stand(labs: list[Lab]) -> None:
    """A statement may hold anything that looks like markup; none of it may become any."""
    page = pages.claim(claim=MEAN)
    assert pages.told(page, "verdict")["statement"].endswith("not <b>bold</b> ![x](http://evil.example/statement.png).")
    assert not any("evil.example/statement" in text.value for text in page.markdown)


def test_a_claim_without_a_formula_is_shown_without_one(labs: list[Lab]) -> None:
    assert not pages.claim(claim="foundations/coin/folk").latex
