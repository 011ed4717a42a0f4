"""The doctor finds what was broken on purpose, and says what to type."""

import json
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from labs.kit import services, tracking
from labs.kit.doctor import diagnose, doctor
from labs.kit.examine import Finding, State
from labs.kit.services import database
from labs.kit.services.known import JUPYTER
from labs.kit.services.ports import ports
from tests.kit import records
from tests.kit.folders import write_lab

Serve = Callable[[int], subprocess.Popen[bytes]]


@pytest.fixture(autouse=True)
def labs(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One lab, which a test may break."""
    monkeypatch.setenv("GAPLAB_LABS", str(home / "labs"))
    return write_lab(home / "labs")


def _found(what: str) -> Finding:
    return next(one for one in diagnose() if one.what == what)


def _died() -> Path:
    """The record of a trial whose process did not live to end it."""
    return records.write(records.trial(), points=[(0, {"mean_reward": 0.3})], status=None)


def test_a_fresh_home_has_notes_and_no_ills(home: Path) -> None:
    found = {one.what: one for one in diagnose()}
    assert found["python"].state is State.WELL
    assert found["dashboard"].state is State.NOTE
    assert found["dashboard"].remedy == "make up"
    assert found["records"].told.startswith("0 attempts")
    assert not [one for one in found.values() if one.state is State.ILL and one.what != "uv"]


def test_whatever_is_not_well_says_what_to_type(home: Path) -> None:
    """But a busy machine: that is nobody's mistake."""
    database.path().write_text("no database" * 100)
    notes = [one for one in diagnose() if one.state is not State.WELL and one.what not in ("cores", "memory")]
    assert len(notes) > 4
    assert [one.what for one in notes if not one.remedy] == []


def test_a_lab_that_cannot_be_read_is_one_finding_among_the_others(home: Path, labs: Path) -> None:
    (labs / "lab.toml").write_text("title = ")
    found = {one.what: one for one in diagnose()}
    assert found["labs"].state is State.ILL
    assert "lab.toml" in found["labs"].told
    assert {"memory", "database", "records", "stack tabular"} <= found.keys()


def test_a_taken_port_is_found_before_make_up_stumbles_over_it(home: Path, foreign: Serve) -> None:
    port = ports()[JUPYTER.name]
    theirs = foreign(port)
    told = _found("jupyter")
    assert told.state is State.ILL
    assert f"port {port} is taken by" in told.told
    assert f"pid {theirs.pid}" in told.told
    assert told.remedy.startswith("make up GAPLAB_JUPYTER_PORT=")


def test_a_locked_database_is_found(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "PATIENCE", 0.1)
    database.prepare()
    writer = sqlite3.connect(database.path(), isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    assert _found("database").state is State.ILL
    writer.execute("ROLLBACK")
    assert _found("database").state is State.WELL


def test_a_changed_byte_in_a_record_is_found_and_its_file_named(home: Path) -> None:
    record = _died()
    record.write_bytes(record.read_bytes().replace(b'reward":0.3', b'reward":0.4'))
    told = _found("records")
    assert told.state is State.ILL
    assert str(record) in told.told
    assert str(record) in told.remedy


def test_a_torn_last_line_is_no_damage(home: Path) -> None:
    """It is what a kill leaves; the reader stops before it."""
    with _died().open("ab") as file:
        file.write(b'12345678 {"i":2,')
    assert _found("records").state is State.WELL


def test_json_is_one_value_and_the_exit_code_says_ill(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    database.path().write_text("no database" * 100)
    assert doctor(json=True) == 1
    told = {one["what"]: one for one in json.loads(capsys.readouterr().out)}
    assert told["database"]["state"] == "ill"


@pytest.mark.trial
def test_what_died_is_sent_and_ended(home: Path) -> None:
    """A run left RUNNING looks like a trial that never ends."""
    _died()
    assert _found("recording").told == "1 attempts wait for MLflow"
    services.start(["mlflow"])
    assert _found("recording").state is State.WELL
    assert _found("running").state is State.WELL
    mlflow = tracking.client(services.tracking_uri())
    runs = mlflow.search_runs(tracking.experiments(mlflow))
    assert [run.info.status for run in runs] == ["KILLED"]
    assert runs[0].data.metrics == {"mean_reward": 0.3}
