"""Running uv with this machine's settings, and saying in three sentences what went wrong."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from labs.kit import places
from labs.kit.errors import LabError
from labs.kit.stack.trouble import explain

TORCH_CPU_WHEELS = "images/torch-wheels.txt"
"""Names PyTorch's own page of CPU wheels, which are on no package index; venvs and images both go by it."""

_DROPPED = {"PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME"}

Told = Callable[[str], None]


def run(arguments: Iterable[str | Path], about: Path, on_line: Told, held: Sequence[int] = ()) -> None:
    """Run uv and hand on each line it prints; a failure becomes a LabError about the file `about`.

    uv keeps the descriptors in `held` open: a file lock among them outlives this process if that is killed, until uv
    has stopped writing.
    """
    command = [str(find()), *map(str, arguments)]
    said = []
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(),
        pass_fds=held,
    ) as process:
        try:
            for line in filter(None, map(str.rstrip, process.stdout or ())):
                said.append(line)
                on_line(line)
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise explain(said or [f"uv ended with code {process.returncode} and said nothing"], about)


def find() -> Path:
    """The uv to use: GAPLAB_UV, the one that bootstrap.sh fetched because PATH had none, or the one on PATH."""
    own = places.home() / "bootstrap" / "bin" / "uv"
    for found in (os.environ.get("GAPLAB_UV"), str(own), shutil.which("uv")):
        if found and os.access(found, os.X_OK):
            return Path(found)
    raise LabError(
        f"uv is neither on PATH nor at {own}. It makes the venv of every stack, exactly as the lock says. "
        "Type: sh bootstrap.sh"
    )


def environment() -> Mapping[str, str]:
    """For uv and smoke.py: byte code is written (imports take twice as long without), and pip's settings hold."""
    env = {key: value for key, value in os.environ.items() if key not in _DROPPED}
    env |= {"UV_NO_CONFIG": "1", "UV_NO_PROGRESS": "1", "NO_COLOR": "1"}
    env.setdefault("UV_HTTP_TIMEOUT", "120")
    for name, setting in (("SSL_CERT_FILE", "cert"), ("UV_DEFAULT_INDEX", "index-url")):
        if name not in env and (value := _pip_setting(setting)):
            env[name] = value
    return env


def find_links(lock: Path | None, device: str) -> list[str]:
    """Where uv finds torch's CPU wheels, for a lock that has one, or for locking, which may get one."""
    if device != "cpu" or (lock is not None and "+cpu" not in lock.read_text()):
        return []
    said = os.environ.get("GAPLAB_TORCH_WHEELS") or _pip_setting("find-links")
    said = said or (places.ROOT / TORCH_CPU_WHEELS).read_text()
    return [part for link in said.split() for part in ("--find-links", link)]


@lru_cache
def _pip_setting(name: str) -> str:
    """What pip is set up with on this machine, from its environment or its files; uv reads neither."""
    if said := os.environ.get(f"PIP_{name.upper().replace('-', '_')}"):
        return said
    if not (pip := shutil.which("pip3") or shutil.which("pip")):
        return ""
    asked = subprocess.run([pip, "config", "get", f"global.{name}"], capture_output=True, text=True, check=False)
    return asked.stdout.strip() if asked.returncode == 0 else ""
