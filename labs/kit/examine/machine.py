"""The machine: platform, Python, uv, room, memory, cores, GPU."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from labs.kit import places, stack
from labs.kit.catalogue import find
from labs.kit.errors import LabError
from labs.kit.examine.finding import Finding, State
from labs.kit.stack import uv

GIGABYTE = 2**30
PER_STACK = 2 * GIGABYTE
"""Room that the largest stack takes; the second one shares most of its files with it."""


def machine() -> Iterator[Finding]:
    """Everything that cannot be changed by a command of ours."""
    yield from (_platform(), _python(), _uv(), _disk(), _memory(), _cores(), _gpu())


def _platform() -> Finding:
    name = f"{platform.system()} {platform.machine()}"
    if name == "Linux x86_64":
        return Finding("platform", State.WELL, f"{name}, kernel {platform.release()}")
    remedy = "Use the containers: CONTRIBUTING.md says how"
    return Finding("platform", State.ILL, f"{name}: the locks name wheels for Linux x86_64 alone", remedy)


def _python() -> Finding:
    told = f"{platform.python_version()} at {sys.executable}"
    if sys.version_info[:2] == (3, 11):
        return Finding("python", State.WELL, told)
    return Finding("python", State.ILL, f"{told}: every lock is made for 3.11", "rm -rf .venv && make up")


def _uv() -> Finding:
    try:
        found = uv.find()
    except LabError:
        told = "neither on PATH nor fetched by bootstrap.sh: no stack can be built"
        return Finding("uv", State.ILL, told, "sh bootstrap.sh")
    asked = subprocess.run([found, "--version"], capture_output=True, text=True, check=False)
    if asked.returncode:
        return Finding(
            "uv", State.ILL, f"{found} does not run: {asked.stderr.strip()}", f"rm {found} && sh bootstrap.sh"
        )
    return Finding("uv", State.WELL, f"{asked.stdout.strip()} at {found}")


def _disk() -> Finding:
    free = shutil.disk_usage(_existing(places.home())).free
    missing = [one.name for one in stack.find() if one.for_labs and not one.built]
    wanted = GIGABYTE + PER_STACK * len(missing)
    told = f"{free / GIGABYTE:.1f} GB free at {places.home()}"
    if free >= wanted:
        return Finding("disk", State.WELL, told)
    need = f"{told}; {wanted / GIGABYTE:.0f} GB are wanted" + (f" to build {', '.join(missing)}" if missing else "")
    state = State.ILL if free < GIGABYTE / 2 else State.NOTE
    return Finding("disk", state, need, "gaplab clean   ·   or make up GAPLAB_HOME=/another/disk/gaplab")


def _existing(path: Path) -> Path:
    return next(parent for parent in (path, *path.parents) if parent.exists())


def _memory() -> Finding:
    free = psutil.virtual_memory().available / 2**20
    largest = 0
    with suppress(LabError):  # making() tells which lab cannot be read
        largest = max((lab.memory for lab in find()), default=0)
    told = f"{free / 1024:.1f} GB available; the largest trial takes {largest / 1024:.1f} GB"
    if free >= largest * 2:
        return Finding("memory", State.WELL, told)
    if free >= largest:
        return Finding("memory", State.NOTE, f"{told}, so such trials run one at a time", "close other programs")
    return Finding("memory", State.ILL, f"{told}, so it may be killed", "close other programs")


def _cores() -> Finding:
    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    told = f"{cores} for this command, load {load:.1f}"
    if load < cores + 1:
        return Finding("cores", State.WELL, told)
    return Finding("cores", State.NOTE, f"{told}: other programs are busy, trials take longer")


def _gpu() -> Finding:
    """The GPU, said plainly: nothing here needs one but the `gpu` preset."""
    tool = shutil.which("nvidia-smi")
    asked = subprocess.run([tool, "-L"], capture_output=True, text=True, check=False) if tool else None
    if asked and asked.returncode == 0 and asked.stdout.strip():
        name = asked.stdout.splitlines()[0].partition(" (")[0]
        told = f"{name}; stacks are for {places.device()}"
        remedy = "" if places.device() == "gpu" else "GAPLAB_DEVICE=gpu make up PRESET=gpu"
        return Finding("gpu", State.WELL, told, remedy)
    return Finding("gpu", State.WELL, "none: only the preset `gpu` needs one, every verdict is reached without")
