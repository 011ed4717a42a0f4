"""Stopping touches what was started and nothing else, whatever a crash has left behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from labs.kit import services
from labs.kit.services import supervision
from tests.kit.services.conftest import free_ports, listens, wait_for

pytestmark = pytest.mark.trial
Serve = Callable[[int], subprocess.Popen[bytes]]


def test_down_leaves_nothing_of_ours_and_all_of_theirs(home: Path, foreign: Serve) -> None:
    """By pid, never by name: another server of the same Python goes on."""
    port = free_ports(1)[0]
    theirs = foreign(port)
    services.start(["mlflow", "jupyter"])
    manager = psutil.Process(int((home / "services" / "supervisord.pid").read_text()))
    ours = [manager, *manager.children(recursive=True)]
    assert len(ours) >= 3
    assert services.stop()
    assert not [process for process in ours if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
    assert theirs.poll() is None
    assert listens(port)
    assert not services.stop(), "there is nothing left to stop"


def test_a_pid_that_now_belongs_to_somebody_else_is_left_alone(home: Path) -> None:
    """After a power cut the pid file is still there, and its pid may be anybody's."""
    somebody = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    (home / "services").mkdir()
    (home / "services" / "supervisord.pid").write_text(str(somebody.pid))
    assert not services.stop()
    assert {state.state for state in services.status()} == {"stopped"}
    assert somebody.poll() is None
    somebody.kill()
    somebody.wait()


def test_a_process_manager_that_hangs_is_ended_with_its_services(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "ANSWER", 0.5)
    services.start(["jupyter"])
    jupyter = {state.name: state.pid for state in services.status()}["jupyter"]
    os.kill(int((home / "services" / "supervisord.pid").read_text()), signal.SIGSTOP)
    assert services.stop()
    wait_for(lambda: not psutil.pid_exists(jupyter))


def test_a_process_manager_on_its_way_out_is_no_crash_of_whoever_asks(home: Path) -> None:
    """Ctrl-C while services stop leaves it ending: it refuses every question then, and the next command asks some."""
    services.start(["jupyter"])
    supervision.ask("shutdown")
    asked = 0
    while supervision.is_running():
        assert not supervision.answers()
        assert {state.state for state in services.status()} == {"stopped"}
        asked += 1
    assert asked


def test_two_commands_at_once_start_each_service_once(home: Path) -> None:
    command = [sys.executable, "-c", "from labs.kit import services; services.start(['jupyter'])"]
    both = [subprocess.Popen(command) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    said = (home / "services" / "supervisord.log").read_text()
    assert said.count("supervisord started") == 1
    assert said.count("spawned: 'jupyter'") == 1


def test_a_torn_or_stale_note_is_made_again(home: Path) -> None:
    """A kill or a full disk may leave anything in the notes; they are worth no error."""
    folder = home / "services"
    folder.mkdir()
    for name in ("ports.json", "started.json"):
        (folder / name).write_text('{"mlflow": 50')
    (folder / "supervisor.sock").write_text("")
    (folder / "supervisord.pid").write_text("")
    services.start(["jupyter"])
    assert {state.name: state.state for state in services.status()}["jupyter"] == "healthy"
