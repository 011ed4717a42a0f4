"""Which port each service listens on: the environment's word, else what was used last, else the usual one."""

import errno
import os
import socket
from contextlib import suppress

import psutil

from labs.kit.errors import LabError
from labs.kit.services import folder
from labs.kit.services.known import HOST, SERVICES, Service

REMEMBERED = "ports.json"


def ports() -> dict[str, int]:
    """The port of every service. Raises LabError where two were given the same one, or one is no port."""
    told = folder.read_json(REMEMBERED)
    chosen = {name: _from_environment(service) or _kept(told, service) for name, service in SERVICES.items()}
    for name, port in chosen.items():
        twin = next((other for other in chosen if other != name and chosen[other] == port), None)
        if twin:
            raise LabError(
                f"{SERVICES[name].title} and {SERVICES[twin].title} were both given port {port}.\n"
                "Two services cannot listen on one port, so the second would never start.\n"
                f"Type for example `make up {SERVICES[twin].variable}={_free_port_near(port)}`."
            )
    return chosen


def remember(chosen: dict[str, int]) -> None:
    """Keep the ports, so that every later command finds the services without being told again."""
    folder.write_json(REMEMBERED, dict(chosen))


def refuse_taken(service: Service, port: int) -> None:
    """Raise LabError where somebody else listens on the port."""
    if is_free(port):
        return
    raise LabError(
        f"Port {port}, where {service.title.replace('The ', 'the ')} is to listen, is taken{holder(port)}.\n"
        f"Without it {service.purpose}; Gaplab ends no process that it did not start.\n"
        f"Type `make up {service.variable}={_free_port_near(port)}`, or stop that program and type `make up` again."
    )


def is_free(port: int) -> bool:
    """Whether a server could listen there now. SO_REUSEADDR, as servers set it: a port just left counts as free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as problem:
            if problem.errno == errno.EADDRINUSE:
                return False
            raise
    return True


def holder(port: int) -> str:
    """` by PROGRAM (pid N)`, or nothing where the system does not let us see it (another user's program)."""
    for held in psutil.net_connections(kind="tcp"):
        if held.status == psutil.CONN_LISTEN and held.laddr and held.laddr.port == port and held.pid:
            with suppress(psutil.Error):  # it may end while we look
                return f" by {psutil.Process(held.pid).name()} (pid {held.pid})"
    return ""


def _from_environment(service: Service) -> int | None:
    told = os.environ.get(service.variable, "")
    if not told:
        return None
    if told.isascii() and told.isdigit() and 1024 <= int(told) <= 65535:
        return int(told)
    raise LabError(
        f"{service.variable} is {told!r}, which is not a port.\n"
        f"{service.title} listens on a port, a number from 1024 to 65535.\n"
        f"Type for example `make up {service.variable}={service.default_port + 50}`."
    )


def _kept(told: dict[str, object], service: Service) -> int:
    kept = told.get(service.name)
    return kept if isinstance(kept, int) and 1024 <= kept <= 65535 else service.default_port


def _free_port_near(port: int) -> int:
    return next((near for near in range(port + 50, port + 150) if near < 65536 and is_free(near)), 20000)
