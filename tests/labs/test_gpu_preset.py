"""The preset `gpu` as far as it goes without a GPU: a small model under the Hub's name, in the Hub's own cache."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from labs.kit import catalogue, places, spool
from labs.kit.gap import Verdict
from labs.kit.plan import Trial, plan
from labs.kit.results import gaps, row_of
from labs.kit.run import run
from labs.kit.stack import Stack
from labs.kit.words import Lab

pytestmark = pytest.mark.trial
LABS = [lab for lab in catalogue.find(places.ROOT / "labs") if "gpu" in lab.presets]
REVISION = "0123456789abcdef0123456789abcdef01234567"


def test_some_lab_has_the_preset() -> None:
    """Else the tests below would look at nothing."""
    assert LABS


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.id)
def test_another_model_is_fetched_by_its_name_trained_and_measured(
    lab: Lab, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fewer steps, and nothing else than what a reader with a GPU would run; each trial says which revision it had."""
    model = str(lab.presets["gpu"].setting["model"])
    _hub(tmp_path / "hub", model, lab, monkeypatch)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    short = _shortened(lab, tmp_path / "labs")
    trials = plan([short], "gpu", seeds=1)
    assert run(trials, ship=False).failed == []
    ended = [(trial, _ended(trial)) for trial in trials]
    assert {attempt.tags["model"] for _, attempt in ended} == {f"{model} {REVISION}"}
    assert not any("base" in attempt.tags for _, attempt in ended)
    judged = gaps(short, [row_of(trial, attempt) for trial, attempt in ended], [])
    seen = [one.gap for one in judged if one.origin == "own"]
    assert {gap.variant for gap in seen} == set(short.presets["gpu"].variants)
    assert all(gap.verdict is Verdict.HOLDS for gap in seen if gap.claim.exact and gap.is_headline)
    assert all(gap.verdict is Verdict.GAP for gap in seen if gap.is_control)


def _ended(trial: Trial) -> spool.Attempt:
    ended = spool.finished(trial.folder)
    assert ended is not None
    return ended


def _hub(cache: Path, model: str, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a download leaves behind: the files of a revision, and the name that points to it."""
    with monkeypatch.context() as patch:
        patch.delenv("GAPLAB_HOME")
        python, shared = Stack(lab.stack).python, places.home()
    places.home().mkdir(parents=True)
    for name in ("stacks", "base"):
        (places.home() / name).symlink_to(shared / name)
    folder = cache / f"models--{model.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(REVISION)
    words = [str(python), "-m", "tests.kit.policy.small_model", str(folder / "snapshots" / REVISION)]
    subprocess.run(words, cwd=places.ROOT, env={**os.environ, "PYTHONPATH": str(places.ROOT)}, check=True)


def _shortened(lab: Lab, root: Path) -> Lab:
    """The lab with trainings of a few steps."""
    folder = shutil.copytree(lab.folder, root / lab.id)
    words = (folder / "lab.toml").read_text()
    (folder / "lab.toml").write_text(re.sub(r"^steps = .*$", "steps = 4", words, flags=re.MULTILINE))
    return catalogue.read(folder)
