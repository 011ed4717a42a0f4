"""The services of this home, in whichever way they were started: on the bare machine, or by compose."""

from collections.abc import Callable
from contextlib import suppress

from labs.kit import services
from labs.kit.services import Links, ServiceState, composed


def status() -> list[ServiceState]:
    """Every service, running or not, also where the reader has started them by `docker compose up`."""
    on_machine = [] if composed.project() else services.status()
    if any(one.pid for one in on_machine):
        return on_machine
    from labs.kit.containers import compose

    return compose.states() if composed.project() else compose.by_hand() or on_machine


def stop() -> list[str]:
    """Stop what was started, and nothing else; what that was, in words."""
    stopped = ["the dashboard, MLflow and Jupyter"] if services.stop() else []
    if composed.project():
        from labs.kit.containers import compose

        stopped += ["the services in containers"] if compose.stop() else []
    return stopped


def again() -> str:
    """What starts them again, the way they were started."""
    return "make up ENGINE=docker" if composed.project() else "make up"


def start(engine: str, ready: Callable[[str, str], None], tell: Callable[[str], None]) -> Links:
    """Start them the way that fits the engine, those of the other way stopped: both want the same ports."""
    if engine != "docker":
        if composed.project():
            _stop_in_containers()
        links = services.start(ready=ready)
        composed.forget()
        return links
    from labs.kit.containers import compose

    if not composed.project():
        services.stop()
    links = compose.start(tell)
    for name in ("dashboard", "mlflow"):
        ready(name, links.of(name))
    return links


def _stop_in_containers() -> None:
    """Where their engine is gone, nothing runs in it that could be in the way."""
    from labs.kit.containers.daemon import NoEngine

    with suppress(NoEngine):
        stop()


def notebooks(engine: str, links: Links, stacks: list[str], tell: Callable[[str], None]) -> dict[str, str]:
    """The addresses of Jupyter: one server on the bare machine, one for each stack in containers."""
    if engine != "docker":
        return {"": links.jupyter}
    from labs.kit.containers import compose

    return compose.notebooks(stacks, tell)


def editor(engine: str) -> tuple[str, str]:
    """The address and the password of the editor in the browser, where compose runs it; else nothing twice."""
    if engine != "docker":
        return "", ""
    from labs.kit.containers import compose

    return compose.editor()
