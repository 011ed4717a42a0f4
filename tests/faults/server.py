"""The tracking server that `make up` starts, as a process that a test may kill, freeze and start again."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from labs.kit import places
from labs.kit.services.health import answer


class Server:
    """MLflow over a database of its own in `home`; always at the same address, as after a restart."""

    def __init__(self, home: Path) -> None:
        self.home, self.port = home, free_port()
        self.uri = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Server":
        """Start it, and return once it answers."""
        self.home.mkdir(parents=True, exist_ok=True)
        command = f"{tied()}; from labs.kit.services.tracking import serve; serve({self.port})"
        environment = {**os.environ, "GAPLAB_HOME": str(self.home), "OMP_NUM_THREADS": "1"}
        with (self.home / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", command], cwd=places.ROOT, env=environment, stdout=log, stderr=log
            )
        until = time.monotonic() + 120
        while answer(self.port, "/health") != 200:
            assert self._process.poll() is None, (self.home / "server.log").read_text()[-2000:]
            assert time.monotonic() < until, "the server did not answer within two minutes"
            time.sleep(0.1)
        return self

    def kill(self) -> None:
        """End it as the kernel would: no word of goodbye."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Leave it listening but answering nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


def tied() -> str:
    """Code by which a process dies with this one: a test that is killed leaves nothing running."""
    return f"from labs.kit.engines.inside.leash import tie; tie({os.getpid()})"


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
