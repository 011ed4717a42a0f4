"""Images and services of a bench's own: under other names than the checkout's, gone when it ends."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.tools.home import free_ports
from labs.kit import places
from labs.kit.containers import images
from labs.kit.containers.daemon import daemon
from labs.kit.stack import find

PROJECT = "gaplab-bench"
TARGETS = [stack.name for stack in find() if stack.in_image]
CORE = ("database", "tracking", "dashboard")
_PORTS = ("DASHBOARD", "MLFLOW", "TABULAR", "GRPO", "PPO")


@contextmanager
def copied(room: Path) -> Iterator[Path]:
    """What images are made from, in a folder where it may be edited; the images made there are removed."""
    folder = room / "checkout"
    for name in ("images", "labs", "dashboard"):
        shutil.copytree(places.ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(places.ROOT / ".dockerignore", folder)
    try:
        yield folder
    finally:
        for target in [*TARGETS, "database"]:
            _docker("image", "rm", image_of(target), check=False)


def image_of(target: str) -> str:
    """The bench's own image of a target."""
    return f"{PROJECT}-{target}"


def bake(folder: Path, *targets: str, anew: bool = False) -> float:
    """Seconds to build the targets; `anew` runs every step again, packages at hand where the builder keeps them."""
    told = [f"--set={target}.tags={image_of(target)}" for target in targets]
    words = ["buildx", "bake", "-f", "images/docker-bake.hcl", *told, *(["--no-cache"] if anew else []), *targets]
    began = time.perf_counter()
    _docker(*words, cwd=folder, told=images.environment("cpu"))
    return time.perf_counter() - began


def layers(image: str) -> dict[str, int]:
    """Bytes of each of its layers by digest, the lowest first."""
    told = daemon().images.get(image)
    sizes = [step["Size"] for step in reversed(told.history()) if step["Size"]]
    digests = [one for one in told.attrs["RootFS"]["Layers"] if one not in _EMPTY]
    return dict(zip(digests, sizes, strict=True))


_EMPTY = {"sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"}
"""The layer of a step that wrote nothing, which an image's history counts as no bytes."""


@contextmanager
def project() -> Iterator[dict[str, str]]:
    """The environment of a compose project on free ports; nothing of it stays."""
    ports = zip(_PORTS, free_ports(len(_PORTS)), strict=True)
    told = {**images.environment("cpu"), **{f"GAPLAB_{name}_PORT": str(port) for name, port in ports}}
    told["COMPOSE_PROJECT_NAME"] = PROJECT
    try:
        yield told
    finally:
        compose(told, "--profile", "all", "down", "-v")


def compose(told: Mapping[str, str], *words: str) -> float:
    """Seconds that a command of compose takes."""
    began = time.perf_counter()
    _docker("compose", *words, told=told)
    return time.perf_counter() - began


def resident(services: Sequence[str] = CORE) -> dict[str, float]:
    """MB that each service holds, without files that the kernel may drop."""
    found = {}
    for service in services:
        told = daemon().api.stats(f"{PROJECT}-{service}-1", stream=False, one_shot=True)["memory_stats"]
        kept = told["stats"]
        found[service] = (told["usage"] - kept.get("total_inactive_file", kept.get("inactive_file", 0))) / 1e6
    return found


def _docker(*words: str, cwd: Path = places.ROOT, check: bool = True, told: Mapping[str, str] | None = None) -> str:
    env = {**os.environ, **(told or {})}
    done = subprocess.run(["docker", *words], cwd=cwd, env=env, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise RuntimeError(f"docker {' '.join(words)}: {done.stderr[-2000:]}")
    return done.stdout


def engine() -> str:
    """What was measured."""
    told = daemon().version()
    return f"engine {told['Version']}, {json.loads(_docker('info', '-f', '{{json .Driver}}'))}"
