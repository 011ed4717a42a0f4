"""Run a lab's trials inside its image, without network, and hold them against what was recorded in it."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from docker.types import Mount

from labs.kit import spool
from labs.kit.compare import Comparison, compare
from labs.kit.containers.worker import TMPFS, Container, shut
from labs.kit.engines import Ended, Event, Status
from labs.kit.engines.docker import Images
from labs.kit.engines.outside.crew import Crew, free_memory
from labs.kit.engines.outside.worker import Endings, Worker
from labs.kit.errors import LabError
from labs.kit.plan import Trial
from labs.kit.results import Row, row_of
from labs.kit.schedule import carry_out
from labs.kit.share import manifest
from labs.kit.share.quarantine import Guest
from labs.kit.share.refusal import plain, reading

_RECORD = 100 * 2**20
"""Bytes that one trial's record may have."""


def run(
    guest: Guest, preset: str = "quick", workers: int | None = None, tell: Callable[[Event], None] = lambda event: None
) -> list[Row]:
    """Run the preset in the image, in a home of its own; one row a trial."""
    with reading(guest.lab.id):
        trials = list(_trials(guest, preset))
    with _apart(guest.room / "home"):
        _run(guest, trials, workers or len(os.sched_getaffinity(0)), tell)
        with reading(guest.lab.id):
            return [_row(guest, trial) for trial in trials]


def held_against(guest: Guest, preset: str, rows: Sequence[Row], cpu: Mapping[str, Any]) -> list[Comparison]:
    """Every claim of every variant beside its recorded numbers, for rows that a machine with this CPU measured."""
    told = manifest.recorded(guest.lab)
    with reading(guest.lab.id):
        return compare(guest.lab, manifest.rows_of(told, preset), rows, dict(told.cpu) == dict(cpu))


def _trials(guest: Guest, preset: str) -> Iterator[Trial]:
    """As plan() makes them, but from the image's own numbers and recipes: this checkout may be of another day."""
    lab, stack = guest.lab, guest.said["stack"]
    if preset not in guest.said["recipes"]:
        raise LabError(
            f"{lab.id} was recorded for {', '.join(guest.said['recipes'])}, not for {preset}.\n"
            "There is nothing to hold such a run against.\nLeave --preset out."
        )
    for seed in range(lab.presets[preset].seeds):
        for variant in lab.presets[preset].variants:
            yield Trial(
                lab=lab.id,
                lab_folder=f"/gaplab/labs/{lab.id}",
                variant=variant,
                seed=seed,
                preset=preset,
                setting=lab.setting_of(variant, preset),
                stack=stack["name"],
                lock=stack["lock"],
                recipe=guest.said["recipes"][preset][variant],
                timeout=lab.timeout,
                memory=lab.memory,
            )


@contextmanager
def _apart(home: Path) -> Iterator[None]:
    """Trials are looked for where the image writes them."""
    before = os.environ.get("GAPLAB_TRIALS")
    (home / "trials").mkdir(parents=True)
    os.environ["GAPLAB_TRIALS"] = str(home / "trials")
    try:
        yield
    finally:
        os.environ.pop("GAPLAB_TRIALS")
        if before is not None:
            os.environ["GAPLAB_TRIALS"] = before


def _run(guest: Guest, trials: Sequence[Trial], cores: int, tell: Callable[[Event], None]) -> None:
    if guest.said["base"]:
        _make_base(guest)
    crew = Crew(partial(_begin, guest, cores), Images(), cores, free_memory())
    try:
        for event in carry_out(trials, crew, lambda trial: True):
            if isinstance(event, Ended) and event.final and event.status is not Status.FINISHED:
                raise LabError(
                    f"{event.trial.name} failed in the image: {plain(event.message)}\n"
                    "A run with holes cannot be held against a whole one.\n"
                    "Verify again on a quiet machine; if it fails again, tell whoever gave you the image."
                )
            tell(event)
    finally:
        crew.close()


def _begin(guest: Guest, cores: int, stack: str, ended: Endings) -> Worker:
    log = guest.room / "worker.log"
    command = ("-m", "labs.kit.engines.inside.worker")
    return Worker(Container.of(guest.image.id, command, _walls(guest, cores), log), log, ended).listen()


def _make_base(guest: Guest) -> None:
    """The model that its labs start from, made by the image as it was made for the recorded trials."""
    log = guest.room / "base.log"
    container = Container.of(guest.image.id, ("-m", "labs.kit.policy.base"), _walls(guest, 1), log)
    container.make_room(2048)
    for _ in container.lines():
        pass
    if container.end():
        raise LabError(
            f"The base model could not be made in the image: {plain(log.read_text(errors='replace')[-300:])}\n"
            f"{guest.lab.id} trains it, so none of its trials ran.\n"
            "Verify again; if it fails again, tell whoever gave you the image."
        )


def _walls(guest: Guest, cores: int) -> dict[str, Any]:
    """Its own kit and lab, one folder to write."""
    stack, home = guest.said["stack"], str(guest.room / "home")
    return {
        **shut(stack["name"], stack["device"], cores),
        "tmpfs": {"/tmp": TMPFS, "/home/lab": TMPFS},
        "mounts": [Mount(home, home, type="bind")],
        "working_dir": "/gaplab",
        "environment": {
            "GAPLAB_STACK": stack["name"],
            "GAPLAB_DEVICE": stack["device"],
            "GAPLAB_HOME": home,
            "GAPLAB_TRIALS": f"{home}/trials",
            "GAPLAB_LABS": "/gaplab/labs",
            "PYTHONDONTWRITEBYTECODE": "1",
            "NUMBA_CACHE_DIR": "/tmp/numba",
        },
    }


def _row(guest: Guest, trial: Trial) -> Row:
    """What a trial recorded. Whoever made the image wrote it, so it is looked at before it is read."""
    for path in (folder := trial.folder, *folder.parents[:3], *spool.attempts(folder)):
        if path.is_symlink() or path.stat().st_size > _RECORD:
            raise LabError(
                f"{trial.name}: the image left something else than a record ({path.name}).\n"
                "What stands elsewhere on this machine would be taken for a measurement.\n"
                "Do not use this image, and tell whoever gave it to you."
            )
    ended = spool.finished(trial.folder)
    assert ended is not None, f"{trial.name} ended without a record"
    return row_of(trial, ended)
