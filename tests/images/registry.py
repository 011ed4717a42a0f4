"""A real registry for images, of the tests' own."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.faults.engine import AS_ROOT
from tests.faults.server import free_port
from tests.kit.engines.deeds import wait_for


@contextmanager
def registry(folder: Path, beside: Sequence[str] = ()) -> Iterator[str]:
    """Debian's docker-registry, for this machine alone, or for one that is `beside`; yields host:port."""
    assert shutil.which("docker-registry"), "no registry is here: images/engine/registry.sh, as root"
    address = f"127.0.0.1:{free_port()}"
    told = {"version": 0.1, "storage": {"filesystem": {"rootdirectory": str(folder)}}, "http": {"addr": address}}
    (folder / "config.yml").write_text(json.dumps(told))  # JSON is YAML
    with (folder / "log").open("wb") as log:
        command = [*beside, "docker-registry", "serve", str(folder / "config.yml")]
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_for(lambda: f"listening on {address}" in (folder / "log").read_text())
        yield address
    finally:
        subprocess.run([*(AS_ROOT if beside else ()), "kill", str(process.pid)], check=True)
        process.wait()
