"""A kernel of the service `tabular`, reached as an editor on this machine does: by address and token."""

import json
import shutil
import subprocess
import urllib.request
from collections.abc import Callable
from http.cookiejar import CookieJar
from typing import Any
from urllib.request import HTTPCookieProcessor

import pytest
import websocket

from labs.kit import places
from labs.kit.containers.images import environment
from tests.images.project import Project

pytestmark = [pytest.mark.container, pytest.mark.npm]

CLIENT = "@jupyterlab/services@7.6.6"
"""The library by which JupyterLab and VS Code speak with a Jupyter server."""
Told = dict[str, Any]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, project: Project) -> Callable[..., Told]:
    """Does a task of kernel_client.cjs with the service's port and a token; what it found."""
    folder = tmp_path_factory.mktemp("client")
    env = environment("cpu")
    (folder / "package.json").write_text("{}")
    brought = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", CLIENT]
    done = subprocess.run(brought, env=env, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    shutil.copy(places.ROOT / "tests/images/kernel_client.cjs", folder)

    def do(task: str, token: str) -> Told:
        words = ["node", str(folder / "kernel_client.cjs"), task, str(project.ports["tabular"]), token]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        found: Told = json.loads(done.stdout.splitlines()[-1])
        return found

    return do


@pytest.fixture(scope="module")
def token(project: Project) -> str:
    return project.token["Authorization"].removeprefix("token ")


def test_who_has_the_token_runs_code_in_the_stack(client: Callable[..., Told], token: str) -> None:
    assert client("run", token) == {"status": "ok", "said": "/opt/venv\n"}


@pytest.mark.parametrize("wrong", ["wrong", ""])
def test_who_has_not_starts_no_kernel(client: Callable[..., Told], wrong: str) -> None:
    assert client("run", wrong) == {"refused": 403}


def test_what_a_cell_says_while_the_editor_is_away_is_there_when_it_is_back(
    client: Callable[..., Told], token: str
) -> None:
    """The wire is cut after the first line and mended after the cell's end: the rest was kept, in order, once."""
    found = client("cut", token)
    assert found["connections"] == 0, "nobody was there when the cell ended"
    assert found["before"] < 6
    assert found["said"] == "0\n1\n2\n3\n4\n5\n'the end'"
    assert found["status"] == "ok"


def test_another_window_finds_the_variables_and_not_the_output(client: Callable[..., Told], token: str) -> None:
    """As docs/editors.md says: what was kept is for the session that asked, and is dropped when another comes."""
    assert client("anew", token) == {"heard": "line 5\n"}


def test_a_page_from_elsewhere_cannot_use_the_reader_s_own_cookie(project: Project, token: str) -> None:
    """A browser sends it along, whoever asks; what tells the page apart is its Origin, or the Host that it came by."""
    base = f"127.0.0.1:{project.ports['tabular']}"
    with urllib.request.build_opener(HTTPCookieProcessor(jar := CookieJar())).open(f"http://{base}/lab?token={token}"):
        cookie = "; ".join(f"{one.name}={one.value}" for one in jar)
    assert project.ask("tabular", "/api/kernels", b"{}", **project.token)[0] == 201
    kernel = json.loads(project.ask("tabular", "/api/kernels", **project.token)[1])[0]["id"]
    socket = f"ws://{base}/api/kernels/{kernel}/channels"
    websocket.create_connection(socket, cookie=cookie, origin=f"http://{base}", timeout=20).close()
    foreign: list[Told] = [{"origin": "http://evil.example"}, {"origin": f"http://{base}", "host": "evil.example"}]
    for told in foreign:
        with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
            websocket.create_connection(socket, cookie=cookie, timeout=20, **told)
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        websocket.create_connection(socket, origin=f"http://{base}", timeout=20)
