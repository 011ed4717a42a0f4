"""The reference: written from finished trials, read back whole, stale when the code moves, compared bit by bit."""

import json
from pathlib import Path

import pytest

from labs.kit import catalogue, cost, reference, spool, trial
from labs.kit.compare import Agreement, Comparison, compare
from labs.kit.errors import LabError
from labs.kit.gap import Verdict
from labs.kit.plan import plan
from labs.kit.results import Row, gaps, row_of
from labs.kit.words import Lab
from tests.kit.folders import PRACTICE, TOML, write_lab


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.setenv("GAPLAB_HOME", str(tmp_path / "home"))
    return catalogue.read(write_lab(tmp_path / "labs"))


@pytest.fixture
def recorded(lab: Lab) -> Lab:
    _run(lab)
    reference.write(lab)
    return lab


def _run(lab: Lab, preset: str = "full") -> list[Row]:
    made = []
    for one in plan([lab], preset):
        trial.run(one)
        ended = spool.finished(one.folder)
        assert ended is not None
        made.append(row_of(one, ended))
    return made


def _again(lab: Lab, home: Path, monkeypatch: pytest.MonkeyPatch) -> list[Comparison]:
    """Run quick once more in a home of its own, as `gaplab verify` does, on the machine that recorded."""
    monkeypatch.setenv("GAPLAB_HOME", str(home))
    return compare(lab, reference.read(lab), _run(catalogue.read(lab.folder), "quick"), same_class=True)


def test_what_was_recorded_is_read_back_to_the_last_bit(recorded: Lab) -> None:
    fresh = {(row.variant, row.seed): row.numbers for row in _run(recorded)}
    assert {(row.variant, row.seed): row.numbers for row in reference.read(recorded)} == fresh
    assert len(fresh) == 10, "two presets that ask for the same trial share it"


def test_what_a_preset_costs_is_the_sum_of_its_trials(recorded: Lab) -> None:
    """CPU seconds as the trials themselves told them; the head of the file alone is read for it."""
    told = cost.seconds(recorded)
    trials = [spool.finished(one.folder) for one in plan([recorded], "full")]
    assert told["full"] == pytest.approx(sum(float(one.tags["cpu_seconds"]) for one in trials if one), abs=0.06)
    assert told["quick"] <= told["full"]
    assert json.loads(reference.path(recorded).read_text())["seconds"] == told


def test_verdicts_can_be_seen_before_anything_was_run(recorded: Lab) -> None:
    judged = {one.gap.variant: one for one in gaps(recorded, [], reference.read(recorded))}
    assert judged["fair"].gap.verdict is Verdict.HOLDS
    assert judged["lossy"].gap.verdict is Verdict.GAP
    assert {one.origin for one in judged.values()} == {"reference"}
    assert judged["fair"].gap.seeds == 5


def test_own_trials_are_judged_from_the_second_seed_on(recorded: Lab) -> None:
    own = _run(recorded)
    for count, origin in ((1, "reference"), (2, "own")):
        mine = [row for row in own if row.seed < count]
        assert {one.origin for one in gaps(recorded, mine, reference.read(recorded))} == {origin}


def test_a_reference_is_not_written_with_holes(lab: Lab) -> None:
    with pytest.raises(LabError, match="has not finished here"):
        reference.write(lab)


def test_a_changed_lab_has_a_stale_reference(recorded: Lab) -> None:
    assert reference.stale(recorded) == []
    (recorded.folder / "lab.toml").write_text(TOML.replace("lost = 0.5", "lost = 0.6"))
    assert reference.stale(catalogue.read(recorded.folder)) == ["lossy"]
    (recorded.folder / "practice.py").write_text(PRACTICE.replace("hit or", "(hit) or not hit and"))
    assert reference.stale(catalogue.read(recorded.folder)) == ["fair", "lossy"]


def test_a_lab_without_a_reference_is_stale_and_shows_not_run(lab: Lab) -> None:
    assert reference.stale(lab) == ["fair", "lossy"]
    assert {one.gap.verdict for one in gaps(lab, [], reference.read(lab))} == {Verdict.NOT_RUN}


def test_a_reference_mended_by_hand_is_refused(recorded: Lab) -> None:
    path = reference.path(recorded)
    path.write_text(path.read_text().replace('"predicted"', '"perdicted"'))
    with pytest.raises(LabError, match="never mended by hand"):
        reference.read(recorded)


def test_the_reference_names_machine_stack_and_recipes(recorded: Lab) -> None:
    told = json.loads(reference.path(recorded).read_text())
    assert told["cpu"]["model"]
    assert len(told["stack"]["lock"]) == 64
    assert set(told["recipes"]) == {"quick", "full"}


def test_an_undisturbed_run_is_equal_to_the_last_bit(
    recorded: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = _again(recorded, tmp_path / "again", monkeypatch)
    assert {(one.variant, one.agreement, one.equal) for one in found} == {
        ("fair", Agreement.BITS, 2),
        ("lossy", Agreement.BITS, 2),
    }


PLANTED = {
    "seed shifted": PRACTICE.replace("random.Random(seed)", "random.Random(seed + 1)"),
    "reward off by one": PRACTICE.replace('sum(kept) / len(kept), "kept"', '(sum(kept) + 1) / len(kept), "kept"'),
    "guard removed": PRACTICE.replace("hit or rng.random() >= lost", "True or rng.random() >= lost"),
    "only an observation": PRACTICE.replace("float(len(kept))", "float(len(kept) + 1)"),
}


@pytest.mark.parametrize("practice", PLANTED.values(), ids=PLANTED)
def test_a_planted_change_is_different(
    practice: str, recorded: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert practice != PRACTICE
    (recorded.folder / "practice.py").write_text(practice)
    found = _again(recorded, tmp_path / "again", monkeypatch)
    assert Agreement.DIFFERENT in {one.agreement for one in found}


def test_another_class_of_machine_is_judged_by_the_intervals(recorded: Lab) -> None:
    """Kernels differ between CPU types: other bits are expected there, another verdict or another mean is not."""
    old = reference.read(recorded)
    near = [_moved(row, 1e-6) for row in old]
    far = [_moved(row, 0.04) for row in old]
    assert {one.agreement for one in compare(recorded, old, near, same_class=False)} == {Agreement.INTERVALS}
    assert {one.agreement for one in compare(recorded, old, near, same_class=True)} == {Agreement.DIFFERENT}
    assert Agreement.DIFFERENT in {one.agreement for one in compare(recorded, old, far, same_class=False)}


def _moved(row: Row, by: float) -> Row:
    told = {**row.__dict__, "numbers": {**row.numbers, "mean_reward": row.numbers["mean_reward"] + by}}
    return Row(**told)
