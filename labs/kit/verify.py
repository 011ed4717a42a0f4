"""Run labs again, apart from the reader's own trials, and hold them against their references."""

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from labs.kit import places, reference, spool
from labs.kit.compare import Comparison, compare
from labs.kit.engines import Event
from labs.kit.errors import LabError
from labs.kit.plan import Trial, plan
from labs.kit.reference import Reference
from labs.kit.results import Row, row_of
from labs.kit.run import Report, run
from labs.kit.words import Lab


def verify(
    labs: Sequence[Lab], preset: str = "quick", on_event: Callable[[Event], None] | None = None
) -> list[Comparison]:
    """Run the preset anew in a folder of its own and compare. Raises LabError without a reference or a result.

    All labs in one run: a stack is imported once, and no core waits for the last trial of each lab.
    """
    told = {lab.id: _reference(lab) for lab in labs}
    with _apart():
        trials = {lab.id: plan([lab], preset) for lab in labs}
        report = run([trial for of in trials.values() for trial in of], on_event=on_event, ship=False)
        new = {lab: list(_rows(of)) for lab, of in trials.items()}
    _refuse_holes(report)
    return [one for lab in labs for one in _compared(lab, preset, told[lab.id], trials[lab.id], new[lab.id])]


def _reference(lab: Lab) -> Reference:
    told = reference.load(lab)
    if told is None:
        raise LabError(
            f"{lab.id} has no reference.json.\nThere is nothing to hold a new run against.\n"
            f"Type `gaplab record {lab.id}` to make this machine's run the reference."
        )
    return told


def _compared(lab: Lab, preset: str, told: Reference, trials: Sequence[Trial], new: Sequence[Row]) -> list[Comparison]:
    same = told.same_machine_class and told.stack["lock"] == trials[0].lock
    wanted = {trial.variant: trial.recipe for trial in trials}
    return compare(lab, _of_preset(told.rows, preset, told, wanted), new, same)


def _of_preset(rows: Sequence[Row], preset: str, told: Reference, wanted: dict[str, str]) -> list[Row]:
    """The recorded trials of the preset: two presets that ask for the same trial share it, so the recipe decides."""
    of = told.recipes.get(preset, {})
    return [row for row in rows if row.variant in wanted and row.recipe == of.get(row.variant)]


def _rows(trials: Sequence[Trial]) -> Iterator[Row]:
    for trial in trials:
        if ended := spool.finished(trial.folder):
            yield row_of(trial, ended)


def _refuse_holes(report: Report) -> None:
    if report.failed:
        raise LabError(
            f"{len(report.failed)} trials failed: {report.failed[0].message}\n"
            "A run with holes cannot be held against a whole one.\nMend what it says and verify again."
        )


@contextmanager
def _apart() -> Iterator[Path]:
    """A folder for the trials alone: stacks and base model are this machine's own, its trials are not touched."""
    before = os.environ.get("GAPLAB_TRIALS")
    places.home().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=places.home(), prefix="verify-") as folder:
        os.environ["GAPLAB_TRIALS"] = folder
        try:
            yield Path(folder)
        finally:
            os.environ.pop("GAPLAB_TRIALS")
            if before is not None:
                os.environ["GAPLAB_TRIALS"] = before
