"""The service `editor`: code-server behind its password, in a real browser."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import websocket
from playwright.sync_api import Browser, expect

from tests.dashboard import browser
from tests.dashboard.browser import Visit
from tests.faults.server import free_port
from tests.images.conftest import SHUT
from tests.images.project import Project
from tests.images.tool import docker

pytestmark = pytest.mark.container

IMAGE = "gaplab-editor:cpu"
WORKBENCH = ".monaco-workbench .explorer-folders-view"


@pytest.fixture(scope="module")
def editor(project: Project) -> Iterator[Project]:
    """The services, and code-server beside them."""
    profile = ("--profile", "editor")
    project.ports["editor"] = free_port()
    project.told["GAPLAB_EDITOR_PORT"] = str(project.ports["editor"])
    try:
        project.compose(*profile, "up", "-d", "--wait", "editor")
        yield project
    finally:
        project.compose(*profile, "rm", "--stop", "--force", "editor", check=False)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.chromium() as found:
        yield found


@pytest.fixture
def visit(chromium: Browser, editor: Project) -> Iterator[Visit]:
    made = Visit(chromium, f"http://127.0.0.1:{editor.ports['editor']}")
    yield made
    made.page.context.close()


def _password(editor: Project) -> str:
    return editor.inside("editor", "cat", "/run/secrets/editor/password")


def _log_in(visit: Visit, password: str) -> None:
    visit.go("/", "input[name=password]")
    visit.page.locator("input[name=password]").fill(password)
    visit.page.keyboard.press("Enter")


def test_a_wrong_password_is_refused(visit: Visit) -> None:
    _log_in(visit, "0" * 48)
    expect(visit.page.locator(".error")).to_have_text("Incorrect password")
    visit.go("/?folder=/gaplab", "input[name=password]")
    assert not visit.page.context.cookies()


def test_the_right_one_shows_the_checkout_and_opens_its_files(visit: Visit, editor: Project) -> None:
    """Elsewhere only the list of extensions is asked for: the host of previews is a worker in the page."""
    _log_in(visit, _password(editor))
    files = [visit.page.locator(f"{WORKBENCH} [role=treeitem][aria-label^='{name}']") for name in ("labs", "LICENSE")]
    for file in files:
        file.wait_for()
    files[1].dblclick()
    visit.page.wait_for_selector(".monaco-editor .view-lines :text('MIT')")
    assert all("://open-vsx.org/" in url or ".vscode-cdn.net/" in url for url in visit.foreign)


def test_its_links_tell_the_password(editor: Project) -> None:
    """The only place that does: no command line, environment or inspection has it."""
    said = editor.compose("logs", "--no-log-prefix", "secrets")
    assert re.search(rf"editor +http://127\.0\.0\.1:\d+/\S+ +password: {_password(editor)}\n", said)
    assert _password(editor) not in docker("inspect", editor.container("editor")).stdout
    assert _password(editor) not in docker("top", editor.container("editor"), "-eo", "pid,args").stdout


@pytest.mark.parametrize("path", ["/", "/?folder=/gaplab", "/proxy/8080/", "/vscode-remote-resource?path=/etc/passwd"])
def test_without_it_nothing_is_told(editor: Project, path: str) -> None:
    """But where to log in."""
    assert editor.ask("editor", path)[0] in (302, 401, 403)
    assert editor.ask("editor", "/login")[0] == 200


def test_its_socket_opens_for_its_own_page_alone(visit: Visit, editor: Project) -> None:
    """The terminal is behind it."""
    with visit.page.expect_websocket() as opening:
        _log_in(visit, _password(editor))
    cookie = "; ".join(f"{one['name']}={one['value']}" for one in visit.page.context.cookies())
    own = f"http://127.0.0.1:{editor.ports['editor']}"
    socket = opening.value.url
    websocket.create_connection(socket, cookie=cookie, origin=own, timeout=20).close()
    refused: list[dict[str, Any]] = [{"cookie": cookie, "origin": "http://evil.example"}, {"origin": own}]
    for told in refused:
        with pytest.raises(websocket.WebSocketBadStatusException, match=r"40[13]"):
            websocket.create_connection(socket, timeout=20, **told)


def test_its_terminal_has_the_stack_and_the_command(editor: Project) -> None:
    """And what is run there is recorded."""
    assert "foundations/bandits" in editor.inside("editor", "gaplab", "list")
    said = editor.inside("editor", "gaplab", "run", "foundations/short_corridor", "--variant", "best", "--seeds", "1")
    assert "not yet in MLflow" not in said
    assert " run · " in said
    assert "compose.yaml" in editor.inside("editor", "git", "ls-files")


def test_it_is_shut_in(editor: Project, base_image: str) -> None:
    """And brings no file that makes anybody root, no compiler, and nothing that installs more."""
    told = json.loads(docker("inspect", editor.container("editor")).stdout)[0]
    assert told["HostConfig"]["ReadonlyRootfs"]
    assert told["HostConfig"]["CapDrop"] == ["ALL"]
    ports = told["NetworkSettings"]["Ports"].values()
    assert [port["HostIp"] for bound in ports for port in bound or []] == ["127.0.0.1"]
    lines = editor.inside("editor", "cat", "/proc/1/status").splitlines()
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"] == "1"
    look = ("find", "/", "-xdev", "-type", "f", "-perm", "/6000")
    brought = docker("run", "--rm", "--network", "none", base_image, *look).stdout.split()
    found = docker("run", "--rm", "--network", "none", "--user", "0", "--entrypoint", "", IMAGE, *look).stdout.split()
    assert set(found) <= set(brought)
    assert editor.inside("editor", "sh", "-c", "command -v gcc cc c++ make npm uv pip || true") == ""


@pytest.mark.parametrize("left", ["rm -f /tmp/password", ": >/tmp/password", "echo >/tmp/password"])
def test_an_empty_or_missing_password_starts_no_editor(built: None, left: str) -> None:
    script = f"{left}; PASSWORD_FILE=/tmp/password PASSWORD=known exec editor"
    done = docker("run", *SHUT, "--entrypoint", "sh", IMAGE, "-c", script, check=False)
    assert done.returncode == 1
    assert "an editor without a password is not started" in done.stderr
