"""What recording costs a GRPO training: the record of a real trial, and TRL's own `report_to=["mlflow"]` beside it.

Pairs of the same training, one that records and one that keeps nothing, in one process of the grpo stack, the order
turned from pair to pair. CPU seconds of that process; what sending the records to MLflow takes elsewhere stands apart.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil

from bench.tools.figures import Figure, arguments, progress, report
from bench.tools.home import scratch
from labs.kit import places, services
from labs.kit.shipper import ship_all
from labs.kit.stack import Stack, uv

CLIENT = "mlflow-skinny==3.17.2"
"""MLflow's client without its server: the grpo stack has neither."""


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__, pairs=20)
    parser.add_argument("--steps", type=int, default=100, help="steps of each training (default 100)")
    parser.add_argument("--peers", type=int, default=5, help='pairs with report_to=["mlflow"] (default 5)')
    given = parser.parse_args()
    client = _client()
    with report("recording", given) as add, scratch():
        services.start(["mlflow"])
        ship_all(services.tracking_uri())  # nothing to send yet, but MLflow's client is imported: 2 s once a command
        state = f"{given.steps} steps of GRPO, one thread, libraries and base model in memory"
        for way, pairs, target in (("record", given.pairs, 1.02), ("report_to", given.peers, None)):
            what = "recorded as a trial" if way == "record" else 'report_to=["mlflow"]'
            cpu, wall = _train(way, pairs, given.steps, client)
            for unit, told, aim in (("CPU s", cpu, target), ("s", wall, None)):
                peers = {"the same, keeping nothing": told["nothing"]}
                add(Figure(f"GRPO training, {what}", unit, told[way], state, target_ratio=aim, peers=peers))
            if way == "record":
                add(_sending(cpu["nothing"], state))


def _client() -> Path:
    """A folder with MLflow's client, made once."""
    folder = places.home() / "bench" / CLIENT
    if not folder.is_dir():
        progress(f"fetching {CLIENT}")
        half = folder.with_name(f"{CLIENT}.{os.getpid()}")
        python = Stack("grpo").python
        uv.run(["pip", "install", "--python", python, "--target", half, CLIENT], places.ROOT / "bench", progress)
        half.rename(folder)
    return folder


def _train(way: str, pairs: int, steps: int, client: Path) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """CPU and wall seconds by way, in the order of the pairs."""
    cpu: dict[str, list[float]] = {way: [], "nothing": []}
    wall: dict[str, list[float]] = {way: [], "nothing": []}
    command = [str(Stack("grpo").python), "-m", "bench.inside.train", way, str(pairs), str(steps), str(client)]
    told = {"MLFLOW_TRACKING_URI": services.tracking_uri(), "MLFLOW_DISABLE_TELEMETRY": "true"}
    with subprocess.Popen(
        command, cwd=places.ROOT, env={**os.environ, **told}, stdout=subprocess.PIPE, text=True
    ) as process:
        for line in process.stdout or ():
            name, *seconds = line.split()
            cpu[name].append(float(seconds[0]))
            wall[name].append(float(seconds[1]))
            progress(f"{way}: {len(cpu[name])} of {pairs} {name}")
    if process.returncode:
        sys.exit(f"bench: the trainings of `{' '.join(command)}` ended with code {process.returncode}.")
    return cpu, wall


def _sending(trained: list[float], state: str) -> Figure:
    """What it takes to send one record on: in the command, once it has MLflow's client imported, and in the server."""
    server = psutil.Process(next(one.pid for one in services.status() if one.name == "mlflow"))

    def used() -> float:
        return time.process_time() + sum(server.cpu_times()[:2])

    before = used()
    sent = ship_all(services.tracking_uri())
    if sent.problems:
        sys.exit(f"bench: MLflow did not take the records: {sent.problems[0]}")
    cost = (used() - before) / sent.ended
    what = "Sending one of these records to MLflow, command and server"
    return Figure(what, "CPU s", [cost], f"{sent.ended} records of {state}", peers={"the training": trained})


if __name__ == "__main__":
    main()
