"""compose.yaml with a real engine: from nothing to healthy, who is let in, what survives; ports of this test's own."""

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs.kit import rest
from labs.kit.shipper import ship_all
from tests.faults.server import free_port
from tests.images.conftest import docker
from tests.kit.records import trial, write

pytestmark = pytest.mark.container

NAMES = ("dashboard", "mlflow", "tabular")
STAYING = {"database", "tracking", "dashboard", "tabular"}
WAYS_OUT = "import socket; socket.create_connection(({host!r}, {port}), 3); print('in')"


class Project:
    """The services under a name of this test's own."""

    def __init__(self) -> None:
        self.ports = {name: free_port() for name in NAMES}
        self.name = f"gaplab-test-{os.getpid()}"

    def compose(self, *arguments: str, check: bool = True) -> str:
        told = {f"GAPLAB_{name.upper()}_PORT": str(port) for name, port in self.ports.items()}
        return docker("compose", "-p", self.name, "--profile", "tabular", *arguments, check=check, **told).stdout

    def container(self, service: str) -> str:
        return f"{self.name}-{service}-1"

    def inside(self, service: str, *command: str, check: bool = True) -> str:
        done = docker("exec", self.container(service), *command, check=check)
        return (done.stdout + done.stderr).strip()

    def ask(self, name: str, path: str, said: bytes | None = None, /, **headers: str) -> tuple[int, str]:
        """The status code and the text of an answer; what is said is posted."""
        asked = urllib.request.Request(f"http://127.0.0.1:{self.ports[name]}{path}", said, headers)
        try:
            with urllib.request.urlopen(asked, timeout=10) as told:
                return told.status, told.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, ""

    @property
    def token(self) -> dict[str, str]:
        return {"Authorization": f"token {self.inside('tabular', 'cat', '/run/secrets/jupyter/token')}"}


@pytest.fixture(scope="module")
def project(built: None) -> Iterator[Project]:
    """All services, from empty volumes."""
    made = Project()
    try:
        made.compose("up", "-d", "--wait")
        yield made
    finally:
        made.compose("down", "-v", check=False)


def test_everything_is_healthy_and_the_links_are_told(project: Project) -> None:
    told = [json.loads(line) for line in project.compose("ps", "--format", "json").splitlines()]
    assert {one["Service"] for one in told if one["Health"] == "healthy"} == STAYING
    for line in project.compose("logs", "--no-log-prefix", "secrets").splitlines():
        name, link, *_ = line.split()
        assert name not in project.ports or f":{project.ports[name]}" in link


@pytest.mark.parametrize("service", sorted(STAYING))
def test_a_service_has_no_rights_and_writes_nowhere(project: Project, service: str) -> None:
    status = project.inside(service, "cat", "/proc/1/status")
    told = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert int(told["CapEff"], 16) == int(told["CapBnd"], 16) == 0
    assert told["NoNewPrivs"] == "1"
    assert told["Uid"].split()[0] != "0"
    assert "Read-only file system" in project.inside(service, "sh", "-c", "echo 1 >/usr/x", check=False)


def test_no_port_is_open_to_other_machines(project: Project) -> None:
    for service in STAYING:
        told = json.loads(docker("inspect", project.container(service)).stdout)[0]["NetworkSettings"]["Ports"]
        assert all(bound["HostIp"] == "127.0.0.1" for ports in told.values() for bound in ports or [])


def test_jupyter_lets_in_who_has_the_token_and_nobody_else(project: Project) -> None:
    assert project.ask("tabular", "/api/status")[0] == 403
    assert project.ask("tabular", "/api/status", Authorization="token wrong")[0] == 403
    assert project.ask("tabular", "/api/status?token=")[0] == 403
    assert project.ask("tabular", "/api/status", **project.token)[0] == 200
    assert project.ask("tabular", "/api/status", **project.token, Host="evil.example")[0] == 403


def test_mlflow_and_the_dashboard_answer_under_their_own_names_alone(project: Project) -> None:
    search = "/api/2.0/mlflow/experiments/search?max_results=1"
    assert project.ask("mlflow", search)[0] == 200
    assert project.ask("mlflow", search, Host="evil.example")[0] == 403
    made = ("/api/2.0/mlflow/experiments/create", b'{"name": "x"}')
    json_told = {"Content-Type": "application/json"}
    assert project.ask("mlflow", *made, **json_told, Origin="http://evil.example")[0] == 403
    assert project.ask("dashboard", "/")[0] == 200
    assert project.ask("dashboard", "/", Host="evil.example")[0] == 400


def test_a_stack_reaches_mlflow_and_neither_database_nor_dashboard(project: Project) -> None:
    def way(host: str, port: int) -> str:
        return project.inside("tabular", "python", "-c", WAYS_OUT.format(host=host, port=port), check=False)

    assert way("tracking", 5000) == "in"
    networks = json.loads(docker("inspect", project.container("database")).stdout)[0]["NetworkSettings"]["Networks"]
    address = next(iter(networks.values()))["IPAddress"]
    for host, port in (("database", 5432), (address, 5432), ("dashboard", 8501), ("tracking", 5432)):
        assert way(host, port) != "in"


def test_the_database_wants_its_password(project: Project) -> None:
    """And no command line, environment or inspection tells it."""
    password = project.inside("database", "cat", "/run/secrets/database/password")
    asked = ("psql", "-h", "127.0.0.1", "-U", "mlflow", "-w", "-c", "select 1")
    assert "no password supplied" in project.inside("database", *asked, check=False)
    assert len(password) == 48
    for service in STAYING:
        assert password not in docker("inspect", project.container(service)).stdout
    assert password not in docker("top", project.container("tracking"), "-eo", "pid,args").stdout


def test_a_notebook_s_kernel_is_the_stack(project: Project) -> None:
    specs = json.loads(project.ask("tabular", "/api/kernelspecs", **project.token)[1])
    assert list(specs["kernelspecs"]) == ["gaplab-tabular"]
    run = ("/opt/jupyter/bin/python", "-m", "nbconvert", "--execute", "--to", "notebook", "--stdout")
    told = json.loads(
        docker("exec", project.container("tabular"), *run, "labs/foundations/random_walk/notebook.ipynb").stdout
    )
    cells = [cell for cell in told["cells"] if cell["cell_type"] == "code"]
    assert any(cell["outputs"] for cell in cells)


def test_trials_are_recorded_on_postgresql_and_survive_its_death(project: Project, home: Path) -> None:
    """The server that ran on through it goes on recording, and nothing is doubled."""
    uri = f"http://127.0.0.1:{project.ports['mlflow']}"
    write(trial(seed=0), {"mean_reward": 0.5}, [(1, {"reward": 0.25})])
    assert not ship_all(uri).problems
    database = project.container("database")
    pid = json.loads(docker("inspect", database).stdout)[0]["State"]["Pid"]
    docker("exec", database, "sh", "-c", "kill -9 $(head -1 $PGDATA/postmaster.pid)", check=False)
    _wait_until_healthy(database, pid)
    write(trial(seed=1), {"mean_reward": 0.5}, [(1, {"reward": 0.25})])
    end = time.monotonic() + 30
    while ship_all(uri).away and time.monotonic() < end:
        time.sleep(1)
    mlflow = rest.Mlflow(uri)
    runs = [run for page in mlflow.runs(mlflow.experiments()) for run in page]
    assert sorted(rest.pairs(run["data"]["tags"])["seed"] for run in runs) == ["0", "1"]


def test_down_and_up_again_keeps_everything(project: Project) -> None:
    token = project.token
    project.compose("down")
    project.compose("up", "-d", "--wait")
    assert project.token == token
    assert project.ask("tabular", "/api/status", **token)[0] == 200
    uri = f"http://127.0.0.1:{project.ports['mlflow']}"
    assert rest.Mlflow(uri).experiments()


def _wait_until_healthy(name: str, old: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        state = json.loads(docker("inspect", name).stdout)[0]["State"]
        if state["Pid"] not in (0, old) and state["Health"]["Status"] == "healthy":
            return
        time.sleep(0.5)
    raise AssertionError(f"{name} did not come back")
