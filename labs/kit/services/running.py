"""Start and stop the services. Both may be called at any time, twice, and by two commands at once."""

import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from xmlrpc.client import Fault

from labs.kit import places
from labs.kit.errors import LabError, near
from labs.kit.recipe import lock_digest
from labs.kit.services import database, folder, health, jupyter, supervision
from labs.kit.services.known import SERVICES, Service
from labs.kit.services.links import Links, links
from labs.kit.services.ports import ports, refuse_taken, remember

STARTED = "started.json"
PATIENCE = 120.0
"""Seconds for a service to answer. On two quiet cores all three take about 8."""
ALIVE = ("STARTING", "RUNNING")


def start(services: Iterable[str] = SERVICES, ready: Callable[[str, str], None] = lambda name, link: None) -> Links:
    """Start what does not run yet, and return once everything answers; ready(name, address) is called for each.

    A service that runs on another port, with other packages or for other labs than asked for now is started again.
    Raises LabError where a port is taken, the database cannot be written or a service does not come up.
    """
    chosen = [_known(name) for name in services]
    with folder.one_at_a_time():
        at = ports()
        _stop_outdated()
        moved = _moved(at)
        missing = [service for service in chosen if service in moved or not _is_alive(service)]
        for service in missing:
            refuse_taken(service, at[service.name])
        database.prepare()
        jupyter.prepare()
        for service in moved:
            _end(service)
        remember(at)
        supervision.ensure()
        folder.write_json(STARTED, {"fingerprint": _fingerprint(), "ports": at})
        for service in missing:
            _begin(service)
        _wait_for(chosen, at, ready)
    return links()


def stop() -> bool:
    """Stop what start() started, and nothing else; False where nothing of ours ran."""
    if not folder.folder().is_dir():
        return False
    with folder.one_at_a_time():
        return supervision.shut_down()


def _known(name: str) -> Service:
    if name not in SERVICES:
        raise LabError(
            f"No service is called {name!r}. {near(name, SERVICES)}\n"
            "Services are what runs in the background between two commands.\n"
            "Type `gaplab status` to see them."
        )
    return SERVICES[name]


def _is_alive(service: Service) -> bool:
    return supervision.states().get(service.name, {}).get("statename") in ALIVE


def _begin(service: Service) -> None:
    _end(service)  # it may be waiting to be tried again
    supervision.ask("startProcess", service.name, False)


def _end(service: Service) -> None:
    with suppress(Fault):  # it does not run
        supervision.ask("stopProcess", service.name)


def _fingerprint() -> str:
    """What a running service cannot change any more: its packages, its interpreter, the labs that it shows."""
    return f"{lock_digest('services', places.device())} {sys.executable} {places.labs()}"


def _stop_outdated() -> None:
    """Stop everything where it runs with other packages than today's, or where the process manager hangs."""
    if folder.read_json(STARTED).get("fingerprint") != _fingerprint() or not supervision.answers():
        supervision.shut_down()


def _moved(at: dict[str, int]) -> list[Service]:
    """The services that run on another port than they are to have now."""
    before = folder.read_json(STARTED).get("ports")
    told = before if isinstance(before, dict) else {}
    return [service for name, service in SERVICES.items() if told.get(name) != at[name] and _is_alive(service)]


def _wait_for(services: list[Service], at: dict[str, int], ready: Callable[[str, str], None]) -> None:
    waiting, deadline = {service.name: service for service in services}, time.monotonic() + PATIENCE
    while waiting:
        for service in list(waiting.values()):
            _refuse_failed(service, late=time.monotonic() > deadline)
            if health.is_well(service, at[service.name]):
                _refuse_open(service, at[service.name])
                del waiting[service.name]
                ready(service.name, links().of(service.name))
        if waiting:
            time.sleep(0.1)


def _refuse_failed(service: Service, late: bool) -> None:
    """Raise LabError where a service has ended by itself, or takes too long; it is then stopped."""
    state = supervision.states().get(service.name, {}).get("statename", "STOPPED")
    if state in ALIVE and not late:
        return
    _end(service)
    log = folder.log_of(service.name)
    raise LabError(
        f"{service.title} did not start{f' within {PATIENCE:.0f} s' if late else ''}. "
        f"The end of {log}:\n{folder.tail(log) or '    (nothing)'}\n"
        f"Without it {service.purpose}.\n"
        "Put right what the log says, then type `make up` again; `gaplab doctor` looks for common causes."
    )


def _refuse_open(service: Service, port: int) -> None:
    if health.is_open(service, port):
        _end(service)
        raise LabError(
            f"Jupyter on port {port} let in a request without the token, so it was stopped.\n"
            "It runs any code that it is sent, so without a token every program on this machine could use it.\n"
            f"Delete {folder.folder() / 'jupyter'} (settings that switch the token off), then type `make up`."
        )
