"""What the services do right now."""

import time
from contextlib import suppress
from dataclasses import dataclass

import psutil

from labs.kit.services import folder, health, supervision
from labs.kit.services.known import SERVICES, Service
from labs.kit.services.links import links
from labs.kit.services.ports import ports


@dataclass(frozen=True)
class ServiceState:
    """One service, as it is now."""

    name: str
    state: str
    """healthy, starting, failed (given up) or stopped"""
    link: str
    pid: int
    """0 where it does not run"""
    seconds: float
    """how long it has been up"""
    memory: float
    """MiB that it and its children take, shared pages divided among those who share them (PSS)"""
    detail: str
    """for a failed one: the end of its log"""
    password: str = ""
    """what the page asks for; empty where it asks for nothing, or the link holds it"""


def status() -> list[ServiceState]:
    """Every service, running or not."""
    told, at = supervision.states(), ports()
    return [_state(service, told.get(service.name, {}), at[service.name]) for service in SERVICES.values()]


def _state(service: Service, told: dict[str, object], port: int) -> ServiceState:
    named, pid = told.get("statename", "STOPPED"), int(str(told.get("pid", 0)))
    began = float(str(told.get("start", 0)))
    failed = named == "FATAL"
    well = pid > 0 and health.is_well(service, port)
    return ServiceState(
        name=service.name,
        state="healthy" if well else "failed" if failed else "starting" if pid or named == "BACKOFF" else "stopped",
        link=links().of(service.name),
        pid=pid,
        seconds=time.time() - began if pid else 0.0,
        memory=_memory(pid) if pid else 0.0,
        detail=folder.tail(folder.log_of(service.name)) if failed else "",
    )


def _memory(pid: int) -> float:
    total = 0
    with suppress(psutil.NoSuchProcess):
        for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                total += process.memory_full_info().pss
    return total / 2**20
