"""The Docker engine, for who wants everything in containers, and whether they can use a GPU."""

import shutil
from collections.abc import Iterator

from labs.kit.errors import LabError
from labs.kit.examine.finding import Finding, State
from labs.kit.services import composed


def containers() -> Iterator[Finding]:
    """An engine that is missing is no ill where nothing runs in containers: everything runs without."""
    from labs.kit.containers import gpu
    from labs.kit.containers.daemon import daemon, otherwise

    try:
        with otherwise("`make up` without ENGINE=docker needs none."):
            engine = daemon()
        told, runtimes = engine.version()["Version"], engine.info().get("Runtimes", {})
    except LabError as problem:
        yield _of(problem, "docker", State.ILL if composed.project() else State.NOTE)
        return
    yield Finding("docker", State.WELL, f"engine {told}: make up ENGINE=docker")
    try:
        yield Finding("docker gpu", State.WELL, f"{gpu.usable(runtimes)}: compose.gpu.yaml is added by itself")
    except LabError as problem:
        yield _of(problem, "docker gpu", State.NOTE if shutil.which("nvidia-smi") else State.WELL)


def _of(problem: LabError, what: str, state: State) -> Finding:
    *told, remedy = str(problem).splitlines()
    return Finding(what, state, " ".join(told), remedy)
