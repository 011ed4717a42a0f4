"""`gaplab up --engine docker` as a reader types it: services, trials and a notebook server in containers, then none."""

import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs.kit import places, rest, standing
from labs.kit.services.ports import ports
from tests.faults.server import free_port
from tests.images.conftest import docker
from tests.kit.folders import write_lab

pytestmark = pytest.mark.container
PROJECT = f"gaplab-up-{os.getpid()}"


@pytest.fixture
def project(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A project, a home and ports of this test's own, with one small lab; nothing of it stays."""
    told = {"COMPOSE_PROJECT_NAME": PROJECT, "GAPLAB_LABS": str(home / "labs"), "GAPLAB_DEVICE": "cpu"}
    names = ("DASHBOARD", "MLFLOW", "JUPYTER", "TABULAR", "GRPO", "PPO", "EDITOR")
    for name, value in {**told, **{f"GAPLAB_{name}_PORT": str(free_port()) for name in names}}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("GAPLAB_TRACKING_URI", raising=False)
    write_lab(home / "labs")
    yield PROJECT
    docker("compose", "-p", PROJECT, "--profile", "all", "down", "-v", check=False)


def _gaplab(*words: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "labs.kit.cli", *words],
        cwd=places.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    return done.returncode, done.stdout


def _containers() -> list[str]:
    told = ("--filter", f"label=com.docker.compose.project={PROJECT}", "--format", "{{.Names}}")
    return docker("ps", "-a", *told).stdout.split()


def _answer(link: str) -> int:
    try:
        with urllib.request.urlopen(link, timeout=10) as told:
            return int(told.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def test_one_command_starts_everything_in_containers_and_one_ends_it(built: None, project: str) -> None:
    code, said = _gaplab("up", "--engine", "docker")
    assert code == 0, said
    lines = [line for line in said.splitlines() if line]
    assert lines[0].startswith(f"Dashboard  http://127.0.0.1:{ports()['dashboard']}"), "the page comes before any trial"
    assert lines[-3].startswith("1 lab, 1 claim · 1 hold")
    links = dict(re.findall(r"(\w+)  (http\S+)", lines[-2]))
    assert {name: _answer(link) for name, link in links.items()} == {"Dashboard": 200, "MLflow": 200, "Jupyter": 200}
    page, _, token = links["Jupyter"].partition("/lab?token=")
    assert _answer(f"{page}/api/status") == 403
    assert _answer(f"{page}/api/status?token={token}") == 200
    states = {state.name: state for state in standing.status()}
    assert {name: state.state for name, state in states.items()} == dict.fromkeys(
        ("database", "mlflow", "dashboard", "tabular"), "healthy"
    )
    assert states["tabular"].link == links["Jupyter"]
    assert links["Jupyter"] in _gaplab("status")[1]
    mlflow = rest.Mlflow(links["MLflow"])
    assert sum(len(page) for page in mlflow.runs(mlflow.experiments())) == 4

    docker("compose", "-p", PROJECT, "--profile", "editor", "up", "-d", "--wait", "--no-build", "--no-deps", "editor")
    editor = next(state for state in standing.status() if state.name == "editor")
    assert re.fullmatch("[0-9a-f]{48}", editor.password)
    told = re.escape(editor.link) + " +password: " + editor.password
    assert re.search(rf"editor +healthy +{told}", _gaplab("status")[1])

    code, said = _gaplab("up", "--engine", "docker")
    assert code == 0
    assert "4 trials finished before, not run again" in said
    assert re.search(rf"Editor +{told}", said)
    assert _gaplab("down")[1].startswith("Stopped the services in containers.")
    assert _containers() == []
    assert _gaplab("down")[1] == "Nothing of Gaplab's was running.\n"


def test_a_project_of_another_checkout_is_left_alone(project: str, tmp_path: Path) -> None:
    """Two clones on one machine have the same name by default."""
    place = f"com.docker.compose.project.working_dir={tmp_path}"
    mark = ("--label", f"com.docker.compose.project={project}", "--label", place)
    name = docker("create", *mark, "gaplab-services:cpu", "true").stdout.strip()
    try:
        code, said = _gaplab("up", "--engine", "docker")
        assert code == 2
        assert str(tmp_path) in said
        assert len(_containers()) == 1
    finally:
        docker("rm", name)


def test_a_taken_port_is_told_before_anything_is_started(project: str) -> None:
    port = ports()["mlflow"]
    with subprocess.Popen(
        [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"], stderr=subprocess.PIPE
    ) as theirs:
        while _refuses(port):
            pass
        code, said = _gaplab("up", "--engine", "docker")
        theirs.kill()
    assert code == 2
    assert f"Port {port}, where MLflow is to listen, is taken by" in said
    assert _containers() == []


def test_an_engine_that_does_not_answer_is_told_and_the_doctor_says_it_too(
    project: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    code, said = _gaplab("up", "--engine", "docker")
    assert code == 2
    assert said.startswith("gaplab: No Docker engine answers") or said.startswith("No Docker engine answers")
    assert "without ENGINE=docker" in said
    assert "No Docker engine answers" in " ".join(_gaplab("doctor")[1].split())


def _refuses(port: int) -> bool:
    try:
        return _answer(f"http://127.0.0.1:{port}") != 200
    except urllib.error.URLError:
        return True
