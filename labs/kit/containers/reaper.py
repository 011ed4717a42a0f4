"""Containers whose command is gone: a worker ends by itself when its command does; what hung is ended here."""

import os
from contextlib import suppress
from pathlib import Path

import psutil
from docker.errors import APIError, NotFound

from labs.kit import places
from labs.kit.containers.daemon import daemon

WORKER = "org.gaplab.worker"
"""The label of every container that an engine starts; its value names the command that it belongs to."""


def owner() -> str:
    """Who this command is: the machine's boot, the process, and when that began, since its number comes again."""
    return f"{_boot()} {os.getpid()} {psutil.Process().create_time():.2f}"


def labels(stack: str) -> dict[str, str]:
    """What a worker's container is known by."""
    return {WORKER: owner(), "org.gaplab.home": str(places.home()), "org.gaplab.stack": stack}


def reap() -> list[str]:
    """Remove the workers of commands that are gone, and return their names."""
    gone = [
        one
        for one in daemon().containers.list(all=True, filters={"label": WORKER}, ignore_removed=True)
        if _is_orphan(one.labels)
    ]
    for one in gone:
        with suppress(NotFound, APIError):  # it is going by itself
            one.remove(force=True)
    return [str(one.name) for one in gone]


def _is_orphan(told: dict[str, str]) -> bool:
    boot, _, process = told[WORKER].partition(" ")
    pid, _, began = process.partition(" ")
    if boot != _boot():
        return True
    try:
        return f"{psutil.Process(int(pid)).create_time():.2f}" != began
    except psutil.NoSuchProcess:
        return True


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
