"""The sentence of a verdict says what was measured, how far from theory, how sure, against which tolerance."""

from typing import Any

import pytest

from dashboard.phrases import sentence
from labs.kit.gap import judge
from labs.kit.results import Judged
from labs.kit.words import Claim


def _said(measured: list[float], variant: str = "on", predicted: float = 1.0, **told: Any) -> str:
    plain: dict[str, Any] = {"within": 0.1, "relation": "equals", "unit": "m", "control": "off", "variant": "on"}
    claim = Claim(lab="a/b", name="c", statement="", source="", target="folk", **{**plain, **told})
    gap = judge(claim, variant, [predicted] * len(measured), measured)
    return sentence(Judged(gap, "own" if measured else "none", "full", [], 0, 0))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (_said([1.01, 1.02, 1.03]), "Measured 1.02 agrees with the predicted 1.00."),
        (
            _said([1.51, 1.52, 1.53]),
            "The gap is +0.52, 95% interval +0.50 to +0.54 over 3 seeds, against a tolerance of ±0.10 m.",
        ),
        (_said([1.0, 1.2, 1.1]), "cannot be told yet from the predicted 1.00"),
        (_said([1.2]), "1 seed cannot say how sure that is, it takes two seeds or more."),
        (_said([1.2] * 3, tail="heavy"), "it takes six seeds or more."),
        (_said([1.2] * 3, tail="heavy"), "The measured median of 1.20 cannot be told yet"),
        (_said([]), "No trial of this variant has been recorded"),
        (_said([1.5, 1.51], bound="above"), "beats 1.00, which theory proves to be a bound"),
        (_said([0.5, 0.51, 0.52], relation="at_most"), "Measured 0.51 stays within the predicted ceiling of 1.00."),
        (_said([1.5, 1.51, 1.52], relation="at_most"), "exceeds the predicted ceiling of 1.00"),
        (_said([1.5, 1.51, 1.52], relation="at_least"), "reaches the predicted floor of 1.00"),
        (_said([0.5, 0.51, 0.52], relation="at_least"), "falls short of the predicted floor of 1.00"),
        (_said([0.5, 0.51, 0.52], relation="at_least"), "against a tolerance of −0.10 m"),
        (
            _said([1.0 + 2e-10], exact=True, within=1e-9),
            "the largest gap of 1 seed is 2.0·10⁻¹⁰, against a tolerance of ±10⁻⁹ m.",
        ),
        (_said([1.51, 1.52], against="none"), "The difference to `none`, measured as 1.5"),
        (_said([1.51, 1.52, 1.53], variant="off"), "here the claim is false, and the lab sees it."),
        (_said([1.01, 1.02, 1.03], variant="off"), "yet the lab does not see it. Do not trust its verdicts."),
        (_said([1.0, 1.4], variant="off"), "and the lab must come to see it."),
        (_said([1.01, 1.02, 1.03], variant="so", sound="so"), "Here the claim is to hold, and it does"),
        (_said([1.51, 1.52, 1.53], variant="so", sound="so"), "Do not trust the gap that the headline shows."),
    ],
)
def test_sentence(said: str, words: str) -> None:
    assert words in said
