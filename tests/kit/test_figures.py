"""Declared figures: drawn from the reference alone, the same bytes each time, stale as soon as what they show moves."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from labs.kit import catalogue, document, figures, places, reference, trial
from labs.kit.errors import LabError
from labs.kit.plan import plan
from labs.kit.words import Lab
from tests.kit.folders import THEORY, TOML, write_lab

LABS = catalogue.find(places.ROOT / "labs")
CURVED = """
import random


def trial(seed, log, *, rate, flips, lost):
    rng = random.Random(seed)
    for step in range(flips // 10):
        log("curve.mean_reward", rate + rng.gauss(0, 0.1) - lost / 4, step)
    return {"mean_reward": rate - lost / 4 + rng.gauss(0, 0.01)}
"""
SHOWN = """
[figures.rewards]
title = "Rewards & their mean"
book = "Figure 2.2"
claims = ["mean_reward"]
variants = ["fair", "lossy"]
x = "flips"
y = "mean reward"
window = [10, 50]
"""
PLACES = (
    "<!-- figure rewards: drawn from reference.json by `python -m labs.kit.document` -->\n<!-- /figure rewards -->\n"
)


def _lab(root: Path, figure: str = SHOWN, theory: str = "") -> Lab:
    curve = "\n\ndef mean_reward_curve(step, rate):\n    return rate\n"
    folder = write_lab(root, toml=TOML + figure, theory=THEORY + (theory or curve), practice=CURVED)
    with (folder / "README.md").open("a") as readme:
        readme.write(PLACES)
    return catalogue.read(folder)


def _record(lab: Lab) -> Lab:
    for preset in reference.RECORDED:
        for one in plan([lab], preset):
            trial.run(one)
    reference.write(lab)
    return lab


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.setenv("GAPLAB_HOME", str(tmp_path / "home"))
    return _record(_lab(tmp_path / "labs"))


def _changed(lab: Lab, **told: Any) -> Lab:
    """The lab after some trials of its reference were put otherwise."""
    found = json.loads(reference.path(lab).read_text())
    for entry in found["trials"]:
        entry.update(told)
    reference.path(lab).write_text(json.dumps(found))
    return lab


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.id)
def test_every_figure_is_drawn_from_the_reference_that_is_there(lab: Lab) -> None:
    assert figures.stale(lab) == [], "type: .venv/bin/python -m labs.kit.document"


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.id)
def test_every_readme_shows_its_figures(lab: Lab) -> None:
    text = (lab.folder / "README.md").read_text()
    assert document.filled(text, figures.parts(lab)) == text, "type: .venv/bin/python -m labs.kit.document"


def test_the_readme_shows_both_themes_and_says_what_was_drawn(lab: Lab) -> None:
    assert {at.name for at in document.draw(lab)} == {"rewards-light.svg", "rewards-dark.svg"}
    text = (lab.folder / "README.md").read_text()
    assert '<img alt="Rewards &amp; their mean" src="figures/rewards-light.svg">' in text
    assert 'dark)" srcset="figures/rewards-dark.svg">' in text
    assert "In the book: Figure 2.2. Recorded trials: full, 5 seeds." in text
    assert figures.stale(lab) == []
    assert document.draw(lab) == [], "what is fresh is not drawn again"


def test_the_same_bytes_in_another_process(lab: Lab) -> None:
    """Ids come from a salt and no date is written, or every recording would change every figure."""
    document.draw(lab)
    first = {at: at.read_bytes() for at in (lab.folder / "figures").iterdir()}
    for at in first:
        at.unlink()
    code = f"from labs.kit import catalogue, figures; figures.write(catalogue.pick(['{lab.id}'])[0])"
    told = {**os.environ, "GAPLAB_LABS": str(lab.folder.parents[1])}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=places.ROOT, env=told)
    assert {at: at.read_bytes() for at in (lab.folder / "figures").iterdir()} == first


@pytest.mark.parametrize("edit", ["reference", "svg", "words", "stray", "gone"])
def test_a_figure_is_stale_when_what_it_shows_has_moved(lab: Lab, edit: str) -> None:
    document.draw(lab)
    at = figures.path(lab, "rewards", "dark")
    if edit == "reference":
        _changed(lab, curves={"curve.mean_reward": [[1, 2], [0.5, 0.5]]})
    elif edit == "svg":
        at.write_text(at.read_text().replace("flips", "flops"))
    elif edit == "words":
        toml = lab.folder / "lab.toml"
        toml.write_text(toml.read_text().replace('x = "flips"', 'x = "throws"'))
        lab = catalogue.read(lab.folder)
    elif edit == "stray":
        at = at.with_name("forgotten-light.svg")
        at.write_text("<svg/>")
    else:
        at.unlink()
    assert at in figures.stale(lab)
    document.draw(lab)
    assert figures.stale(lab) == ([at] if edit == "stray" else [])


def test_words_that_are_not_drawn_make_nothing_stale(lab: Lab) -> None:
    """The title stands in the README; the SVGs need not be drawn again for it."""
    document.draw(lab)
    toml = lab.folder / "lab.toml"
    toml.write_text(toml.read_text().replace("Rewards &", "All rewards &"))
    assert document.draw(catalogue.read(lab.folder)) == []
    assert "All rewards &amp;" in (lab.folder / "README.md").read_text()


def test_nothing_is_drawn_before_something_is_recorded(lab: Lab) -> None:
    reference.path(lab).unlink()
    assert document.draw(lab) == []
    assert figures.parts(lab) == {"figure rewards": ""}
    assert len(figures.stale(lab)) == 2


def test_quick_trials_are_drawn_where_full_ones_are_not_recorded(lab: Lab) -> None:
    _changed(lab, preset="quick")
    document.draw(lab)
    assert "Recorded trials: quick, 5 seeds." in (lab.folder / "README.md").read_text()


def test_the_band_is_students_interval_over_seeds(lab: Lab) -> None:
    (drawn,) = figures.drawings(lab)
    found = reference.load(lab)
    assert found is not None
    of = [found.curves[row.key]["curve.mean_reward"] for row in found.rows if row.variant == "fair"]
    first = [values[0] for _, values in of]
    assert len(first) == 5
    point, half = drawn.lines[0].points[0], 2.7764 * (sum((x - sum(first) / 5) ** 2 for x in first) / 20) ** 0.5
    assert point.measured == pytest.approx(sum(first) / 5)
    assert (point.low, point.high) == pytest.approx((point.measured - half, point.measured + half), rel=1e-4)
    assert point.predicted == 0.3


def test_along_a_setting_each_variant_is_a_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAPLAB_HOME", str(tmp_path / "home"))
    more = '[variants.often]\nrate = 0.7\n\n[figures.rewards]\ntitle = "By rate"\nclaims = ["mean_reward"]\n'
    more += 'variants = ["often", "fair", "lossy"]\nx = "rate"\ny = "reward"\nalong = "rate"\n'
    lab = _record(_lab(tmp_path / "labs", more))
    (drawn,) = figures.drawings(lab)
    assert [line.label for line in drawn.lines] == ["lost 0.0", "lost 0.5"], "two variants stand at the same rate"
    assert [(point.x, point.predicted) for point in drawn.lines[0].points] == [(0.3, 0.3), (0.7, 0.7)]
    assert all(point.low < point.measured < point.high for line in drawn.lines for point in line.points)
    assert len(document.draw(lab)) == 2


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ({"curves": {}}, "has no curve of 'mean_reward' in 'fair'"),
        ({"variant": "fair"}, "has no trial of 'lossy'"),
    ],
)
def test_a_reference_that_lacks_what_a_figure_shows_is_refused(lab: Lab, edit: dict[str, Any], said: str) -> None:
    with pytest.raises(LabError, match=said) as problem:
        document.draw(_changed(lab, **edit))
    assert len(str(problem.value).splitlines()) == 3
    assert "gaplab record foundations/coin" in str(problem.value)


def test_a_readme_without_a_place_for_a_figure_is_refused(lab: Lab) -> None:
    (lab.folder / "README.md").write_text("# Coin\n")
    with pytest.raises(LabError, match="has no place for the figure rewards"):
        document.draw(lab)
    assert not (lab.folder / "figures").exists()


def test_a_logarithm_needs_something_above_zero(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A point without a logarithm is left out; a line without any other is refused."""
    monkeypatch.setenv("GAPLAB_HOME", str(tmp_path / "home"))
    lab = _record(_lab(tmp_path / "labs", SHOWN + 'scale = "log-x"\n'))
    (drawn,) = figures.drawings(lab)
    assert [line.points[0].x for line in drawn.lines] == [1, 1]
    with pytest.raises(LabError, match="no point of fair is above 0"):
        figures.drawings(_changed(lab, curves={"curve.mean_reward": [[0], [0.5]]}))


def test_recording_a_lab_draws_its_figures(lab: Lab) -> None:
    """The trials are finished here, so the command only writes the reference and what is drawn from it."""
    from typer.testing import CliRunner

    from labs.kit.cli import app

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GAPLAB_LABS", str(lab.folder.parents[1]))
        said = CliRunner().invoke(app, ["record", "coin"])
    assert said.exit_code == 0, said.output
    assert "rewards-dark.svg" in said.output.replace("\n", "")
    assert figures.stale(lab) == []
