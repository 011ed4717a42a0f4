"""Which labs a preset runs: those that have it."""

from pathlib import Path

import pytest

from labs.kit import catalogue
from labs.kit.errors import LabError
from labs.kit.plan import plan
from labs.kit.progress import about_preset
from labs.kit.words import Lab
from tests.kit.folders import TOML, write_lab

GPU = '[presets.gpu]\nseeds = 3\nvariants = ["lossy"]\nflips = 10\n'


@pytest.fixture
def labs(tmp_path: Path) -> list[Lab]:
    """One with the preset `gpu`, two without."""
    write_lab(tmp_path, "foundations/coin")
    write_lab(tmp_path, "foundations/dice")
    write_lab(tmp_path, "integration/wheel", TOML + GPU)
    return catalogue.find(tmp_path)


def test_labs_without_the_preset_are_left_out_where_others_have_it(
    labs: list[Lab], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`make up PRESET=gpu` runs what there is for a GPU, and says what there is not."""
    monkeypatch.setenv("GAPLAB_DEVICE", "gpu")
    trials = plan(labs, "gpu")
    assert {(trial.lab, trial.variant, trial.setting["flips"]) for trial in trials} == {
        ("integration/wheel", "lossy", 10)
    }
    assert len(trials) == 3
    assert list(about_preset(labs, "gpu")) == ["[dim]2 of 3 labs have no preset gpu, so they are left out.[/]"]
    assert list(about_preset(labs, "quick")) == []


def test_a_preset_that_none_has_is_an_error_with_its_near_name(labs: list[Lab]) -> None:
    with pytest.raises(LabError, match=r"None of these 3 labs has a preset 'quik'\. Is 'quick' meant\?"):
        plan(labs, "quik")
    with pytest.raises(LabError, match="foundations/coin has no preset 'gpu'"):
        plan(labs[:1], "gpu")


def test_the_preset_for_a_gpu_says_where_the_stacks_are_for_none(
    labs: list[Lab], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAPLAB_DEVICE", "cpu")
    assert "GAPLAB_DEVICE=gpu" in list(about_preset(labs, "gpu"))[-1]
