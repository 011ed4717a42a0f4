"""What is in the images, and what is not; each runs read-only, without network, as no one in particular."""

import json
import re
import shutil
from pathlib import Path

import pytest

from labs.kit.containers import gpu, images
from labs.kit.containers.daemon import daemon
from labs.kit.containers.worker import Container, shut
from labs.kit.errors import LabError
from labs.kit.stack import Stack
from tests.images.conftest import LAB_STACKS, SHUT, STACKS, Run, docker, name_of

pytestmark = pytest.mark.container

ALL = [*STACKS, "database"]
INSTALLED = (
    "import importlib.metadata as m, json; print(json.dumps({d.name: d.version for d in m.distributions("
    "path=['/opt/venv/lib/python3.11/site-packages'])}))"
)
WORK = (
    'python -c \'import getpass, pathlib, matplotlib.figure, numba; assert getpass.getuser() == "lab"; '
    '(pathlib.Path.home() / "note").touch()\''
)
STAMPED = (
    "import pathlib; venv = pathlib.Path('/opt/venv'); "
    "print(*[f for f in venv.rglob('*.pyc') if f.read_bytes()[4] == 0], *venv.rglob('uv_cache.json'))"
)
"""Byte code that holds when its source was written, and a wheel's file when it was put there."""
CONNECT = "import socket; socket.create_connection(({host!r}, {port}), 2)"


def _plain(name: str) -> str:
    return re.sub("[-_.]+", "-", name).lower()


@pytest.mark.parametrize(("stack", "user"), [*((s, "1000") for s in STACKS), ("tabular", "1001"), ("ppo", "4242")])
def test_the_smoke_test_passes_read_only_without_network_for_any_user(run: Run, stack: str, user: str) -> None:
    """In grpo and ppo it takes one step of an NF4 and one of an int8 policy."""
    said = run(stack, "python", "-W", "ignore", "/opt/stack/smoke.py", user=user).stdout
    wanted = {"grpo": ["Linear4bit", "Linear8bitLt"], "ppo": ["Linear4bit", "Linear8bitLt"]}.get(
        stack, [f"{stack}: ok"]
    )
    assert all(word in said for word in wanted)


@pytest.mark.parametrize("stack", STACKS)
def test_what_is_installed_is_what_the_lock_says_and_nothing_else(run: Run, stack: str) -> None:
    """The label and the lock within say which lock; this says that it was followed."""
    pins = re.findall(r"^([\w.\-]+)(?:\[[\w,]+\])?==([^\s\\;]+)", Stack(stack).lock.read_text(), re.MULTILINE)
    found: dict[str, str] = json.loads(run(stack, "python", "-c", INSTALLED).stdout)
    assert {_plain(name): version for name, version in found.items()} == {_plain(n): version for n, version in pins}


@pytest.mark.parametrize("stack", STACKS)
def test_label_and_lock_within_are_those_of_the_checkout(run: Run, stack: str) -> None:
    told = json.loads(docker("image", "inspect", name_of(stack)).stdout)[0]["Config"]["Labels"]
    assert told["org.gaplab.stack-digest"] == Stack(stack).digest
    assert told.get("org.gaplab.recipe") == (images.recipe_of(Stack(stack)) if stack in LAB_STACKS else None)
    assert run(stack, "sha256sum", "/opt/stack/lock").stdout.split()[0] == Stack(stack).digest
    assert told["org.opencontainers.image.title"] == f"gaplab-{stack}"
    assert re.fullmatch("[0-9a-f]{40}|unknown", told["org.opencontainers.image.revision"])


@pytest.mark.parametrize("stack", STACKS)
def test_nothing_in_it_says_when_it_was_built(run: Run, stack: str) -> None:
    """Else no second build would have the same bytes."""
    assert run(stack, "python", "-c", STAMPED).stdout.split() == []


@pytest.mark.parametrize("image", ALL)
def test_nobody_is_root_and_nothing_makes_them_root(run: Run, image: str, base_image: str) -> None:
    """No file with a setuid or setgid bit but those that the base image brings."""
    assert json.loads(docker("image", "inspect", name_of(image)).stdout)[0]["Config"]["User"] not in ("", "0", "root")
    look = ("find", "/", "-xdev", "-type", "f", "-perm", "/6000")
    brought = docker("run", "--rm", "--network", "none", base_image, *look).stdout.split()
    found = docker("run", "--rm", "--user", "0", "--entrypoint", "", name_of(image), *look).stdout.split()
    assert set(found) <= set(brought)


@pytest.mark.parametrize("image", ALL)
def test_no_compiler_no_cache_and_no_secret_is_in_it(run: Run, image: str) -> None:
    """Nor in its history: certificates and the index's address come as secrets, which leave no trace."""
    left = "/run/secrets /var/cache/uv /var/cache/apt/archives /var/lib/apt/lists ~root/.cache /opt/uv /wheels"
    assert run(image, "sh", "-c", f"find {left} -type f 2>/dev/null || true").stdout.split() == []
    assert run(image, "sh", "-c", "command -v gcc cc c++ uv pip git || true").stdout == ""
    history = docker("history", "--no-trunc", name_of(image)).stdout
    assert not re.search(r"BEGIN CERT|password=|token=|://[^/\s]+:[^/\s]+@", history)


@pytest.mark.parametrize("stack", LAB_STACKS)
def test_without_network_every_connection_is_refused(run: Run, stack: str) -> None:
    for host, port in (("192.0.2.1", 80), ("127.0.0.1", 5000)):
        done = run(stack, "python", "-c", CONNECT.format(host=host, port=port), check=False)
        assert re.search("Network is unreachable|Connection refused", done.stderr)


@pytest.mark.parametrize("user", ["1000", "1001", "4242"])
def test_a_checkout_of_any_user_can_be_worked_in(built: None, tmp_path: Path, user: str) -> None:
    """The numbers of a host's users mean nobody within; files, home, names and Jupyter have to work all the same."""
    image, mount = name_of("tabular"), ("-v", f"{tmp_path}:/gaplab/labs")
    docker(
        "run", *SHUT, "--cap-add", "CHOWN", "--user", "0", *mount, "--entrypoint", "chown", image, user, "/gaplab/labs"
    )
    home = ("--tmpfs", "/home/lab:mode=1777", "--user", f"{user}:{user}")
    docker(
        "run", *SHUT, *home, *mount, image, "sh", "-c", f"touch labs/note && {WORK} && /opt/jupyter/bin/jupyter --paths"
    )
    assert (tmp_path / "note").stat().st_uid == int(user)


def test_grpo_and_ppo_are_almost_wholly_the_same_layers(built: None) -> None:
    """What they share is stored, pushed and pulled once."""
    sizes = {}
    for stack in ("grpo", "ppo"):
        told = json.loads(docker("image", "inspect", name_of(stack)).stdout)[0]
        sizes[stack] = (told["RootFS"]["Layers"], told["Size"])
    shared = [one for one, other in zip(sizes["grpo"][0], sizes["ppo"][0], strict=True) if one == other]
    own = [
        line.split()
        for line in docker("history", "--human=false", "--format", "{{.Size}}", name_of("grpo")).stdout.split("\n")
    ]
    layers = [int(size[0]) for size in reversed(own) if size and size[0] != "0"]
    assert sum(layers[: len(shared)]) / sizes["grpo"][1] > 0.95


def test_a_gpu_that_is_not_there_is_told_with_what_to_install(built: None, tmp_path: Path) -> None:
    """Where there is a GPU for containers, the same container starts."""
    there = "nvidia" in daemon().info()["Runtimes"] or shutil.which(gpu.HOOK)
    said = ""
    try:
        Container.of(name_of("tabular"), ("-c", "pass"), shut("tabular", "gpu", 1), tmp_path / "log").end()
    except LabError as problem:
        said = str(problem)
    assert bool(there) != ("Install NVIDIA's driver and container toolkit" in said)
    assert there or len(said.splitlines()) == 3


@pytest.mark.parametrize("made", [": >/tmp/token", "true"])
def test_an_empty_or_missing_token_starts_no_jupyter(run: Run, made: str) -> None:
    """Jupyter itself would let everybody in."""
    done = run("tabular", "sh", "-c", f"{made} && JUPYTER_TOKEN_FILE=/tmp/token notebooks", check=False)
    assert done.returncode == 1
    assert "Jupyter without a token is not started" in done.stderr


def test_an_empty_password_starts_no_database(run: Run) -> None:
    done = docker(
        "run", "--rm", "--network", "none", "--read-only", "--tmpfs", "/tmp", name_of("database"), check=False
    )
    assert done.returncode == 1
    assert "a database without a password is not started" in done.stderr
