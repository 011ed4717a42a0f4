"""The images as this checkout builds them, and commands run in them."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from labs.kit import catalogue, places
from labs.kit.containers import images
from labs.kit.share import making
from labs.kit.stack import Stack, find
from tests.images.project import Project
from tests.images.registry import registry
from tests.images.tool import docker

__all__ = ["docker"]
Run = Callable[..., "subprocess.CompletedProcess[str]"]
STACKS = [stack.name for stack in find() if stack.in_image]
LAB_STACKS = [stack.name for stack in find() if stack.for_labs]
LAB = "validation/intervals"
"""The lab whose quick trials take the least."""
DATABASE = "gaplab-database:15"
SHUT = ("--rm", "--network", "none", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--pids-limit", "256")


@pytest.fixture(scope="session")
def built() -> None:
    """Every image, built from this checkout: a second where nothing has changed."""
    images.build([Stack(name) for name in STACKS], ["database", "editor"])


def name_of(image: str) -> str:
    """The image of a stack, or the database's."""
    return DATABASE if image == "database" else images.name_of(Stack(image))


@pytest.fixture(scope="session")
def run(built: None) -> Run:
    """Runs a command in an image, shut in as a trial is."""

    def run_in(image: str, *command: str, user: str = "1000", check: bool = True) -> "subprocess.CompletedProcess[str]":
        shut = (*SHUT, "--user", f"{user}:{user}", "--entrypoint", command[0])
        return docker("run", *shut, name_of(image), *command[1:], check=check)

    return run_in


@pytest.fixture(scope="session")
def project(built: None) -> Iterator[Project]:
    """All services, from empty volumes."""
    made = Project()
    try:
        made.compose("up", "-d", "--wait")
        yield made
    finally:
        made.compose("down", "-v", check=False)


@pytest.fixture(scope="session")
def base_image() -> str:
    """What the images start from on this machine."""
    if said := os.environ.get("GAPLAB_BASE_IMAGE"):
        return said
    dockerfile = Path(places.IMAGES / "Dockerfile").read_text()
    return next(line.partition("=")[2] for line in dockerfile.splitlines() if line.startswith("ARG BASE_IMAGE="))


@pytest.fixture(scope="session")
def lab_image() -> Iterator[str]:
    """The unsigned image of a small lab, under a name that nothing else takes."""
    made = making.build(catalogue.pick([LAB])[0])
    made.tag("gaplab-tests-lab")
    yield "gaplab-tests-lab:latest"
    docker("image", "rm", "-f", str(made.id))


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """host:port of a registry of the tests' own: what is pushed twice is stored once."""
    with registry(tmp_path_factory.mktemp("registry")) as told:
        yield told
