"""The services in containers: what `make up ENGINE=docker` starts, where they answer, how they are."""

import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from labs.kit import places
from labs.kit.containers import gpu, images
from labs.kit.containers.daemon import PROCESS, NoEngine, daemon, otherwise
from labs.kit.errors import LabError
from labs.kit.services import Links, ServiceState, composed, folder
from labs.kit.services.known import DASHBOARD, HOST, MLFLOW, SERVICES
from labs.kit.services.ports import ports, refuse_taken, remember
from labs.kit.stack import Stack

CORE = {"database": "database", "tracking": MLFLOW.name, "dashboard": DASHBOARD.name}
"""The services without a profile that stay, and what the command calls them."""
EDITOR = "editor"
_PLACE = "com.docker.compose.project.working_dir"
_TOKEN, _PASSWORD = "/secrets/jupyter/token", "/secrets/editor/password"
Tell = Callable[[str], None]


def start(tell: Tell) -> Links:
    """Build what is missing, start database, MLflow and dashboard, and return once all are healthy."""
    with otherwise(PROCESS):
        daemon()
    tell("building the images of the services")
    images.build([Stack("services")], ["database"], lambda line: tell(f"building the images of the services: {line}"))
    with folder.one_at_a_time():
        _refuse_another_checkout()
        at, ours = ports(), _published()
        for service in (DASHBOARD, MLFLOW):
            if at[service.name] not in ours:
                refuse_taken(service, at[service.name])
        remember(at)
        composed.remember(_project())
        tell("starting database, MLflow and dashboard")
        _compose("up", "-d", "--wait", "--no-build", *CORE)
    return Links(f"http://{HOST}:{at[DASHBOARD.name]}", f"http://{HOST}:{at[MLFLOW.name]}", "")


def notebooks(names: Sequence[str], tell: Tell) -> dict[str, str]:
    """Start a Jupyter server for each of these stacks; their addresses, with the token.

    Built anew each time, which costs a second: an image of the same lock may have an earlier checkout's scripts.
    """
    for stack in (Stack(name, "gpu" if name in _on_gpu() else "cpu") for name in names):
        images.build([stack], on_line=lambda line, name=stack.name: tell(f"building {name}: {line}"))  # type: ignore[misc]
    tell(f"starting Jupyter for {', '.join(names)}")
    with folder.one_at_a_time():
        _compose("up", "-d", "--wait", "--no-build", *names)
    return {state.name: state.link for state in states() if state.name in names}


def editor() -> tuple[str, str]:
    """The address and the password of the editor where it runs, or nothing twice."""
    runs = [state for state in states() if state.name == EDITOR and state.state == "healthy"]
    return (runs[0].link, runs[0].password) if runs else ("", "")


def stop() -> bool:
    """Stop what start() and notebooks() started, volumes kept; False where compose runs nothing of this home."""
    if not composed.project():
        return False
    with folder.one_at_a_time():
        ran = bool(_containers())
        _compose("--profile", "all", "down")
        composed.forget()
    return ran


def states() -> list[ServiceState]:
    """Every service that was started, running or not; nothing where none was."""
    found = {one.labels["com.docker.compose.service"]: one for one in _containers()}
    made = found.pop("secrets", None)
    return [
        _state(CORE.get(name, name), found[name], made)
        for name in [*CORE, *sorted(found.keys() - CORE.keys())]
        if name in found
    ]


def by_hand() -> list[ServiceState]:
    """The same where compose itself was typed in this checkout; nothing where no engine of this machine answers."""
    if not os.environ.get("DOCKER_HOST", "unix:").startswith("unix:"):
        return []
    with suppress(NoEngine):
        return states() if {one.labels.get(_PLACE) for one in _containers()} == {str(places.ROOT)} else []
    return []


def _state(name: str, container: Any, secrets: Any) -> ServiceState:
    told = container.attrs["State"]
    runs = told["Status"] == "running"
    health = told.get("Health", {}).get("Status", "healthy")
    failed = told["Status"] in ("restarting", "dead") or (runs and health == "unhealthy") or told["ExitCode"] == 1
    state = "failed" if failed else health if runs else "stopped"
    return ServiceState(
        name=name,
        state=state,
        link=_link(name, container, secrets),
        pid=int(told["Pid"]),
        seconds=0.0,
        memory=_memory(container) if runs else 0.0,
        detail=container.logs(tail=6).decode(errors="replace") if failed else "",
        password=_secret(secrets, _PASSWORD) if name == EDITOR else "",
    )


def _link(name: str, container: Any, secrets: Any) -> str:
    bound = [ports[0] for ports in container.attrs["HostConfig"]["PortBindings"].values() if ports]
    if not bound:
        return ""
    link = f"http://{HOST}:{bound[0]['HostPort']}"
    return link if name in (EDITOR, *CORE.values()) else f"{link}/lab?token={_secret(secrets, _TOKEN)}"


def _memory(container: Any) -> float:
    """MiB that it holds, as `docker stats` counts: without files that the kernel may drop."""
    told = daemon().api.stats(container.id, stream=False, one_shot=True)["memory_stats"]
    kept = told.get("stats", {})
    return float(told.get("usage", 0) - kept.get("total_inactive_file", kept.get("inactive_file", 0))) / 2**20


def _secret(secrets: Any, path: str) -> str:
    """A token or password, from the volume that it was made in; the container that made it has ended."""
    if secrets is None:
        return ""
    packed = b"".join(secrets.get_archive(path)[0])
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        file = archive.extractfile(path.rpartition("/")[2])
        return file.read().decode() if file else ""


def _containers() -> list[Any]:
    told = {"label": f"com.docker.compose.project={composed.project() or _project()}"}
    return list(daemon().containers.list(all=True, filters=told, ignore_removed=True))


def _published() -> set[int]:
    bindings = (one.attrs["HostConfig"]["PortBindings"] or {} for one in _containers() if one.status == "running")
    return {int(port["HostPort"]) for bound in bindings for ports in bound.values() for port in ports or ()}


def _refuse_another_checkout() -> None:
    """Compose goes by the project's name alone: it would replace the other's services and open its database."""
    told = {one.labels.get(_PLACE, "") for one in _containers()} - {str(places.ROOT)}
    if told:
        raise LabError(
            f"The project {composed.project() or _project()} is that of another checkout: {', '.join(told)}.\n"
            "Started from here too, its services would be replaced, and its database and token used.\n"
            "Stop it there (`make down`), or type `make up ENGINE=docker COMPOSE_PROJECT_NAME=another-name`."
        )


def _project() -> str:
    """As compose itself finds it: the environment's word, else the name in compose.yaml."""
    return os.environ.get("COMPOSE_PROJECT_NAME") or "gaplab"


def _on_gpu() -> tuple[str, ...]:
    """The stacks that compose.gpu.yaml gives the GPU, where containers can use one and nobody asked for the CPU."""
    if os.environ.get("GAPLAB_DEVICE") == "cpu":
        return ()
    with suppress(LabError):
        gpu.usable(daemon().info().get("Runtimes", {}))
        return ("grpo", "ppo")
    return ()


def _compose(*words: str) -> None:
    if not (tool := shutil.which("docker")):
        raise LabError(
            "There is an engine, but no `docker` command on PATH.\n"
            "Its `compose` part is what starts the services.\n"
            "Install docker-cli and docker-compose (Debian), or Docker Desktop, and type the same command again."
        )
    files = ["-f", "compose.yaml", *(["-f", "compose.gpu.yaml"] if _on_gpu() else [])]
    done = subprocess.run(
        [tool, "compose", *files, *words],
        cwd=places.ROOT,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise _failed(words, done.stdout + done.stderr)


def _environment() -> Mapping[str, str]:
    """The ports as every command knows them; Jupyter's user is whose checkout this is, since it writes there."""
    at = {service.variable: str(ports()[name]) for name, service in SERVICES.items()}
    user = {"LAB_UID": str(os.getuid()), "LAB_GID": str(os.getgid())} if os.getuid() else {}
    project = {"COMPOSE_PROJECT_NAME": composed.project() or _project()}
    return {**user, **images.environment(), **at, **project}


def _failed(words: Sequence[str], said: str) -> LabError:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    last = (lines or ["it said nothing"])[-1]
    remedy = (
        f"`docker compose -p {composed.project() or _project()} logs` tells more; then type the same command again."
    )
    if "port is already allocated" in said or "address already in use" in said:
        remedy = "Move it by GAPLAB_…_PORT (compose.yaml names them), or stop what listens there; then try again."
    elif "is not a docker command" in said or "unknown command" in said:
        remedy = "Install docker-compose 2.26 or newer (Debian: docker-compose), and type the same command again."
    return LabError(
        f"`docker compose {' '.join(words)}` failed: {last}\n"
        "The services in containers are not all there; what was recorded is kept.\n"
        f"{remedy}"
    )
