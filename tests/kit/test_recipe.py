"""What makes a trial stale, and what does not."""

from pathlib import Path

import pytest

from labs.kit import catalogue, places
from labs.kit.plan import recipes
from labs.kit.recipe import recipe
from tests.kit.folders import PRACTICE, THEORY, TOML, write_lab


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lab with a lock of its own, so that a test may change the lock."""
    (tmp_path / "images" / "tabular").mkdir(parents=True)
    (tmp_path / "images" / "tabular" / "cpu.lock").write_text("numpy==2.4.6\n")
    monkeypatch.setattr(places, "IMAGES", tmp_path / "images")
    return write_lab(tmp_path / "labs")


def _recipe(folder: Path) -> str:
    return recipes(catalogue.read(folder), "fair")["full"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("practice.py", PRACTICE.replace("import random", "import random  # the standard library's")),
        ("practice.py", PRACTICE.replace("Average the flips that were written down.", "Count.")),
        ("theory.py", THEORY.replace("Expected reward.", "What one flip is worth.")),
        ("lab.toml", TOML.replace("within = 0.05", "within = 0.01")),
        ("lab.toml", TOML.replace("The mean reward is the rate.", "The rate is the mean reward.")),
        ("README.md", "# Other words\n"),
    ],
    ids=["comment", "docstring", "docstring of theory", "within", "statement", "README"],
)
def test_words_and_tolerances_make_no_trial_stale(folder: Path, name: str, text: str) -> None:
    before = _recipe(folder)
    (folder / name).write_text(text)
    assert _recipe(folder) == before


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("lab.toml", TOML.replace("flips = 1000", "flips = 1001")),
        ("practice.py", PRACTICE.replace("rng.random() < rate", "rng.random() <= rate")),
        ("theory.py", THEORY.replace("return rate", "return rate + 0.0")),
    ],
    ids=["a number of the setting", "the reward", "the formula"],
)
def test_a_number_or_a_line_of_code_makes_trials_stale(folder: Path, name: str, text: str) -> None:
    before = _recipe(folder)
    (folder / name).write_text(text)
    assert _recipe(folder) != before


def test_another_lock_makes_trials_stale(folder: Path) -> None:
    before = _recipe(folder)
    (places.IMAGES / "tabular" / "cpu.lock").write_text("numpy==2.4.7\n")
    assert _recipe(folder) != before


def test_a_lab_that_imports_the_policy_depends_on_the_base_and_the_guard(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The base model's code and the guard live in the kit: changing either must reach every lab that loads a model."""
    kit = tmp_path / "labs" / "kit" / "policy"
    kit.mkdir(parents=True)
    (kit / "__init__.py").write_text("")
    (kit / "base.py").write_text("STEPS = 300\n")
    (kit / "loading.py").write_text("from labs.kit.policy.base import STEPS\nGUARD = True\n")
    (folder / "practice.py").write_text("from labs.kit.policy.loading import GUARD\n" + PRACTICE)
    monkeypatch.setattr(places, "ROOT", tmp_path)
    before = _recipe(folder)
    (kit / "loading.py").write_text("from labs.kit.policy.base import STEPS\nGUARD = False\n")
    unguarded = _recipe(folder)
    (kit / "loading.py").write_text("from labs.kit.policy.base import STEPS\nGUARD = True\n")
    (kit / "base.py").write_text("STEPS = 250\n")
    assert len({before, unguarded, _recipe(folder)}) == 3


def test_two_presets_that_ask_for_the_same_trial_share_its_recipe(folder: Path) -> None:
    lab = catalogue.read(folder)
    assert recipes(lab, "fair")["quick"] == recipes(lab, "fair")["full"]
    assert recipe(lab, lab.setting_of("lossy", "full"), "tabular") != recipes(lab, "fair")["full"]
