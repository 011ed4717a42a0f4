"""images/, the bake file and compose.yaml say the same; no engine is needed to see it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from labs.kit import places
from labs.kit.stack import find
from labs.kit.stack.uv import TORCH_CPU_WHEELS
from tests.images.compose_file import HARD, services

LAB_STACKS = [stack.name for stack in find() if stack.for_labs]
IMAGES = places.ROOT / "images"
BAKE = (IMAGES / "docker-bake.hcl").read_text()
DOCKERFILE = (IMAGES / "Dockerfile").read_text()


def _starts_from(stack: str) -> str:
    """What requirements.in says: a stack on torch.in starts from the stage that holds it."""
    return "torch" if "torch.in" in (IMAGES / stack / "requirements.in").read_text() else "base"


def test_every_stack_has_its_line_in_the_bake_file() -> None:
    """And starts there from the stage that its requirements share."""
    told = dict(re.findall(r'{ name = "(\w+)", from = "(\w+)" }', BAKE))
    assert told == {stack: _starts_from(stack) for stack in LAB_STACKS}


@pytest.mark.parametrize("stack", LAB_STACKS)
def test_every_stack_has_its_service_with_a_profile_and_a_link(stack: str) -> None:
    service = services()[stack]
    arguments = service["build"]["args"]
    assert (arguments["STACK"], arguments["FROM_STAGE"]) == (stack, _starts_from(stack))
    assert service["image"] == f"gaplab-{stack}:cpu"
    assert service["profiles"] == [stack, "all"]
    port = f"${{GAPLAB_{stack.upper()}_PORT:-"
    assert port in service["ports"][0]
    assert f"{stack}=http://127.0.0.1:{port}" in services()["secrets"]["environment"]["LINKS"]


def test_every_stack_on_torch_has_a_gpu() -> None:
    assert set(services("compose.gpu.yaml")) == {stack for stack in LAB_STACKS if _starts_from(stack) == "torch"}


def test_the_base_image_is_named_by_digest_and_is_one() -> None:
    found = re.findall(
        r"debian:bookworm-slim@sha256:[0-9a-f]{64}", DOCKERFILE + (places.ROOT / "compose.yaml").read_text()
    )
    assert len(found) == 2
    assert len(set(found)) == 1


def test_the_page_of_torch_s_wheels_is_named_once() -> None:
    """Images and venvs look on the same one."""
    told = places.ROOT / TORCH_CPU_WHEELS
    files = [places.ROOT / "compose.yaml", *IMAGES.rglob("*"), *(places.ROOT / "labs/kit").rglob("*.py")]
    assert [path for path in files if path.is_file() and told.read_bytes().strip() in path.read_bytes()] == [told]
    assert f"COPY --chmod=0644 {TORCH_CPU_WHEELS} /opt/uv/" in DOCKERFILE
    assert "ARG FIND_LINKS=\n" in DOCKERFILE
    assert services()["tabular"]["build"]["args"]["FIND_LINKS"] == "${GAPLAB_FIND_LINKS:-}"


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    found = subprocess.run(
        [hadolint, "--no-color", IMAGES / "Dockerfile"], cwd=places.ROOT, capture_output=True, text=True
    )
    assert found.stdout == ""
    assert found.returncode == 0


@pytest.mark.parametrize("name", services())
def test_every_service_is_shut_in(name: str) -> None:
    """Read-only, without capabilities, with limits; reached from this machine alone."""
    service = services()[name]
    assert {key: service[key] for key in HARD} == HARD
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert service["cpus"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert not service.keys() & {"privileged", "cap_add", "devices", "pid", "ipc"}
    assert "docker.sock" not in str(service)


@pytest.mark.parametrize("name", services())
def test_no_image_is_asked_for_in_a_registry(name: str) -> None:
    """Compose would look there first, for all of them, and print as many errors before it builds."""
    assert services()[name]["pull_policy"] == "never"


@pytest.mark.parametrize("name", [name for name in services() if name != "secrets"])
def test_every_service_that_stays_says_how_it_is(name: str) -> None:
    health = services()[name]["healthcheck"]
    assert health["test"]
    assert health["start_interval"] == "500ms"


def test_only_the_tracking_server_is_on_the_network_of_the_database() -> None:
    on_it = {name for name, service in services().items() if "database" in service.get("networks", [])}
    assert on_it == {"database", "tracking"}


def test_the_password_is_mounted_by_those_who_need_it() -> None:
    holders = {name for name, service in services().items() if "database-secret" in str(service["volumes"])}
    assert holders == {"secrets", "database", "tracking"}


def test_what_stacks_share_is_in_each_of_their_locks() -> None:
    """The layer beneath a stack holds nothing that its own lock would not bring."""
    for device in ("cpu", "gpu"):
        shared = subprocess.run(
            [sys.executable, IMAGES / "shared.py", device, "torch.in"], capture_output=True, text=True, check=True
        ).stdout
        assert len(shared.splitlines()) > 100
        assert shared.count("==") > 80
        for stack in ("grpo", "ppo"):
            lock = (IMAGES / stack / f"{device}.lock").read_text()
            assert all(line.removesuffix(" \\") in lock for line in shared.splitlines())
