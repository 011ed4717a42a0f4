"""The services of compose.yaml under a name and on ports of the tests' own, asked and struck from outside."""

import http.client
import json
import os
import time
from typing import Any

from labs.kit.services import health
from tests.faults.server import Server, free_port
from tests.images.tool import docker

NAMES = ("dashboard", "mlflow", "tabular")
USER = "4242"
"""Whose checkout it is: nobody that the image knows."""


class Project:
    """One start of compose.yaml with a notebook server."""

    def __init__(self) -> None:
        self.ports = {name: free_port() for name in NAMES}
        self.name = f"gaplab-test-{os.getpid()}"
        told = {f"GAPLAB_{name.upper()}_PORT": str(port) for name, port in self.ports.items()}
        self.told = {**told, "LAB_UID": USER, "LAB_GID": USER}

    def compose(self, *arguments: str, check: bool = True, **told: str) -> str:
        """What compose says; its environment is this project's, with what is told."""
        words = ("compose", "-p", self.name, "--profile", "tabular", *arguments)
        return docker(*words, check=check, **{**self.told, **told}).stdout

    def container(self, service: str) -> str:
        """What compose calls it."""
        return f"{self.name}-{service}-1"

    def inside(self, service: str, *command: str, check: bool = True) -> str:
        """What a command says in a service."""
        done = docker("exec", self.container(service), *command, check=check)
        return (done.stdout + done.stderr).strip()

    def ask(self, name: str, path: str, said: bytes | None = None, /, **headers: str) -> tuple[int, str]:
        """The status code and the text of an answer; what is said is posted."""
        link = http.client.HTTPConnection("127.0.0.1", self.ports[name], timeout=10)
        link.request("GET" if said is None else "POST", path, said, headers)
        answer = link.getresponse()
        text = answer.read().decode() if answer.status == 200 else ""
        link.close()
        return answer.status, text

    @property
    def token(self) -> dict[str, str]:
        """What opens Jupyter."""
        return {"Authorization": f"token {self.inside('tabular', 'cat', '/run/secrets/jupyter/token')}"}

    def kill_database(self) -> None:
        """As the kernel would, and return when compose has it back and healthy."""
        name = self.container("database")
        old = _state(name)["Pid"]
        docker("exec", name, "sh", "-c", "kill -9 $(head -1 $PGDATA/postmaster.pid)", check=False)
        until = time.monotonic() + 60
        while _state(name)["Pid"] in (0, old) or _state(name)["Health"]["Status"] != "healthy":
            assert time.monotonic() < until, f"{name} did not come back"
            time.sleep(0.5)


class Tracking(Server):
    """The project's MLflow, for tests that know the one on this machine."""

    def __init__(self, project: Project) -> None:
        self.port, self.container = project.ports["mlflow"], project.container("tracking")
        self.uri = f"http://127.0.0.1:{self.port}"

    def start(self) -> "Tracking":
        """Again, and return once it answers."""
        docker("start", self.container)
        until = time.monotonic() + 120
        while health.answer(self.port, "/health") != 200:
            assert time.monotonic() < until, "MLflow did not answer within two minutes"
            time.sleep(0.1)
        return self

    def kill(self) -> None:
        """No word of goodbye."""
        docker("kill", self.container, check=False)

    def freeze(self) -> None:
        """Leave it listening but answering nothing."""
        docker("pause", self.container)

    def thaw(self) -> None:
        """Let it go on."""
        docker("unpause", self.container)


def _state(name: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(docker("inspect", name).stdout)[0]["State"]
    return told
