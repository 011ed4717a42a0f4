"""Images, compose and the engine `docker`: their time and size, beside the same without containers.

Everything is made under names of the bench's own. Images are built from a copy of the checkout, in which one lab, or
one pin of one lock, is then changed. `--cold` also runs every step of every image anew (minutes), `--gpu` also builds
and weighs the images for GPUs.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench.start import LABS, _finish, _timed
from bench.tools import docker
from bench.tools.figures import Figure, arguments, progress, report
from bench.tools.home import scratch
from labs.kit import catalogue, places, services, spool
from labs.kit.containers import images
from labs.kit.containers.daemon import daemon
from labs.kit.engines import open_engine
from labs.kit.plan import Trial, plan
from labs.kit.stack import Stack

Add = Callable[[Figure], None]
SIZES = {"tabular": 800, "grpo": 1900, "ppo": 1900, "services": 1050, "database": None}
"""MB that an image is to stay under."""
GPU_SIZES = {"grpo": 6000, "ppo": 6000}
LAB, STACK, PIN = "integration/kl_optimum", "grpo", "trl=="
TRIALS = {"foundations/random_walk": "tabular", "integration/silent_groups": "grpo"}
SETTLED = 20.0
"""Seconds after which a service that is healthy has started all that it starts."""


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__, pairs=5)
    parser.add_argument("--cold", action="store_true", help="run every step of every image anew as well")
    parser.add_argument("--gpu", action="store_true", help="the images for GPUs as well: 3 GB to fetch, 15 GB of disk")
    given = parser.parse_args()
    with report("containers", given) as add, scratch() as home:
        images.build([Stack(name) for name in docker.TARGETS], ["database"])
        with docker.copied(home) as folder:
            _builds(add, folder, given.pairs, given.cold)
        _sizes(add, SIZES)
        if given.gpu:
            _for_gpus(add)
        _services(add, given.pairs)
        for lab, stack in TRIALS.items():
            _trials(add, lab, stack, given.pairs)
        _starts(add, 4 * given.pairs)


def _builds(add: Add, folder: Path, pairs: int, cold: bool) -> None:
    everything, state = (*docker.TARGETS, "database"), f"{docker.engine()}; packages in the builder's cache"
    if cold:
        progress("every image, every step anew")
        add(Figure("All images, every step anew", "s", [docker.bake(folder, *everything, anew=True)], state, 480))
    docker.bake(folder, *everything)
    progress("images that are there")
    add(Figure("All images, nothing changed", "s", [docker.bake(folder, *everything) for _ in range(pairs)], state, 2))
    progress("one lab edited")
    own, each = [], []
    practice = folder / "labs" / LAB / "practice.py"
    for at in range(pairs):
        practice.write_text(f"{practice.read_text()}# {at}\n")
        own.append(docker.bake(folder, STACK))
        each.append(docker.bake(folder, *everything))
    add(Figure(f"One lab edited, the image of its stack ({STACK})", "s", own, state, 2))
    add(Figure("One lab edited, the other images that hold the labs", "s", each, state))
    _one_pin(add, folder, everything, state)


def _one_pin(add: Add, folder: Path, everything: Sequence[str], state: str) -> None:
    """A remark over it: another lock to the builder, while the network's speed has no part in it."""
    progress(f"one pin of {STACK} changed")
    before = {target: _installed(target) for target in everything}
    lock = folder / "images" / STACK / "cpu.lock"
    text = lock.read_text()
    lock.write_text(text.replace(f"\n{PIN}", f"\n# {time.time()}\n{PIN}"))
    took = docker.bake(folder, *everything)
    changed = {target for target in everything if _installed(target) != before[target]}
    if changed != {STACK}:
        raise AssertionError(f"one pin of {STACK} changed the images of {', '.join(changed) or 'none'}")
    add(Figure(f"One pin of {STACK} changed: its image alone is built", "s", [took], state, 60))


def _installed(target: str) -> set[str]:
    """The layers that hold packages; the project's own files, which every image copies, are smaller."""
    return {digest for digest, size in docker.layers(docker.image_of(target)).items() if size > 1e7}


def _sizes(add: Add, most: Mapping[str, int | None], device: str = "cpu") -> None:
    found = {name: docker.layers(_image(name, device)) for name in most}
    for name, limit in most.items():
        size = sum(found[name].values()) / 1e6
        state = f"{device}; {len(found[name])} layers, as the engine stores them"
        add(Figure(f"Image of {name}", "MB", [size], state, limit))
    grpo, ppo = found["grpo"], found["ppo"]
    own = sum(size for digest, size in (grpo | ppo).items() if not (digest in grpo and digest in ppo))
    state = f"{device}; a push or pull of the second moves these bytes alone"
    add(Figure("Of grpo and ppo, what the other has not", "% of grpo", [100 * own / sum(grpo.values())], state, 5))


def _image(name: str, device: str) -> str:
    return "gaplab-database:15" if name == "database" else images.name_of(Stack(name, device))


def _for_gpus(add: Add) -> None:
    """From what the builder has; images that were not here before are removed again."""
    stacks = [Stack(name, "gpu") for name in GPU_SIZES]
    new = [stack for stack in stacks if not images.is_built(stack)]
    progress("images for GPUs")
    began = time.perf_counter()
    images.build(stacks)
    state = f"{docker.engine()}; {len(new)} of {len(stacks)} not there before, downloads included"
    add(Figure("Images for GPUs", "s", [time.perf_counter() - began], state))
    _sizes(add, GPU_SIZES, "gpu")
    for stack in new:
        daemon().images.remove(images.name_of(stack))


def _services(add: Add, pairs: int) -> None:
    """Database, MLflow and dashboard; beside them what `make up` starts without containers, Jupyter included."""
    empty, kept, idle, peer = [], [], [0.0], []
    for at in range(pairs):
        progress(f"compose up and down, {at + 1} of {pairs}")
        with docker.project() as told:
            empty.append(docker.compose(told, "up", "-d", "--wait", *docker.CORE))
            docker.compose(told, "down")
            kept.append(docker.compose(told, "up", "-d", "--wait", *docker.CORE))
            if at == pairs - 1:
                time.sleep(SETTLED)
                idle = [sum(docker.resident().values())]
    for _ in range(min(pairs, 3)):
        began = time.perf_counter()
        services.start()
        peer.append(time.perf_counter() - began)
        time.sleep(SETTLED if len(peer) == min(pairs, 3) else 0)
        held = sum(one.memory for one in services.status()) * 2**20 / 1e6
        services.stop()
    state, peers = "images there, files in memory", {"the same as processes, on SQLite, with Jupyter": peer}
    add(Figure("docker compose up -d --wait, empty volumes", "s", empty, state, 15, peers=peers))
    add(Figure("docker compose up -d --wait, volumes there", "s", kept, state, 10, peers=peers))
    state = f"resident, {SETTLED:g} s after all were healthy; files that the kernel may drop are left out"
    add(Figure("Idle stack of compose", "MB", idle, state, 1200, peers={"the same as processes (PSS)": [held]}))


def _trials(add: Add, lab: str, stack: str, pairs: int) -> None:
    """The same trials in warm workers of both engines, turn by turn."""
    trials = plan([catalogue.read(places.labs() / lab)], "quick", stack=stack)[: pairs + 1]
    seconds: dict[str, list[float]] = {"docker": [], "process": []}
    numbers: dict[str, list[object]] = {"docker": [], "process": []}
    engines = {name: open_engine(name, 1) for name in seconds}
    try:
        for at, trial in enumerate(trials):
            progress(f"{lab}: trial {at} of {len(trials) - 1}")
            for name in list(seconds)[:: 1 if at % 2 else -1]:
                took, found = _run(name, engines[name], trial)
                seconds[name].append(took)
                numbers[name].append(found)
    finally:
        for engine in engines.values():
            engine.close()
    if numbers["docker"] != numbers["process"]:
        raise AssertionError(f"{lab}: the engines gave other numbers")
    state, peers = "the same numbers to the last bit; warm workers, one at a time", {"process": seconds["process"][1:]}
    add(Figure(f"A trial of {lab}, engine docker", "s", seconds["docker"][1:], state, target_ratio=1.05, peers=peers))


def _run(name: str, engine: object, trial: Trial) -> tuple[float, object]:
    """Seconds and numbers, in a folder of this engine's own."""
    os.environ["GAPLAB_TRIALS"] = str(places.home() / f"trials-{name}")
    began = time.perf_counter()
    _finish(engine, trial)  # type: ignore[arg-type]
    took = time.perf_counter() - began
    ended = spool.finished(trial.folder)
    return took, ended and ended.values


def _starts(add: Add, count: int) -> None:
    """From handing over a trial to its record's begin, in a worker container that is warm."""
    os.environ["GAPLAB_LABS"] = str(places.ROOT / "bench" / "labs")
    for stack, lab in LABS.items():
        told: dict[str, list[float]] = {"docker": [], "process": []}
        for name, found in told.items():
            os.environ["GAPLAB_TRIALS"] = str(places.home() / f"starts-{name}")
            engine = open_engine(name, 1)
            try:
                for trial in plan([catalogue.read(places.labs() / lab)], "full", ["light"], seeds=count + 1):
                    found.append(_timed(lambda one, engine=engine: _finish(engine, one), trial)[0])  # type: ignore[misc]
            finally:
                engine.close()
        state, peers = "worker there, stack imported", {"process": told["process"][1:]}
        add(Figure(f"Stack {stack}: start of a trial, engine docker", "s", told["docker"][1:], state, 0.1, peers=peers))


if __name__ == "__main__":
    main()
