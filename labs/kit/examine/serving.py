"""The background services, their ports and MLflow's database."""

from collections.abc import Iterator

from labs.kit import services, standing
from labs.kit.errors import LabError
from labs.kit.examine.finding import Finding, State
from labs.kit.services import composed, database
from labs.kit.services.known import SERVICES
from labs.kit.services.ports import holder, is_free, ports


def serving() -> Iterator[Finding]:
    """A finding for each service, with its port where it does not run, and for the database."""
    try:
        at = ports()
    except LabError as problem:
        yield Finding.of_error("ports", problem)
        return
    if composed.project():
        yield from map(_contained, standing.status())
        return
    for state in services.status():
        yield _service(state, at[state.name])
    yield _database()


def _contained(state: services.ServiceState) -> Finding:
    """One of compose's, which restarts what ends by itself."""
    if state.state == "healthy":
        return Finding(state.name, State.WELL, f"healthy in a container, {state.memory:.0f} MB")
    told = f"{state.state}, in a container" + (f"; its log ends so:\n{state.detail}" if state.detail else "")
    return Finding(state.name, State.ILL if state.state == "failed" else State.NOTE, told, standing.again())


def _service(state: services.ServiceState, port: int) -> Finding:
    service = SERVICES[state.name]
    if state.state == "healthy":
        return Finding(state.name, State.WELL, f"healthy on port {port}, {state.memory:.0f} MB")
    if state.state == "stopped" and not is_free(port):
        told = f"stopped, and its port {port} is taken{holder(port)}"
        return Finding(state.name, State.ILL, told, f"make up {service.variable}={port + 50}")
    if state.state == "failed":
        return Finding(state.name, State.ILL, f"keeps ending; its log ends so:\n{state.detail}", "make down && make up")
    if state.state == "starting":
        return Finding(state.name, State.NOTE, f"starting on port {port}", "gaplab status")
    return Finding(state.name, State.NOTE, f"stopped: {service.purpose}", "make up")


def _database() -> Finding:
    path = database.path()
    if not path.exists():
        return Finding("database", State.NOTE, "not made yet", "make up")
    if problem := database.problem_of(path):
        return Finding.of_error("database", problem)
    return Finding("database", State.WELL, f"{path.stat().st_size / 2**20:.0f} MB, writable, in write-ahead mode")
