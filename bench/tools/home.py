"""A home of the bench's own: services on free ports, trials of its own, the checkout's stacks and base."""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from labs.kit import places, services
from labs.kit.services.known import HOST, SERVICES

SHARED = ("stacks", "base")
"""Made once for the checkout: too much to make again, and not what is measured."""


@contextmanager
def scratch(like: Path | None = None) -> Iterator[Path]:
    """Point GAPLAB_HOME at a temporary folder, or at a copy of the home `like`; its services are stopped at the end."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="gaplab-bench-", dir=_room()) as folder:
        home = Path(folder) / "home"
        if like:
            shutil.copytree(like, home, symlinks=True)
        else:
            home.mkdir()
            for name in SHARED:
                (places.home() / name).mkdir(parents=True, exist_ok=True)
                (home / name).symlink_to(places.home() / name)
        os.environ |= {"GAPLAB_HOME": str(home)}
        os.environ |= {
            service.variable: str(port) for service, port in zip(SERVICES.values(), free_ports(3), strict=True)
        }
        for name in ("GAPLAB_TRIALS", "GAPLAB_TRACKING_URI"):
            os.environ.pop(name, None)
        try:
            yield home
        finally:
            services.stop()
            os.environ.clear()
            os.environ.update(before)


def _room() -> Path:
    """Beside the real home, so that files lie on the disk on which they lie in life."""
    room = places.home() / "bench"
    room.mkdir(parents=True, exist_ok=True)
    return room


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on now."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((HOST, 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()
