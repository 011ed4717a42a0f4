"""Each stack's devcontainer: what it says, and that the real command-line tool brings it up and works in it."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from labs.kit import places
from labs.kit.containers.images import environment
from labs.kit.stack import find
from tests.faults.server import free_port
from tests.images.compose_file import services
from tests.images.conftest import docker

FOLDER = places.ROOT / ".devcontainer"
LAB_STACKS = [stack.name for stack in find() if stack.for_labs]
TOOL = "@devcontainers/cli@0.89.0"


def _told(stack: str) -> dict[str, Any]:
    """What the file says: JSON with comments, each a line of its own."""
    text = (FOLDER / stack / "devcontainer.json").read_text()
    told: dict[str, Any] = json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE))
    return told


def test_every_stack_has_a_devcontainer_and_nothing_else_has() -> None:
    assert sorted(path.parent.name for path in FOLDER.glob("*/devcontainer.json")) == LAB_STACKS
    assert sorted(services(".devcontainer/compose.yaml")) == LAB_STACKS


@pytest.mark.parametrize("stack", LAB_STACKS)
def test_a_devcontainer_is_the_service_of_its_stack(stack: str) -> None:
    told = _told(stack)
    files = [(FOLDER / stack / name).resolve() for name in told["dockerComposeFile"]]
    assert files == [places.ROOT / "compose.yaml", FOLDER / "compose.yaml"]
    assert told["service"] == stack
    assert set(told["runServices"]) <= services().keys()
    assert not told["overrideCommand"], "its own command is what makes `gaplab run` find the stack"
    assert (places.ROOT / told["initializeCommand"].split()[1]).is_file()
    assert ("hostRequirements" in told) == (stack in services("compose.gpu.yaml"))
    for forwarded in told["forwardPorts"]:
        service, port = forwarded.split(":")
        assert services()[service]["ports"][0].endswith(f":{port}")
    for path in told["customizations"]["vscode"]["settings"]["python.testing.pytestArgs"]:
        assert (places.ROOT / path.removeprefix("--ignore=")).exists()


@pytest.mark.parametrize("stack", LAB_STACKS)
def test_its_image_is_not_the_one_that_trials_run_in(stack: str) -> None:
    """The tool labels anew what it starts; the images of trials come from the bake file alone."""
    assert services(".devcontainer/compose.yaml")[stack]["image"] == f"gaplab-{stack}:dev"


def test_editor_and_devcontainers_recommend_the_same() -> None:
    wanted = json.loads((places.ROOT / ".vscode/extensions.json").read_text())["recommendations"]
    for stack in LAB_STACKS:
        assert _told(stack)["customizations"]["vscode"]["extensions"] == wanted


@pytest.mark.parametrize("known", ["", "GAPLAB_DEVICE=cpu\nLAB_UID=7\n"])
def test_whose_checkout_it_is_is_told_to_compose_and_the_rest_of_the_file_stays(known: str, tmp_path: Path) -> None:
    folder = tmp_path / ".devcontainer"
    folder.mkdir()
    shutil.copy(FOLDER / "whose.sh", folder)
    tmp_path.chmod(0o777)
    if known:
        (tmp_path / ".env").write_text(known)
    script = f"id() {{ echo 4242; }}; . {folder}/whose.sh"
    subprocess.run(["sh", "-c", script, f"{folder}/whose.sh"], check=True)
    told = (tmp_path / ".env").read_text().split()
    assert told == ["GAPLAB_DEVICE=cpu"] * bool(known) + ["LAB_UID=4242", "LAB_GID=4242"]


@dataclass(frozen=True)
class Work:
    """What a newcomer would do in the devcontainer of a stack."""

    lab: str
    variant: str
    claim: str
    test: str


WORK = {
    "tabular": Work("foundations/short_corridor", "best", "optimum", "tests/kit/test_trial.py"),
    "grpo": Work("integration/silent_groups", "none", "zero_groups", "tests/kit/policy/test_loading.py"),
    "ppo": Work("integration/ppo_bookkeeping", "base", "score", "tests/kit/policy/ppo/test_ppo.py"),
}
BROUGHT_UP = os.environ.get("GAPLAB_DEVCONTAINERS", "tabular").split()
"""The others train their base model anew in there, which takes minutes: `make devcontainers` tries all three."""


@pytest.fixture(scope="module", params=BROUGHT_UP)
def inside(request: pytest.FixtureRequest) -> Iterator[tuple[Work, Callable[..., str]]]:
    """What to do in a stack's devcontainer, and a function that runs a command in it; a project of this test's own."""
    stack, project = request.param, f"gaplab-dev-{os.getpid()}"
    names = ("DASHBOARD", "MLFLOW", "TABULAR", "GRPO", "PPO")
    ports = {f"GAPLAB_{name}_PORT": str(free_port()) for name in names}
    env = {**environment("cpu"), **ports, "COMPOSE_PROJECT_NAME": project}
    where = ["--workspace-folder", str(places.ROOT), "--config", str(FOLDER / stack / "devcontainer.json")]

    def tool(verb: str, *words: str) -> str:
        command = ["npm", "exec", "--yes", "--", TOOL, verb, *where, *words]
        done = subprocess.run(command, env=env, cwd=places.ROOT, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    try:
        assert json.loads(tool("up").splitlines()[-1])["outcome"] == "success"
        yield WORK[stack], lambda *words: tool("exec", *words)
    finally:
        docker("compose", "-p", project, "--profile", "all", "down", "-v", check=False)


@pytest.mark.container
@pytest.mark.npm
def test_labs_are_run_shown_and_tested_in_it(inside: tuple[Work, Callable[..., str]]) -> None:
    """With the stack's own interpreter, and MLflow beside it."""
    work, tell = inside
    assert work.lab in tell("gaplab", "list")
    assert tell("python", "-c", "import sys; print(sys.prefix)").strip() == "/opt/venv"
    said = tell("gaplab", "run", work.lab, "--variant", work.variant, "--seeds", "2")
    assert "not yet in MLflow" not in said
    assert " run · " in said
    assert "predicted" in said
    assert work.variant in tell("gaplab", "show", f"{work.lab}/{work.claim}")
    assert " passed" in tell("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", work.test)
