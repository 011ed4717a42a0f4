"""`gaplab clean`: remove what nobody needs any more. It says how many bytes, asks, and never touches what is in use."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from labs.kit import ack, catalogue, console, folders, places, services, spool, stack, tracking
from labs.kit.errors import LabError, near
from labs.kit.examine.records import left_running
from labs.kit.lock import Busy, hold, lock
from labs.kit.recipe import recipe
from labs.kit.sizes import bytes_of, megabytes

WHAT = {
    "trials": "trials whose setting, code or stack has changed since: they count nowhere",
    "stacks": "packages of locks that are gone, and what a killed build has left",
    "runs": "ends runs that stand as RUNNING in MLflow though nothing on this machine runs them",
    "everything": "all that was made here: stacks, trials, the base model, the databases",
}


@dataclass(frozen=True)
class Removal:
    """One thing that may go."""

    path: Path
    bytes: int
    kept: str = ""
    """Why it stays nevertheless."""


def clean(what: str = "trials", yes: bool = False, confirm: Callable[[str], bool] | None = None) -> int:
    """Remove one kind of thing, after asking unless `yes`. Returns the exit code: 1 where the reader said no."""
    ask = (lambda question: True) if yes else confirm or _nobody_answers
    if what == "runs":
        return _end_runs(ask)
    finders = {"trials": stale_trials, "stacks": old_stacks, "everything": everything}
    if what not in finders:
        told = "\n".join(f"    gaplab clean {name:<11} {why}" for name, why in WHAT.items())
        raise LabError(f"Nothing is called {what!r}. {near(what, WHAT)}\nNothing was removed.\nType one of:\n{told}")
    return _remove_all(what, list(finders[what]()), ask)


def _remove_all(what: str, found: list[Removal], ask: Callable[[str], bool]) -> int:
    out, going = console.out(), [one for one in found if not one.kept]
    for one in found:
        why = f"   stays: {one.kept}" if one.kept else ""
        out.print(f"{megabytes(one.bytes):>8}  {one.path}{why}", markup=False, soft_wrap=True)
    if not going:
        out.print(f"Nothing to remove ({WHAT[what]}).", soft_wrap=True)
        return 0
    if not ask(f"Remove {len(going)} of these, {megabytes(sum(one.bytes for one in going))}, for good?"):
        out.print("Nothing was removed.")
        return 1
    out.print(f"Removed {megabytes(sum(map(_remove, going)))}.")
    return 0


def stale_trials() -> Iterator[Removal]:
    """Trials of a recipe that no preset has any more."""
    today = {lab.id: _names_of_today(lab) for lab in catalogue.find()}
    for lab in folders.labs():
        for entry in folders.of_lab(lab):
            folder, (variant, _, made) = Path(entry.path), entry.name.rsplit("-", 2)
            if (variant, made) not in today.get(lab, set()):
                yield Removal(folder, bytes_of(folder, set()), _why_kept(folder))


def old_stacks() -> Iterator[Removal]:
    """Venvs that no lock asks for; one stays while a program runs in it. What a stack in use shares frees nothing."""
    left, seen = stack.unused(), set[tuple[int, int]]()
    if left:
        for one in stack.find():
            bytes_of(one.venv, seen)
    for path in left:
        why = "a program runs in it" if _is_used(path) else "it is being built" if _is_growing(path) else ""
        yield Removal(path, bytes_of(path, seen), why)


def everything() -> Iterator[Removal]:
    """All of home(). Refused while something of it is in use."""
    if any(state.pid for state in services.status()):
        raise LabError(
            "The services run, and what they have open cannot be removed under them.\n"
            "They would go on with files that nobody sees.\nType `make down`, then this command again."
        )
    held = next((entry.path for entry in folders.every() if spool.is_held(Path(entry.path))), "")
    user = held or next((str(path) for path in (places.home() / "stacks").glob("*-*") if _is_used(path)), "")
    if user:
        raise LabError(
            f"{user} is in use: a trial or a notebook runs there.\nRemoving it would end in half a record.\n"
            "Wait until it ends, or end it, then type this command again."
        )
    seen: set[tuple[int, int]] = set()
    for part in sorted(places.home().iterdir()) if places.home().is_dir() else []:
        yield Removal(part, bytes_of(part, seen))


def _names_of_today(lab: catalogue.Lab) -> set[tuple[str, str]]:
    """(variant, first digits of the recipe) of every trial that a preset would run now, in any of the lab's stacks."""
    return {
        (variant, recipe(lab, lab.setting_of(variant, preset), one)[:8])
        for one in lab.stacks
        for preset in lab.presets
        for variant in lab.variants
    }


def _why_kept(folder: Path) -> str:
    if spool.is_held(folder):
        return "it runs"
    if any(not ack.read(record).done for record in spool.attempts(folder)):
        return "MLflow has not got it yet (make up sends it)"
    return ""


def _is_used(venv: Path) -> bool:
    """Whether a program of this user was started from the venv."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if any(word.startswith(f"{venv}/") for word in process.cmdline()[:1]):
                return True
    return False


def _is_growing(folder: Path) -> bool:
    """Whether a build that lives is writing there: it holds the lock of the venv that the folder is to become."""
    path = folder.with_name(f".{folder.name.lstrip('.').rpartition('.')[0]}.flock")
    if not path.exists():
        return False
    try:
        with lock(path):
            return False
    except Busy:
        return True


def _remove(one: Removal) -> int:
    """Remove it; a trial only while nobody runs it. Returns the bytes freed."""
    if not one.path.is_relative_to(places.trials()):
        if one.path.is_dir() and not one.path.is_symlink():
            shutil.rmtree(one.path)
        else:
            one.path.unlink()
        return one.bytes
    try:
        with hold(one.path):
            shutil.rmtree(one.path)
    except Busy:
        return 0
    return one.bytes


def _end_runs(ask: Callable[[str], bool]) -> int:
    lost, out = left_running(), console.out()
    if not lost:
        out.print("No run stands as RUNNING that nothing runs.")
        return 0
    if not ask(f"End {len(lost)} runs in MLflow that no record on this machine accounts for?"):
        out.print("Nothing was changed.")
        return 1
    mlflow = tracking.client(services.tracking_uri())
    for run in lost:
        mlflow.set_terminated(run.info.run_id, "KILLED")
    out.print(f"Ended {len(lost)} runs.")
    return 0


def _nobody_answers(question: str) -> bool:
    raise LabError(f"{question}\nNobody is there to answer, and what is removed cannot be had back.\nAdd --yes.")
