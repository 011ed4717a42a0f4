"""The Docker engine of this machine, or three sentences on why there is none."""

import os
import shutil
from functools import cache

import docker
from docker.context import ContextAPI
from docker.errors import DockerException

from labs.kit.errors import LabError

OLDEST = "1.44"
"""The API of engine 25, the first that compose.yaml's `start_interval` works with."""

_INSTEAD = "Or type the command again with `--engine process` (`make up` without ENGINE=docker), which needs none."


@cache
def daemon() -> docker.DockerClient:
    """A client of the engine. Raises LabError where none answers that can be used."""
    try:
        client = docker.from_env(timeout=60, environment=_environment())
        version = str(client.version()["ApiVersion"])
    except DockerException as problem:
        raise _unreachable(problem) from problem
    if _numbers(version) < _numbers(OLDEST):
        raise LabError(
            f"The Docker engine here speaks API {version}; {OLDEST} is wanted, as engine 25 was the first to.\n"
            "An older one cannot build the images or watch over the services.\n"
            f"Install a newer one. {_INSTEAD}"
        )
    return client


def _environment() -> dict[str, str]:
    """As the docker command finds its engine: by DOCKER_HOST, or the context in use (Desktop, a rootless engine)."""
    told = dict(os.environ)
    if "DOCKER_HOST" not in told and (host := ContextAPI.get_current_context().Host):
        told["DOCKER_HOST"] = str(host)
    return told


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _unreachable(problem: DockerException) -> LabError:
    said = str(problem)
    if "PermissionError" in said or "Permission denied" in said:
        return LabError(
            "The Docker engine is there, but its socket may not be opened by this user.\n"
            "Without it no container can be started.\n"
            f"Put yourself into its group (`sudo usermod -aG docker $USER`, then log in again). {_INSTEAD}"
        )
    remedy = "Start it (`sudo systemctl start docker`, or Docker Desktop)."
    if not any(map(shutil.which, ("docker", "dockerd"))):
        remedy = "Install it: Docker Engine 25 or newer, or Docker Desktop."
    return LabError(
        f"No Docker engine answers ({said}).\nIt is what starts containers, so none was started.\n{remedy} {_INSTEAD}"
    )
