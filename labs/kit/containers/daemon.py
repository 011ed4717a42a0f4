"""The Docker engine of this machine, or three sentences on why there is none."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import docker
from docker.context import ContextAPI
from docker.errors import DockerException
from urllib3.util import Retry

from labs.kit.errors import LabError

OLDEST = "1.44"
"""The API of engine 25, the first that compose.yaml's `start_interval` works with."""

PROCESS = "Or type the command again with `--engine process` (`make up` without ENGINE=docker), which needs none."
"""What otherwise() tells of a verb that can do without containers."""

_RESTARTING = Retry(60, backoff_factor=0.5, backoff_max=0.5, allowed_methods=None)
"""Half a minute of asking again."""


class NoEngine(LabError):  # noqa: N818  a state of affairs, not a mistake
    """There is no engine that can be used."""


@cache
def daemon(patient: bool = False) -> docker.DockerClient:
    """A client of the engine; a patient one waits for an engine that is being restarted.

    Raises NoEngine where none answers that can be used.
    """
    try:
        client = docker.from_env(timeout=60, environment=_environment())
        version = str(client.version()["ApiVersion"])
    except DockerException as problem:
        raise _unreachable(problem) from problem
    if _numbers(version) < _numbers(OLDEST):
        raise NoEngine(
            f"The Docker engine here speaks API {version}; {OLDEST} is wanted, as engine 25 was the first to.\n"
            "An older one cannot build the images or watch over the services.\nInstall a newer one."
        )
    for adapter in client.api.adapters.values() if patient else ():
        adapter.max_retries = _RESTARTING
    return client


@contextmanager
def otherwise(way: str) -> Iterator[None]:
    """Tell, where there is no engine, the way that needs none."""
    try:
        yield
    except NoEngine as problem:
        raise NoEngine(f"{problem} {way}") from problem


def _environment() -> dict[str, str]:
    """As the docker command finds its engine: by DOCKER_HOST, or the context in use (Desktop, a rootless engine)."""
    told = dict(os.environ)
    if "DOCKER_HOST" not in told and (host := ContextAPI.get_current_context().Host):
        told["DOCKER_HOST"] = str(host)
    return told


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _unreachable(problem: DockerException) -> NoEngine:
    said = str(problem)
    if "PermissionError" in said or "Permission denied" in said:
        return NoEngine(
            "The Docker engine is there, but its socket may not be opened by this user.\n"
            "Without it no container can be started.\n"
            "Put yourself into its group (`sudo usermod -aG docker $USER`, then log in again)."
        )
    remedy = "Start it (`sudo systemctl start docker`, or Docker Desktop)."
    if not any(map(shutil.which, ("docker", "dockerd"))):
        remedy = "Install it: Docker Engine 25 or newer, or Docker Desktop."
    return NoEngine(f"No Docker engine answers ({said}).\nIt is what starts containers, so none was started.\n{remedy}")
