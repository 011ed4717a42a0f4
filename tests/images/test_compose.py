"""compose.yaml with a real engine: from nothing to healthy, who is let in, what survives; ports of this test's own."""

import json
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.request import HTTPCookieProcessor, build_opener

import pytest

from labs.kit import rest
from tests.images.conftest import name_of
from tests.images.project import Project
from tests.images.sharing import gaplab
from tests.images.tool import docker

pytestmark = pytest.mark.container

STAYING = {"database", "tracking", "dashboard", "tabular"}
WAYS_OUT = "import socket; socket.create_connection(({host!r}, {port}), 3); print('in')"


def test_everything_is_healthy_and_the_links_are_told(project: Project) -> None:
    told = [json.loads(line) for line in project.compose("ps", "--format", "json").splitlines()]
    assert {one["Service"] for one in told if one["Health"] == "healthy"} == STAYING
    for line in project.compose("logs", "--no-log-prefix", "secrets").splitlines():
        name, link, *_ = line.split()
        assert name not in project.ports or f":{project.ports[name]}" in link


def test_the_command_tells_what_compose_has_started(project: Project, home: Path) -> None:
    """Nothing but compose was typed, so nothing in the home says so."""
    said = gaplab("status", home=home, COMPOSE_PROJECT_NAME=project.name).stdout.splitlines()
    assert {line.split()[1]: line.split()[2] for line in said[:4]} == dict.fromkeys(
        ("database", "mlflow", "dashboard", "tabular"), "healthy"
    )
    assert f":{project.ports['tabular']}/lab?token={project.token['Authorization'].split()[1]}" in said[3]
    assert "docker compose --profile all down" in gaplab("down", home=home, COMPOSE_PROJECT_NAME=project.name).stdout


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


def test_another_site_cannot_use_a_reader_s_session_with_jupyter(project: Project) -> None:
    """Who has opened the link has a cookie, which a browser sends along whoever asks."""
    link = f"http://127.0.0.1:{project.ports['tabular']}"
    token, session = project.token["Authorization"].split()[1], HTTPCookieProcessor(CookieJar())
    build_opener(session).open(f"{link}/lab?token={token}", timeout=10).close()
    cookie = "; ".join(f"{one.name}={one.value}" for one in session.cookiejar)
    for path in ("/api/status", "/api/kernels"):
        assert project.ask("tabular", path, Cookie=cookie, Origin=link)[0] == 200
        assert project.ask("tabular", path, Cookie=cookie, Origin="http://evil.example")[0] in (403, 404)
    assert project.ask("tabular", "/api/kernels", b"{}", Cookie=cookie, Origin=link)[0] == 403, "nor by a form"


def test_mlflow_and_the_dashboard_answer_under_their_own_names_alone(project: Project) -> None:
    search = "/api/2.0/mlflow/experiments/search?max_results=1"
    assert project.ask("mlflow", search)[0] == 200
    assert project.ask("mlflow", search, Host="evil.example")[0] == 403
    made = ("/api/2.0/mlflow/experiments/create", b'{"name": "x"}')
    json_told = {"Content-Type": "application/json"}
    assert project.ask("mlflow", *made, **json_told, Origin="http://evil.example")[0] == 403
    assert project.ask("dashboard", "/")[0] == 200
    assert project.ask("dashboard", "/", Host="evil.example")[0] == 400
    stream = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    stream["Sec-WebSocket-Key"] = "c2l4dGVlbiBieXRlcyBpbg=="
    assert project.ask("dashboard", "/_stcore/stream", **stream, Origin="http://evil.example")[0] == 403
    assert project.ask("dashboard", "/_stcore/stream", **stream, Origin="http://localhost:8501")[0] == 101


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


def test_in_its_terminal_labs_are_run_and_recorded(project: Project) -> None:
    work = "gaplab run short_corridor --variant best --seeds 2 && gaplab show short_corridor/optimum"
    said = project.inside("tabular", "sh", "-c", work)
    assert "2 run · " in said
    assert "not yet in MLflow" not in said
    assert "predicted" in said


@pytest.mark.parametrize("user", ["1000", "1001", "4242"])
def test_a_checkout_of_any_user_is_worked_in_by_way_of_compose(project: Project, tmp_path: Path, user: str) -> None:
    """By LAB_UID and LAB_GID: what is written in a notebook server is its owner's outside."""
    (tmp_path / "labs").mkdir()
    root = ("run", "--rm", "--network", "none", "--user", "0", "-v", f"{tmp_path}:/checkout", "--entrypoint", "chown")
    docker(*root, name_of("tabular"), "-R", f"{user}:{user}", "/checkout/labs")
    told = ("-f", "compose.yaml", "--project-directory", str(tmp_path), "run", "--rm", "--no-deps", "-T")
    work = "touch labs/note ~/note-$(id -u) && test -s /run/secrets/jupyter/token && python -c 'import numba'"
    project.compose(*told, "tabular", "sh", "-c", work, LAB_UID=user, LAB_GID=user)
    assert ((tmp_path / "labs/note").stat().st_uid, (tmp_path / "labs/note").stat().st_gid) == (int(user), int(user))


def test_down_and_up_again_keeps_everything(project: Project) -> None:
    token = project.token
    project.compose("down")
    project.compose("up", "-d", "--wait")
    assert project.token == token
    assert project.ask("tabular", "/api/status", **token)[0] == 200
    uri = f"http://127.0.0.1:{project.ports['mlflow']}"
    assert rest.Mlflow(uri).experiments()
