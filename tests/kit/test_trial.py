"""One trial, run for real into its record: what is written, and what a bad lab is told."""

from pathlib import Path

import numpy as np
import pytest

from labs.kit import catalogue, spool, trial
from labs.kit.errors import LabError
from labs.kit.plan import Trial, plan
from tests.kit.folders import PRACTICE, THEORY, write_lab


@pytest.fixture
def planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trial:
    monkeypatch.setenv("GAPLAB_HOME", str(tmp_path / "home"))
    return plan([catalogue.read(write_lab(tmp_path / "labs"))], "quick")[0]


def _edit(planned: Trial, name: str, text: str) -> None:
    (Path(planned.lab_folder) / name).write_text(text)


def test_a_trial_records_setting_measurement_and_prediction(planned: Trial) -> None:
    trial.run(planned)
    ended = spool.finished(planned.folder)
    assert ended is not None
    assert ended.values["predicted.mean_reward"] == 0.3
    assert ended.values["mean_reward"] == pytest.approx(0.3, abs=0.05)
    assert ended.values["kept"] == 1000
    assert ended.tags["recipe"] == planned.recipe
    assert ended.points[0][1] == {"curve.mean_reward": ended.values["mean_reward"]}


def test_a_finished_trial_is_not_run_again(planned: Trial) -> None:
    trial.run(planned)
    trial.run(planned)
    assert len(spool.attempts(planned.folder)) == 1


def test_theory_may_lay_a_curve_beside_the_measured_one(planned: Trial) -> None:
    _edit(
        planned,
        "theory.py",
        THEORY + "\n\ndef mean_reward_curve(rate: float, step: int) -> float:\n    return rate * step\n",
    )
    trial.run(planned)
    ended = spool.finished(planned.folder)
    assert ended is not None
    assert (1000, {"predicted.curve.mean_reward": 300.0}) in ended.points


def test_an_array_is_handed_to_theory_and_kept_beside_the_record(planned: Trial) -> None:
    _edit(
        planned,
        "practice.py",
        PRACTICE.replace("import random", "import random\nimport numpy as np").replace(
            '"kept": float(len(kept))', '"shares": np.array([0.25, 0.75])'
        ),
    )
    _edit(
        planned,
        "theory.py",
        THEORY.replace("rate: float", "shares: object")
        .replace("return rate", "return shares[1]")
        .replace("mean_reward(0.25)", "mean_reward([0, 0.25])"),
    )
    trial.run(planned)
    ended = spool.finished(planned.folder)
    assert ended is not None
    assert ended.values["predicted.mean_reward"] == 0.75
    assert "shares" not in ended.values
    assert np.load(planned.folder / "0.npz")["shares"].tolist() == [0.25, 0.75]


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ('{"mean_reward": float("nan")}', "returned nan for 'mean_reward'"),
        ('{"mean_reward": float("inf")}', "returned inf for 'mean_reward'"),
        ('{"other": 1.0}', "returned nothing for 'mean_reward'"),
        ("None", "returned NoneType, not a dict"),
    ],
)
def test_what_was_not_measured_is_refused_and_recorded_as_failed(planned: Trial, returned: str, said: str) -> None:
    """Missing is not zero: the claim stays `not run`, and the record says why."""
    _edit(planned, "practice.py", f"def trial(seed, log, *, rate, flips, lost):\n    return {returned}\n")
    with pytest.raises(LabError, match=said.replace("(", r"\(")):
        trial.run(planned)
    last = spool.last(spool.attempts(planned.folder)[0])
    assert last is not None
    assert (last["status"], last["v"]) == ("FAILED", {})
    assert said in last["message"]
    assert not spool.is_finished(planned.folder)


def test_a_number_that_is_not_finite_is_recorded_by_name_and_never_as_a_point(planned: Trial) -> None:
    _edit(planned, "practice.py", PRACTICE.replace('log("curve', 'log("ratio", float("inf"), 1)\n    log("curve'))
    trial.run(planned)
    kinds = [entry for entry in spool.read(spool.attempts(planned.folder)[0]) if entry["is"] == "bad"]
    assert kinds[0]["k"] == {"ratio": "inf"}


def test_theory_asking_for_a_stranger_gets_the_near_name(planned: Trial) -> None:
    _edit(planned, "theory.py", THEORY.replace("rate: float", "rte: float").replace("return rate", "return rte"))
    with pytest.raises(LabError, match=r"asks for 'rte'.*Is 'rate' meant"):
        trial.run(planned)


def test_practice_and_setting_must_name_the_same_numbers(planned: Trial) -> None:
    _edit(planned, "practice.py", PRACTICE.replace("lost)", "lose)"))
    with pytest.raises(LabError, match="do not name the same numbers: lose, lost"):
        trial.run(planned)


def test_what_practice_raises_is_recorded_and_raised(planned: Trial) -> None:
    _edit(
        planned, "practice.py", "def trial(seed, log, *, rate, flips, lost):\n    raise ZeroDivisionError('no flips')\n"
    )
    with pytest.raises(ZeroDivisionError):
        trial.run(planned)
    last = spool.last(spool.attempts(planned.folder)[0])
    assert last is not None
    assert last["message"] == "ZeroDivisionError: no flips"


def test_ctrl_c_leaves_an_attempt_that_may_be_run_again(planned: Trial) -> None:
    _edit(planned, "practice.py", "def trial(seed, log, *, rate, flips, lost):\n    raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        trial.run(planned)
    last = spool.last(spool.attempts(planned.folder)[0])
    assert last is not None
    assert last["status"] == "KILLED"
