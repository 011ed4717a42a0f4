"""A bare machine to its verdicts: `make up` in a fresh clone, with an empty home and empty caches of packages.

When a verdict came is read from the records of the trials that it needs; the page shows it some seconds later (see
`page`). Takes a quarter of an hour and 10 GB of disk, so it runs only when named: bench/run.sh cold. Commit first.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.tools.figures import Figure, arguments, progress, report
from bench.tools.home import free_ports
from labs.kit import places
from labs.kit.services.known import SERVICES

DROPPED = ("UV_CACHE_DIR", "PIP_CACHE_DIR", "XDG_CACHE_HOME", "VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")
KEPT = ("GAPLAB_TORCH_WHEELS",)
"""Where packages come from is no cache: on a machine with its own index it is told so."""


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__, pairs=1)
    parser.add_argument("--labs", default="", help="a part of the labs, as in `make up LABS=foundations`")
    given = parser.parse_args()
    with report("cold", given) as add, tempfile.TemporaryDirectory(prefix="gaplab-cold-") as folder:
        clone, environment = _clone(Path(folder)), _bare(Path(folder) / "home")
        with _down_at_the_end(clone, environment):
            began, dashboard, took = _up(clone, environment, given)
            told = _verdicts(clone, environment)
            again = _up(clone, environment, given)[2]
        state = "no .venv, no stack, no base model, package caches empty; files of the system may be in memory"
        came = f"{told['own']} of {told['claims']} claims have a verdict from {told['trials']} trials; {state}"
        add(Figure("`make up` to the dashboard", "s", [dashboard], state))
        add(Figure("`make up` to the first own verdict", "s", [told["first"] / 1000 - began], state, target=180))
        add(Figure("`make up` to the last quick verdict", "s", [told["last"] / 1000 - began], came, target=720))
        add(Figure("`make up`, whole", "s", [took], state, peers={"`make up` again, nothing to do": [again]}))


def _clone(folder: Path) -> Path:
    clone = folder / "gaplab"
    subprocess.run(["git", "clone", "--quiet", str(places.ROOT), str(clone)], check=True)
    return clone


def _bare(home: Path) -> Mapping[str, str]:
    """The environment of somebody who has just logged in for the first time."""
    home.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GAPLAB_") or name in KEPT}
    ports = {service.variable: str(port) for service, port in zip(SERVICES.values(), free_ports(3), strict=True)}
    return {**{name: value for name, value in kept.items() if name not in DROPPED}, "HOME": str(home), **ports}


def _up(clone: Path, environment: Mapping[str, str], given: argparse.Namespace) -> tuple[float, float, float]:
    """When `make up` began (Unix seconds), seconds until it said that the dashboard is there, and until it ended."""
    began, dashboard = time.time(), 0.0
    command = ["make", "up", f"LABS={given.labs}"]
    with subprocess.Popen(
        command, cwd=clone, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as up:
        for line in up.stdout or ():
            progress(f"{time.time() - began:4.0f} s   {line.rstrip()}")
            if line.startswith("Dashboard") and not dashboard:
                dashboard = time.time() - began
    if up.returncode:
        sys.exit(f"bench: `{' '.join(command)}` in a fresh clone ended with code {up.returncode}; see above.")
    return began, dashboard, time.time() - began


def _verdicts(clone: Path, environment: Mapping[str, str]) -> dict[str, int]:
    """Asked of the clone's own code, since a verdict counts for the recipes of that commit."""
    script = places.ROOT / "bench" / "inside" / "verdict_times.py"
    command = [str(clone / ".venv" / "bin" / "python"), str(script)]
    told = {**environment, "PYTHONPATH": str(clone)}
    asked = subprocess.run(command, cwd=clone, env=told, stdout=subprocess.PIPE, text=True, check=True)
    made: dict[str, int] = json.loads(asked.stdout)
    return made


@contextmanager
def _down_at_the_end(clone: Path, environment: Mapping[str, str]) -> Iterator[None]:
    try:
        yield
    finally:
        subprocess.run(["make", "down"], cwd=clone, env=environment, stdout=subprocess.DEVNULL, check=False)


if __name__ == "__main__":
    main()
