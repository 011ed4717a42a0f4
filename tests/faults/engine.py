"""A Docker engine of a test's own, which may be killed or find its disk full; the machine's one never notices.

It has a network of its own, which leads nowhere: two engines in one would fight over the bridge. Its images lie in
memory, on a disk that is as large as the test says.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import docker

AS_ROOT = [] if os.geteuid() == 0 else ["sudo", "-n"]
_LOOPBACK = "import fcntl, socket, struct; fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sh', b'lo', 0x41))"
"""SIOCSIFFLAGS: the address 127.0.0.1 answers from then on, where there is no `ip` to say so."""
LOW = 2**18
"""Bytes: less than any layer."""


class Engine:
    """Its folder holds socket, log, and the disk for images."""

    def __init__(self, folder: Path, bridge: str = "") -> None:
        """With the name of a bridge it builds over that, and keeps images in containerd's store."""
        self.folder, self.disk, self.bridge = folder, folder / "disk", bridge
        self.host = f"unix://{folder}/docker.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and return once it answers."""
        (self.folder / "pid").unlink(missing_ok=True)
        told: dict[str, object] = {
            "data-root": self.disk,
            "exec-root": self.folder / "run",
            "pidfile": self.folder / "pid",
        }
        told |= {"host": self.host, "group": str(os.getgid()), "config-file": self.folder / "settings.json"}
        told |= {"containerd-namespace": "gaplab-test", "containerd-plugins-namespace": "gaplab-test-plugins"}
        told |= {"iptables": "false", "ip-forward": "false", "ip-masq": "false"}
        apart, settings = ["unshare", "--net"], "{}"
        if self.bridge:
            apart, settings = [], '{"features": {"containerd-snapshotter": true}}'
            told["bridge"] = self.bridge
        words = [f"--{name}={value}" for name, value in told.items()]
        (self.folder / "settings.json").write_text(settings)
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen([*AS_ROOT, *apart, "dockerd", *words], stdout=log, stderr=log)
        until = time.monotonic() + 30
        while not self.answers():
            assert self._process.poll() is None, (self.folder / "log").read_text()[-2000:]
            assert time.monotonic() < until, "the engine did not answer within 30 s"
            time.sleep(0.1)

    @property
    def beside(self) -> list[str]:
        """What a command begins with that is to run on this engine's network: each reaches the other by 127.0.0.1."""
        pid = (self.folder / "pid").read_text()
        within = [*AS_ROOT, "nsenter", f"--net=/proc/{pid}/ns/net"]
        subprocess.run([*within, sys.executable, "-c", _LOOPBACK], check=True)
        return within

    def answers(self) -> bool:
        """Whether a client is answered."""
        try:
            with closing(docker.DockerClient(self.host, timeout=5)) as client:
                return bool(client.ping())
        except (docker.errors.DockerException, OSError):
            return False

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal, and return when it is gone."""
        if self._process is not None:
            pid = (self.folder / "pid").read_text()
            subprocess.run([*AS_ROOT, "kill", f"-{number.value}", pid], check=True)
            self._process.wait(30)
            self._process = None

    def take(self, image: str, source: str | None = None) -> None:
        """An image that the machine's engine has."""
        env = {**os.environ, "DOCKER_HOST": source} if source else None
        with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE, env=env) as saved:
            subprocess.run(["docker", "-H", self.host, "load", "-q"], stdin=saved.stdout, check=True)

    def room(self) -> int:
        """Bytes that its disk still takes."""
        found = os.statvfs(self.disk)
        return found.f_bavail * found.f_frsize

    def fill(self) -> None:
        """Leave next to nothing on its disk."""
        subprocess.run([*AS_ROOT, "fallocate", "-l", str(self.room() - LOW), self.disk / "ballast"], check=True)

    def grow(self, size: str) -> None:
        """Give it another disk size."""
        subprocess.run([*AS_ROOT, "mount", "-o", f"remount,size={size}", self.disk], check=True)


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """An empty disk of this size in place of a folder."""
    folder.mkdir()
    subprocess.run([*AS_ROOT, "mount", "-t", "tmpfs", "-o", f"size={size},mode=1777", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run([*AS_ROOT, "umount", "-l", folder], check=True)


@contextmanager
def engine(size: str) -> Iterator[Engine]:
    """An engine with so much room for its images; nothing of it stays."""
    with tempfile.TemporaryDirectory(prefix="gaplab-engine-", ignore_cleanup_errors=True) as folder:
        made = Engine(Path(folder))
        with small_disk(made.disk, size):
            try:
                made.start()
                yield made
            finally:
                made.end()
        subprocess.run([*AS_ROOT, "rm", "-rf", *made.folder.iterdir()], check=True)


@contextmanager
def containerd_engine() -> Iterator[Engine]:
    """An engine that keeps images in containerd's store, whose builds reach the network; nothing of it stays.

    The machine's engine makes the bridge, rules of the firewall included: if this one wrote any, the other's would go.
    """
    bridge = f"gaplab-{os.getpid()}"
    named = ["-o", f"com.docker.network.bridge.name={bridge}", bridge]
    subprocess.run(["docker", "network", "create", *named], check=True, stdout=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory(prefix="gaplab-engine-", ignore_cleanup_errors=True) as folder:
        made = Engine(Path(folder), bridge)
        made.disk.mkdir()
        try:
            made.start()
            yield made
            for what in ("system", "builder"):  # a containerd that was here before would keep it
                subprocess.run(["docker", "-H", made.host, what, "prune", "-af"], check=True, stdout=subprocess.DEVNULL)
        finally:
            made.end()
            subprocess.run([*AS_ROOT, "rm", "-rf", *made.folder.iterdir()], check=True)
            subprocess.run(["docker", "network", "rm", bridge], check=True, stdout=subprocess.DEVNULL)
