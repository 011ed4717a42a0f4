"""All three services, really running, in a home whose path is longer than the kernel allows for a socket."""

import os
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
import requests

from labs.kit import places, services
from labs.kit.errors import LabError
from labs.kit.services.known import JUPYTER, MLFLOW, SERVICES
from tests.kit.services.conftest import free_ports, move_in, wait_for

pytestmark = pytest.mark.trial
Serve = Callable[[int], subprocess.Popen[bytes]]


@pytest.fixture(scope="module")
def links(tmp_path_factory: pytest.TempPathFactory) -> Iterator[services.Links]:
    """Started once, with an environment that would open Jupyter or upset supervisord if it were listened to."""
    deep = tmp_path_factory.mktemp("a" * 60) / ("b" * 60)
    open_to_all = deep / "open_to_all"
    open_to_all.mkdir(parents=True)
    (open_to_all / "jupyter_server_config.py").write_text("c.IdentityProvider.token = ''\n")
    with pytest.MonkeyPatch.context() as monkeypatch:
        move_in(deep, monkeypatch)
        monkeypatch.setenv("JUPYTER_TOKEN", "")
        monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(open_to_all))
        monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(open_to_all))
        monkeypatch.setenv("PROMPT_WITH_PERCENT", "100% %(nonsense)s")
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        try:
            yield services.start()
        finally:
            services.stop()


def _get(url: str, **headers: str) -> requests.Response:
    return _send("GET", url, headers=headers)


def _send(method: str, url: str, **told: Any) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, url, timeout=10, **told)


def _pids() -> dict[str, int]:
    return {state.name: state.pid for state in services.status()}


def test_every_service_is_healthy_and_says_what_it_takes(links: services.Links) -> None:
    for state in services.status():
        assert state.state == "healthy"
        assert 10 < state.memory < 1000
        assert state.seconds > 0
        assert state.link == links.of(state.name)


def test_starting_again_starts_nothing(links: services.Links) -> None:
    before = _pids()
    assert services.start() == links
    assert _pids() == before


def test_nothing_listens_beyond_this_machine(links: services.Links) -> None:
    """Jupyter runs code and MLflow deletes runs: neither may be reached from the network."""
    for pid in _pids().values():
        listening = [c for c in psutil.Process(pid).net_connections() if c.status == psutil.CONN_LISTEN]
        assert listening
        assert {c.laddr.ip for c in listening} == {"127.0.0.1"}


def test_mlflow_answers_its_own_name_alone(links: services.Links) -> None:
    """A page that re-points its own host name at 127.0.0.1 (DNS rebinding) must be refused."""
    url = f"{links.mlflow}/api/2.0/mlflow/experiments/get-by-name?experiment_name=Default"
    assert _get(url).status_code == 200
    for host in ("evil.example", "10.evil.com", "127.0.0.1:1", "mlflow:5000"):
        assert _get(url, Host=host).status_code == 403, host


def test_mlflow_serves_no_assistant(links: services.Links) -> None:
    """It would run shell commands for any page from localhost."""
    for path in ("/ajax-api/3.0/mlflow/assistant/config", "/ajax-api/3.0/mlflow/assistant/providers/x/health"):
        assert _get(links.mlflow + path).status_code == 404
        assert "does not serve" in _get(links.mlflow + path).text


def test_mlflow_keeps_artifacts_at_home(links: services.Links) -> None:
    """Labs and notebooks reach artifacts through the server, wherever they run."""
    url = f"{links.mlflow}/api/2.0/mlflow-artifacts/artifacts/probe.txt"
    assert _send("PUT", url, data=b"hello").status_code == 200
    assert (places.home() / "artifacts" / "probe.txt").read_bytes() == b"hello"


def test_the_database_is_in_write_ahead_mode(links: services.Links) -> None:
    """In MLflow's own mode an open reader makes every writer fail after 20 s."""
    assert sqlite3.connect(places.home() / "mlflow.db").execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_jupyter_lets_nobody_in_without_the_token(links: services.Links) -> None:
    at = urlsplit(links.jupyter)
    api = f"http://{at.netloc}/api/kernels"
    assert _get(api).status_code == 403
    assert _get(f"{api}?token=").status_code == 403
    assert _get(f"{api}?{at.query}").status_code == 200
    assert _get(f"{api}?{at.query}", Host="evil.example").status_code == 403


def test_the_token_is_private_and_ends_in_no_newline(links: services.Links) -> None:
    path = places.home() / "services" / "jupyter_token"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert links.jupyter.endswith(f"token={path.read_text()}")
    assert len(path.read_text()) == 48


def test_jupyter_offers_the_kernels_of_the_lab_stacks_alone(links: services.Links) -> None:
    at = urlsplit(links.jupyter)
    told = _get(f"http://{at.netloc}/api/kernelspecs?{at.query}").json()["kernelspecs"]
    assert {"gaplab-grpo", "gaplab-ppo", "gaplab-tabular"} <= set(told)
    assert all(name.startswith("gaplab-") for name in told)


@pytest.mark.parametrize("name", SERVICES)
def test_a_killed_service_comes_back(links: services.Links, name: str) -> None:
    killed = _pids()[name]
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: {s.name: s.state for s in services.status()}[name] == "healthy" and _pids()[name] != killed)


def test_a_service_moves_to_another_port_alone(links: services.Links, monkeypatch: pytest.MonkeyPatch) -> None:
    before, port = _pids(), free_ports(1)[0]
    monkeypatch.setenv(JUPYTER.variable, str(port))
    moved = services.start()
    after = _pids()
    assert f":{port}/" in moved.jupyter
    assert {name for name in after if after[name] != before[name]} == {"jupyter"}
    monkeypatch.delenv(JUPYTER.variable)
    assert services.links() == moved, "a later command finds the port without being told"


def test_a_service_stays_where_it_is_if_it_cannot_move(
    links: services.Links, foreign: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, port = _pids(), free_ports(1)[0]
    foreign(port)
    with monkeypatch.context() as patch:
        patch.setenv(MLFLOW.variable, str(port))
        with pytest.raises(LabError, match=f"Port {port}"):
            services.start()
    assert _pids() == before
    assert services.links().mlflow == links.mlflow


def test_records_survive_a_killed_process_manager(links: services.Links, tmp_path: Path) -> None:
    """Services end with it, so that no `down` can miss one; starting again goes on with the same database."""
    made = _send("POST", f"{links.mlflow}/api/2.0/mlflow/experiments/create", json={"name": "kept"})
    assert made.status_code == 200
    pids = _pids()
    os.kill(int((places.home() / "services" / "supervisord.pid").read_text()), signal.SIGKILL)
    wait_for(lambda: not any(psutil.pid_exists(pid) for pid in pids.values()))
    assert {state.state for state in services.status()} == {"stopped"}
    again = services.start(["mlflow"])
    found = _get(f"{again.mlflow}/api/2.0/mlflow/experiments/get-by-name?experiment_name=kept")
    assert found.status_code == 200
