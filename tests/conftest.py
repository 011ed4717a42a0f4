"""What several folders of tests share."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.server import Server

if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # started in the background: what it starts would never hear Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One tracking server for every test that only needs one to be there: it takes seconds to start."""
    started = Server(tmp_path_factory.mktemp("server")).start()
    yield started
    started.kill()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty GAPLAB_HOME: trials, mirror and databases of this test alone."""
    monkeypatch.setenv("GAPLAB_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("GAPLAB_TRIALS", raising=False)
    return tmp_path / "home"
