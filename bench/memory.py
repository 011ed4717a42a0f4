"""What everything takes together while two GRPO trials run: services, command, worker and trials, in PSS.

PSS divides a shared page among those who share it, so the numbers add up. The sample with the largest sum counts. The
peers: MLflow as `mlflow server` starts it, and the same two trials in processes of their own instead of forks.
"""

import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil

from bench.tools.browser import browser
from bench.tools.figures import Figure, arguments, progress, report
from bench.tools.home import free_ports, scratch
from bench.tools.processes import running
from bench.tools.world import TRIALS, point_mirror_at_mlflow, world
from labs.kit import catalogue, places, services
from labs.kit.engines.inside.worker import ENVIRONMENT
from labs.kit.plan import plan
from labs.kit.services import folder, health
from labs.kit.services.known import HOST
from labs.kit.stack import Stack

Megabytes = dict[str, float]
LAB, VARIANT = "integration/silent_groups", "nf4"
FORKED = "the grpo worker and two trials forked from it"
SETTLED = 15.0
"""Seconds after which a server that answers has started all that it starts."""


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__, pairs=1)
    parser.add_argument("--trials", type=int, default=TRIALS, help=f"how many are recorded (default {TRIALS})")
    parser.add_argument("--seconds", type=float, default=120, help="sample for at most so long (default 120)")
    given = parser.parse_args()
    with report("memory", given) as add, scratch(world(given.trials)) as home, browser() as reader:
        point_mirror_at_mlflow()
        reader.new_page().goto(services.start().dashboard)
        os.environ["GAPLAB_TRIALS"] = str(home / "own")  # where these trials have not finished yet
        progress("two trials by the command")
        ours = _forked(given.seconds)
        progress("the peers")
        theirs = {
            FORKED: ("the two trials in processes of their own", _in_processes(home, given.seconds)),
            "mlflow": ("`mlflow server` as it starts by itself", _mlflow_server(home)),
        }
        state = f"{given.trials} trials recorded, the overview open in a browser (not counted), two {VARIANT} trials"
        add(Figure("Services, command and two GRPO workers", "GB", [sum(ours.values()) / 1000], state, target=3.5))
        for family, size in ours.items():
            told, other = theirs.get(family, ("", 0.0))
            add(Figure(family, "MB", [size], "at the same moment", peers={told: [other]} if told else {}))


def _forked(seconds: float) -> Megabytes:
    """All of Gaplab's, by family of processes."""
    gaplab = str(Path(sys.executable).with_name("gaplab"))
    with running([gaplab, "run", LAB, "--variant", VARIANT, "--seeds", "2", "--workers", "2"]) as command:

        def sample() -> Megabytes:
            told = {one.name: one.memory * 2**20 / 1e6 for one in services.status()}
            told["supervisord"] = _pss([psutil.Process(int((folder.folder() / "supervisord.pid").read_text()))])
            told["gaplab run"] = _pss([command])
            return told | {FORKED: _pss(command.children(recursive=True))}

        return _largest(command, sample, seconds)


def _in_processes(home: Path, seconds: float) -> float:
    trials = plan([catalogue.read(places.labs() / LAB)], "quick", [VARIANT], seeds=2)
    os.environ |= {"GAPLAB_TRIALS": str(home / "cold"), **ENVIRONMENT}
    python = str(Stack(trials[0].stack).python)
    with ExitStack() as every:
        both = [every.enter_context(running([python, "-m", "labs.kit.trial"], one.to_json())) for one in trials]
        return _largest(both[0], lambda: {"": _pss(both)}, seconds)[""]


def _mlflow_server(home: Path) -> float:
    (port,) = free_ports(1)
    database = f"sqlite:///{home / 'peer.db'}"
    told = ["--host", HOST, "--port", str(port), "--backend-store-uri", database]
    with running([sys.executable, "-m", "mlflow", "server", *told]) as server:
        while health.answer(port, "/health") != 200 and server.poll() is None:
            time.sleep(0.2)
        return _largest(server, lambda: {"": _pss([server, *server.children(recursive=True)])}, SETTLED)[""]


def _largest(process: psutil.Popen, sample: Callable[[], Megabytes], seconds: float) -> Megabytes:
    """The sample with the largest sum while the process runs, for at most so long."""
    largest: Megabytes = {}
    until = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < until:
        with suppress(psutil.NoSuchProcess):  # one ended while we looked: the next sample is whole
            largest = max(largest, sample(), key=lambda told: sum(told.values()))
        time.sleep(1.0)
    return largest


def _pss(processes: Sequence[psutil.Process]) -> float:
    return sum(one.memory_full_info().pss for one in processes) / 1e6


if __name__ == "__main__":
    main()
