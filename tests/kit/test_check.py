"""`gaplab check` and `gaplab new`: what a person who adds a lab is told before running anything."""

from pathlib import Path

import pytest

from labs.kit import catalogue, spool, trial
from labs.kit.check import check, formula
from labs.kit.errors import LabError
from labs.kit.gap import Verdict
from labs.kit.new import new
from labs.kit.plan import plan
from labs.kit.results import gaps, row_of
from tests.kit.folders import PRACTICE, THEORY, TOML, write_lab


def test_a_whole_lab_has_nothing_amiss(tmp_path: Path) -> None:
    assert check(catalogue.read(write_lab(tmp_path))) == []


BROKEN = {
    "doctest that fails": ({"theory": THEORY.replace("    0.25\n", "    0.5\n")}, "the doctest of mean_reward() fails"),
    "no doctest": ({"theory": THEORY.replace(">>> mean_reward(0.25)\n    0.25\n", "\n")}, "has no doctest"),
    "no formula": ({"theory": THEORY.replace("$$p$$", "p")}, "has no formula"),
    "theory that cannot be imported": ({"theory": "import torche\n" + THEORY}, "cannot be imported"),
    "trial that asks for a stranger": (
        {"practice": PRACTICE.replace("lost)", "lose)")},
        "'lose' is missing in [setting]",
    ),
    "theory that is no Python": ({"theory": THEORY + "\n\nreturn (\n"}, "theory.py: cannot be read"),
    "practice that is no Python": ({"practice": PRACTICE + "\n\nreturn (\n"}, "practice.py: cannot be read"),
    "no trial": ({"practice": "def trail():\n    pass\n"}, "has no function trial"),
    "control that theory follows": ({"toml": TOML.replace("lost = 0.5", "rate = 0.5")}, "so theory would follow it"),
    "control that changes nothing": ({"toml": TOML.replace("lost = 0.5", "lost = 0.0")}, "changes nothing"),
    "statement that is no sentence": ({"toml": TOML.replace("is the rate.", "is the rate")}, "not a sentence"),
}


@pytest.mark.parametrize(("parts", "said"), BROKEN.values(), ids=BROKEN)
def test_what_is_amiss_is_said(parts: dict[str, str], said: str, tmp_path: Path) -> None:
    problems = check(catalogue.read(write_lab(tmp_path, **parts)))
    assert any(said in problem for problem in problems), problems


def test_a_notebook_that_is_none_is_named(tmp_path: Path) -> None:
    folder = write_lab(tmp_path)
    (folder / "notebook.ipynb").write_text("<<<<<<< HEAD")
    assert any("is no notebook: JSONDecodeError" in problem for problem in check(catalogue.read(folder)))


def test_a_readme_that_forgets_a_claim_and_a_notebook_with_outputs_are_named(tmp_path: Path) -> None:
    folder = write_lab(tmp_path)
    (folder / "README.md").write_text("# Coin\n")
    (folder / "notebook.ipynb").write_text('{"cells": [{"cell_type": "code", "execution_count": 1, "outputs": []}]}')
    said = " ".join(check(catalogue.read(folder)))
    assert "does not name the claim 'mean_reward'" in said
    assert "stored with outputs" in said


def test_the_formula_is_read_as_text(tmp_path: Path) -> None:
    """Nobody imports a lab to show it: its stack may not be here."""
    folder = write_lab(tmp_path, theory="import torche\n" + THEORY)
    assert formula(catalogue.read(folder), "mean_reward") == "p"


def test_a_new_lab_passes_its_check_and_its_control_shows_the_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAPLAB_LABS", str(tmp_path / "labs"))
    monkeypatch.setenv("GAPLAB_HOME", str(tmp_path / "home"))
    lab = catalogue.read(new("foundations/coin_flips"))
    assert check(lab) == []
    rows = []
    for one in plan([lab], "quick"):
        trial.run(one)
        ended = spool.finished(one.folder)
        assert ended is not None
        rows.append(row_of(one, ended))
    verdicts = {one.gap.variant: one.gap.verdict for one in gaps(lab, rows, [])}
    assert verdicts == {"every_pull": Verdict.HOLDS, "lucky_record": Verdict.GAP}


@pytest.mark.parametrize("name", ["coins", "fundations/coins", "foundations/Coin Flips", "foundations/"])
def test_a_bad_name_for_a_lab_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAPLAB_LABS", str(tmp_path))
    with pytest.raises(LabError, match=r"is not a name for a lab\. (The part after /|There is|Is )"):
        new(name)
    assert not list(tmp_path.iterdir())


def test_a_taken_name_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAPLAB_LABS", str(tmp_path))
    write_lab(tmp_path, name="validation/coin")
    with pytest.raises(LabError, match="is there already"):
        new("foundations/coin")
