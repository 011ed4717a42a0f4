"""`gaplab list` and `gaplab show` with ten thousand trials recorded, beside an import of what any such command needs.

A command is timed from outside, as a shell sees it. `show` judges the lab that has most of the trials.
"""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.tools.figures import Figure, arguments, progress, report
from bench.tools.home import scratch
from bench.tools.world import TRIALS, world
from labs.kit import results

IMPORT = "python -c 'import typer, rich'"
NOTHING = "python -c pass"


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__, pairs=20)
    parser.add_argument("--trials", type=int, default=TRIALS, help=f"how many are recorded (default {TRIALS})")
    given = parser.parse_args()
    with report("command", given) as add, scratch(world(given.trials)):
        lab, most = Counter(row.lab for row in results.rows()).most_common(1)[0]
        gaplab = str(Path(sys.executable).with_name("gaplab"))
        commands = {
            "gaplab list": [gaplab, "list"],
            f"gaplab show {lab}": [gaplab, "show", lab],
            IMPORT: [sys.executable, "-c", "import typer, rich"],
            NOTHING: [sys.executable, "-c", "pass"],
        }
        wall, cpu = _measure(commands, given.pairs)
        state = f"{given.trials} trials recorded, files in memory (each command ran once before), mirror up to date"
        for what, target in zip(list(commands)[:2], (0.3, 1.0), strict=True):
            detail = f"; {most} of them this lab's" if "show" in what else ""
            add(Figure(what, "s", wall[what], state + detail, target, peers=_peers(wall)))
            add(Figure(f"{what}, CPU", "CPU s", cpu[what], state + detail, peers=_peers(cpu)))


def _peers(told: dict[str, list[float]]) -> dict[str, list[float]]:
    return {name: told[name] for name in (IMPORT, NOTHING)}


def _measure(
    commands: Mapping[str, Sequence[str]], pairs: int
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Wall and CPU seconds; every round runs each command once, in turned order."""
    wall: dict[str, list[float]] = {name: [] for name in commands}
    cpu: dict[str, list[float]] = {name: [] for name in commands}
    for command in commands.values():
        _run(command)
    for at in range(pairs):
        progress(f"round {at + 1} of {pairs}")
        for name in list(commands)[:: 1 if at % 2 else -1]:
            seconds, own = _run(commands[name])
            wall[name].append(seconds)
            cpu[name].append(own)
    return wall, cpu


def _run(command: Sequence[str]) -> tuple[float, float]:
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    took = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(command))
    return took, used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
