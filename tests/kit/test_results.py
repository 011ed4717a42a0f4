"""Which trials a verdict is worked out from: never two recipes, never two presets, never a control in the counts."""

import dataclasses
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs.kit import catalogue, places
from labs.kit.gap import Verdict
from labs.kit.plan import recipes
from labs.kit.results import Failure, Judged, Row, Tally, gaps, pairs, tally
from labs.kit.words import Claim, Lab
from tests.kit.folders import THEORY, TOML, write_lab

PRESETS = "[presets.quick]\nseeds = 2\nflips = 100\n\n[presets.gpu]\nflips = 9999\n\n[presets.tiny]\nflips = 3\n"
RICH = TOML.replace("[presets.quick]\nseeds = 2\n", PRESETS)
VARIANTS = "[variants.fair]\n\n[variants.wide]\nrate = 0.4\n"
WORDS = """
statement = "The share is the rate."
source = "Sutton & Barto (2018), eq. 2.1"
target = "textbook"
relation = "equals"
within = 0.05
unit = "1"
control = "lossy"
"""
SHARE = f'\n[claims.share]{WORDS}share_of = "flips"\ncause = "It is known."\n'
MORE = f'\n[claims.more]{WORDS}against = "fair"\nvariant = "wide"\n'
FUNCTIONS = (
    "\n\ndef share(rate: float) -> float:\n    return rate\n\n\ndef more(rate: float) -> float:\n    return rate\n"
)
MEASURED = {"fair": 0.3, "wide": 0.6, "lossy": 0.9}


def _lab(root: Path) -> Lab:
    toml = RICH.replace("[variants.fair]\n", VARIANTS) + SHARE + MORE
    return catalogue.read(write_lab(root, toml=toml, theory=THEORY + FUNCTIONS))


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return _lab(tmp_path_factory.mktemp("labs"))


def _row(
    lab: Lab, seed: int, preset: str = "full", variant: str = "fair", measured: float | None = None, **other: object
) -> Row:
    value = (0.3 if measured is None else measured) + 0.0001 * seed
    numbers = {name: value for name in ("mean_reward", "share", "more")}
    numbers |= {"predicted.mean_reward": 0.3, "predicted.share": 0.3, "predicted.more": 0.1}
    told = Row(
        key=f"{variant}-{seed}-{preset}",
        lab=lab.id,
        variant=variant,
        seed=seed,
        recipe=recipes(lab, variant)[preset],
        preset=preset,
        stack="tabular",
        run_id=None,
        attempt=0,
        end_ms=0,
        numbers=numbers,
        origin="mlflow",
    )
    return dataclasses.replace(told, **other)  # type: ignore[arg-type]


def _one(judged: list[Judged], claim: str = "mean_reward", variant: str = "fair") -> Judged:
    (found,) = [one for one in judged if (one.gap.claim.name, one.gap.variant) == (claim, variant)]
    return found


def test_every_claim_is_judged_in_every_variant_that_measures_it(lab: Lab) -> None:
    judged = gaps(lab, [], [])
    assert [(one.gap.claim.name, one.gap.variant) for one in judged] == [
        *(("mean_reward", variant) for variant in ("fair", "wide", "lossy")),
        *(("share", variant) for variant in ("fair", "wide", "lossy")),
        *(("more", variant) for variant in ("wide", "lossy")),  # against "fair", which is no gap to itself
    ]
    assert {one.gap.verdict for one in judged} == {Verdict.NOT_RUN}
    assert {(one.origin, one.preset, one.stale, one.failed) for one in judged} == {("none", "", 0, 0)}


def test_the_readers_own_trials_count_from_two_seeds_on(lab: Lab) -> None:
    reference = [_row(lab, seed, origin="reference") for seed in range(5)]
    for own, (origin, seeds) in {0: ("reference", 5), 1: ("reference", 5), 2: ("own", 2), 3: ("own", 3)}.items():
        one = _one(gaps(lab, [_row(lab, seed) for seed in range(own)], reference))
        assert (one.origin, one.gap.seeds) == (origin, seeds)


def test_one_seed_alone_is_shown_and_says_nothing(lab: Lab) -> None:
    one = _one(gaps(lab, [_row(lab, 0)], []))
    assert (one.origin, one.gap.seeds, one.gap.verdict) == ("own", 1, Verdict.INCONCLUSIVE)


def test_one_trial_decides_an_identity(lab: Lab) -> None:
    exact = _with(lab, "mean_reward", exact=True)
    one = _one(gaps(exact, [_row(lab, 0)], [_row(lab, seed, origin="reference") for seed in range(5)]))
    assert (one.origin, one.gap.verdict) == ("own", Verdict.HOLDS)


@pytest.mark.parametrize(
    ("own", "preset"),
    [
        ({"full": 2, "quick": 5, "gpu": 5}, "full"),
        ({"full": 1, "quick": 2, "gpu": 5}, "quick"),
        ({"full": 1, "quick": 1, "gpu": 2}, "gpu"),
        ({"tiny": 2}, "tiny"),
    ],
)
def test_the_fullest_preset_with_two_seeds_is_judged_and_no_other_added(
    lab: Lab, own: dict[str, int], preset: str
) -> None:
    rows = [_row(lab, seed, name) for name, seeds in own.items() for seed in range(seeds)]
    one = _one(gaps(lab, rows, []))
    assert (one.preset, one.gap.seeds) == (preset, own[preset])
    assert {row.preset for row in one.rows} == {preset}


def test_a_claim_is_judged_in_its_presets_only(lab: Lab) -> None:
    quick = _with(lab, "mean_reward", presets=("quick",))
    rows = [_row(lab, seed, name) for name in ("full", "quick") for seed in range(3)]
    assert _one(gaps(quick, rows, [])).preset == "quick"
    assert _one(gaps(quick, rows[:3], [])).origin == "none"


def test_a_trial_that_two_presets_share_counts_for_both(tmp_path: Path) -> None:
    """`quick` and `full` with the same numbers have one recipe, and the record names the preset that ran it first."""
    same = catalogue.read(write_lab(tmp_path))
    rows = [_row(same, seed, "quick") for seed in range(2)] + [_row(same, seed, "full") for seed in range(2, 5)]
    one = _one(gaps(same, rows, []))
    assert (one.preset, one.gap.seeds) == ("full", 5)
    assert _one(gaps(same, [], [dataclasses.replace(row, origin="reference") for row in rows])).gap.seeds == 5


def test_stale_trials_are_counted_and_never_judged(lab: Lab) -> None:
    stale = [_row(lab, seed, recipe="0" * 16, measured=9.0) for seed in range(4)]
    elsewhere = [_row(lab, 0, recipe="1" * 16, stack="grpo")]
    one = _one(gaps(lab, [*stale, *elsewhere, _row(lab, 0), _row(lab, 1)], []))
    assert (one.stale, one.gap.seeds) == (4, 2)
    assert one.gap.measured < 1


def test_failed_trials_are_counted_while_their_recipe_is_todays(lab: Lab) -> None:
    now = Failure("key", lab.id, "fair", 0, recipes(lab, "fair")["full"], 0, "FAILED", "why", 0, None)
    fell = [now, dataclasses.replace(now, recipe="0" * 16)]
    assert _one(gaps(lab, [], [], fell)).failed == 1
    assert _one(gaps(lab, [], [], fell), variant="lossy").failed == 0


@settings(deadline=None)  # a busy machine is no fault of the code
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(["full", "quick", "gpu", "stale"]), st.booleans()), max_size=24
    )
)
def test_no_verdict_ever_mixes_two_recipes(told: list[tuple[int, str, bool]]) -> None:
    with tempfile.TemporaryDirectory() as root:
        lab = _lab(Path(root))
        made: dict[tuple[int, str, bool], Row] = {}
        for seed, preset, mine in told:
            row = _row(lab, seed, preset if preset != "stale" else "full", measured=0.1 * len(preset))
            row = dataclasses.replace(row, recipe="0" * 16) if preset == "stale" else row
            made[seed, preset, mine] = dataclasses.replace(row, origin="mlflow" if mine else "reference")
        own = [row for (_, _, mine), row in made.items() if mine]
        reference = [row for (_, _, mine), row in made.items() if not mine]
        before = gaps(lab, own, reference)
        random.Random(0).shuffle(own)
        assert gaps(lab, own, reference) == before
    one = _one(before)
    assert len({row.recipe for row in one.rows}) <= 1
    assert one.gap.seeds == len({row.seed for row in one.rows}) == len(one.rows)
    assert {row.origin for row in one.rows} <= {{"own": "mlflow", "reference": "reference", "none": ""}[one.origin]}


def test_a_difference_of_variants_is_paired_by_seed(lab: Lab) -> None:
    """A seed that only one of the two has says nothing about their difference."""
    rows = [_row(lab, seed, measured=0.3 + 0.1 * seed) for seed in range(3)]
    rows += [_row(lab, seed, variant="wide", measured=0.4 + 0.1 * seed) for seed in range(1, 4)]
    one = _one(gaps(lab, rows, []), "more", "wide")
    assert (one.gap.seeds, one.gap.predicted) == (2, 0.1)
    assert one.gap.measured == pytest.approx(0.1)
    assert one.gap.verdict is Verdict.HOLDS
    assert [(row.variant, row.seed) for row in one.rows] == [("wide", 1), ("wide", 2), ("fair", 1), ("fair", 2)]


def test_a_difference_is_taken_within_one_preset(lab: Lab) -> None:
    rows = [_row(lab, seed, "full") for seed in range(3)] + [_row(lab, seed, "quick", "wide") for seed in range(3)]
    assert _one(gaps(lab, rows, []), "more", "wide").origin == "none"


def test_a_share_is_judged_over_all_runs_pooled(lab: Lab) -> None:
    """Wilson's interval over the runs of all trials: its width says how many it took them to be."""
    wide = _one(gaps(lab, [_row(lab, seed, "quick") for seed in range(2)], []), "share").gap
    narrow = _one(gaps(lab, [_row(lab, seed, "full") for seed in range(2)], []), "share").gap
    assert wide.high - wide.low == pytest.approx(2 * 1.96 * (0.3 * 0.7 / 200) ** 0.5, rel=0.02)
    assert narrow.high - narrow.low == pytest.approx(2 * 1.96 * (0.3 * 0.7 / 2000) ** 0.5, rel=0.02)


def test_a_heavy_tail_is_judged_by_the_median(lab: Lab) -> None:
    heavy = _with(lab, "mean_reward", tail="heavy")
    rows = [_row(lab, seed, measured=0.3 if seed else 1.0) for seed in range(12)]
    assert _one(gaps(heavy, rows, [])).gap.verdict is Verdict.HOLDS
    assert _one(gaps(lab, rows, [])).gap.verdict is not Verdict.HOLDS


def test_pairs_of_mixed_presets_are_those_of_the_fullest(lab: Lab) -> None:
    rows = [_row(lab, seed, preset, measured=len(preset)) for preset in ("quick", "full", "gpu") for seed in range(3)]
    found = pairs(lab.claims["mean_reward"], "fair", rows)
    assert [measured for _, measured in found.values()] == pytest.approx([4.0, 4.0001, 4.0002])


def test_only_headlines_are_counted(lab: Lab) -> None:
    """A control that shows its gap, as it must, would otherwise count as a gap of the claim."""
    rows = [_row(lab, seed, variant=name, measured=m) for name, m in MEASURED.items() for seed in range(3)]
    judged = gaps(lab, rows, [])
    assert _one(judged, variant="lossy").gap.verdict is Verdict.GAP
    assert tally(judged) == Tally(claims=3, holds=2, gap_open=1)
    wrong = gaps(lab, [_row(lab, seed, measured=0.9) for seed in range(3)], [])
    assert tally(wrong) == Tally(claims=3, gap_known=1, gap_open=1, not_run=1)


def test_reading_results_imports_neither_pandas_nor_mlflow() -> None:
    """They take 0.5 and 1.6 s, which is more than a listing may take."""
    code = (
        "import sys, labs.kit.results; print([name for name in ('mlflow', 'pandas', 'numpy') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], cwd=places.ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def _with(lab: Lab, claim: str, **changed: object) -> Lab:
    made: Claim = dataclasses.replace(lab.claims[claim], **changed)  # type: ignore[arg-type]
    return dataclasses.replace(lab, claims={**lab.claims, claim: made})
