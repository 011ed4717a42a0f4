"""What the reader is told when the services cannot start: what is wrong and where, why it matters, what to type."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from labs.kit import services
from labs.kit.errors import LabError
from labs.kit.services import database, token
from labs.kit.services.known import DASHBOARD, JUPYTER, MLFLOW
from labs.kit.services.ports import ports

Serve = Callable[[int], subprocess.Popen[bytes]]


def test_a_port_of_somebody_else_is_named_with_its_program(home: Path, foreign: Serve) -> None:
    port = ports()[MLFLOW.name]
    theirs = foreign(port)
    with pytest.raises(LabError) as told:
        services.start()
    said = str(told.value)
    assert f"Port {port}, where MLflow is to listen, is taken by python" in said
    assert f"(pid {theirs.pid})" in said
    assert "make up GAPLAB_MLFLOW_PORT=" in said
    assert theirs.poll() is None
    assert {state.state for state in services.status()} == {"stopped"}, "nothing is half started"


@pytest.mark.parametrize("told", ["abc", "80", "70000", "-1", "٥٠٠٠"])
def test_what_is_no_port_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch, told: str) -> None:
    monkeypatch.setenv(MLFLOW.variable, told)
    with pytest.raises(LabError, match=f"{MLFLOW.variable} is .*which is not a port"):
        services.start()


def test_two_services_on_one_port_are_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(JUPYTER.variable, str(ports()[DASHBOARD.name]))
    with pytest.raises(LabError, match="were both given port"):
        services.start()


def test_an_unknown_service_is_refused_with_the_near_one(home: Path) -> None:
    with pytest.raises(LabError, match="Is 'jupyter' meant"):
        services.start(["jupiter"])


def test_a_locked_database_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "PATIENCE", 0.2)
    database.prepare()
    writer = sqlite3.connect(database.path(), isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    with pytest.raises(LabError, match=r"mlflow\.db: the database is locked"):
        services.start()
    writer.execute("ROLLBACK")
    database.prepare()


def test_a_read_only_database_is_named(home: Path) -> None:
    """Root may write anywhere, so the command runs without that right."""
    database.prepare()
    database.path().chmod(0o444)
    home.chmod(0o555)
    dropped = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    start = "from labs.kit.services import database; database.prepare()"
    told = subprocess.run([*dropped, sys.executable, "-c", start], capture_output=True, text=True, check=False)
    home.chmod(0o755)
    assert "mlflow.db: the database cannot be written" in told.stderr
    assert "chmod u+w" in told.stderr


def test_a_damaged_database_is_named(home: Path) -> None:
    database.path().write_text("this is no database, only some text that is longer than its header would be" * 20)
    with pytest.raises(LabError, match="SQLite cannot use this file"):
        services.start()


@pytest.mark.parametrize("bad", ["", "\n", "short", "0" * 48 + "\n"])
def test_a_token_that_would_not_protect_is_replaced(home: Path, bad: str) -> None:
    """Jupyter with an empty token file serves anybody; a newline becomes part of the token and locks its owner out."""
    token.token()
    token.path().write_text(bad)
    token.path().chmod(0o644)
    made = token.token()
    assert len(made) == 48
    assert token.path().read_text() == made
    assert token.path().stat().st_mode & 0o777 == 0o600
    assert token.token() == made


@pytest.mark.trial
def test_a_service_that_cannot_start_says_what_its_log_says(home: Path) -> None:
    """Here a database of an MLflow that does not exist."""
    database.prepare()
    with sqlite3.connect(database.path()) as link:
        link.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        link.execute("INSERT INTO alembic_version VALUES ('from_the_future')")
    with pytest.raises(LabError) as told:
        services.start(["mlflow"])
    assert "MLflow did not start" in str(told.value)
    assert "mlflow.log" in str(told.value)
    assert "from_the_future" in str(told.value)
