"""The watcher notices what happens to the labs and the trials of a home, and judges no more than it must."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dashboard import data
from dashboard.judging import Judging
from labs.kit import mirror_store
from labs.kit.gap import Verdict
from labs.kit.plan import plan
from labs.kit.words import Lab
from tests.dashboard import world
from tests.kit.records import write


def _until(true: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)


def _verdict(claim: str = "foundations/coin/mean", variant: str = "fair") -> Verdict:
    judged = data.watcher().seen().judged
    return next(one.gap.verdict for one in judged if (one.gap.claim.id, one.gap.variant) == (claim, variant))


def test_a_trial_that_ends_on_this_disk_is_judged_within_seconds(labs: list[Lab]) -> None:
    """Also with MLflow away: the records on this disk are enough."""
    assert _verdict() is Verdict.NOT_RUN
    for planned in plan(labs[:1], "quick"):
        if planned.variant == "fair":
            write(planned, {"mean": 0.5 + planned.seed / 1000, "predicted.mean": 0.5})
    _until(lambda: _verdict() is Verdict.HOLDS)
    assert data.watcher().seen().finished == 2


def test_a_running_trial_is_judged_when_it_ends(labs: list[Lab]) -> None:
    """Its folder was there before: only what is written inside tells."""
    first, second = (planned for planned in plan(labs[:1], "quick") if planned.variant == "fair")
    write(first, {"mean": 0.5, "predicted.mean": 0.5})
    write(second, status=None)
    _until(lambda: data.watcher().seen().finished == 1)
    write(second, {"mean": 0.501, "predicted.mean": 0.5})
    _until(lambda: _verdict() is Verdict.HOLDS)


def test_a_changed_tolerance_judges_old_trials_too(labs: list[Lab]) -> None:
    world.mirror(labs, world.near_theory(labs, {"mean": 3.0}))
    assert _verdict() is Verdict.GAP
    toml = labs[0].folder / "lab.toml"
    toml.write_text(toml.read_text().replace("within = 0.05", "within = 0.4"))
    _until(lambda: _verdict() is Verdict.HOLDS)


def test_a_lab_that_is_added_appears(labs: list[Lab], tmp_path: Path) -> None:
    assert len(data.watcher().seen().labs) == 2
    world.write(tmp_path / "labs" / "validation" / "new", world.CLIP, world.CLIP_THEORY)
    _until(lambda: len(data.watcher().seen().labs) == 3)


def test_nothing_new_keeps_the_version(labs: list[Lab]) -> None:
    """A page is drawn again for every version, so there is none without a reason."""
    world.mirror(labs, world.near_theory(labs))
    before = data.watcher().seen().version
    time.sleep(2.5)
    assert data.watcher().seen().version == before


def test_only_the_lab_that_changed_is_judged_again(labs: list[Lab]) -> None:
    judging = Judging()
    judging.look(stirred=True)
    before = dict(judging.known)
    world.mirror(labs[:1], world.near_theory(labs))
    assert judging.look(stirred=True)
    assert judging.known["integration/clip"] is before["integration/clip"]
    assert judging.known["foundations/coin"] != before["foundations/coin"]


def test_a_look_without_news_says_so(labs: list[Lab]) -> None:
    judging = Judging()
    assert judging.look(stirred=True)
    assert not judging.look(stirred=True)
    assert not judging.look(stirred=False)


def test_a_server_that_does_not_answer_is_said_and_takes_nothing_away(
    labs: list[Lab], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.mirror(labs, world.near_theory(labs))
    monkeypatch.setenv("GAPLAB_TRACKING_URI", "http://127.0.0.1:9")  # the discard port: nobody answers
    _until(lambda: bool(data.watcher().seen().away), seconds=60)
    assert "does not answer" in data.watcher().seen().away
    assert _verdict() is Verdict.HOLDS


def test_curves_come_from_the_records_on_this_disk(labs: list[Lab]) -> None:
    planned = plan(labs[:1], "quick")[0]
    points = [(step, {"curve.mean": step / 10, "loss": 1.0}) for step in range(4)]
    write(planned, {"mean": 0.5, "predicted.mean": 0.5}, points)
    row = next(row for one in data.watcher().seen().judged for row in one.rows if row.key == planned.key)
    assert data.watcher().curves(row) == {"curve.mean": ([0, 1, 2, 3], [0.0, 0.1, 0.2, 0.3])}


def test_a_mirror_that_cannot_be_read_is_said(labs: list[Lab], home: Path) -> None:
    """A thread that died in silence would leave a page that looks alive."""
    world.mirror(labs, world.near_theory(labs))
    assert _verdict() is Verdict.HOLDS
    good = mirror_store.path().read_bytes()
    for path in home.glob("mirror.db*"):
        path.unlink()
    mirror_store.path().write_bytes(b"this is no database" * 100)
    planned = plan(labs[:1], "quick")[0]
    write(planned, {"mean": 0.5, "predicted.mean": 0.5})
    _until(lambda: any("mirror.db: cannot be used" in known.wrong for known in data.watcher().seen().known.values()))
    assert _verdict() is Verdict.HOLDS, "what was known stays"
    mirror_store.path().write_bytes(good)
