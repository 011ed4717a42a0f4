"""One attempt at one trial, in a process of its own, forked from one that has the stack imported."""

import os
import sys
import traceback
from pathlib import Path

from labs.kit import spool, trial
from labs.kit.engines import Status
from labs.kit.engines.inside import leash, offspring, walls
from labs.kit.errors import LabError
from labs.kit.plan import Trial


def attempt(line: str) -> tuple[str, str]:
    """Run the trial; how it ended, and for a failure the sentences that say why."""
    leash.tie(leash.SERVER)
    offspring.adopt()
    told = Trial.from_json(line)
    log = _write_output_to(told.folder)
    if beside := os.environ.get("GAPLAB_WALLS"):  # a container's worker says what else may be written to
        walls.shut_in([told.folder, *map(Path, beside.split(":"))])
    _one_thread()
    try:
        return (Status.FINISHED if trial.run(told) else Status.ELSEWHERE), ""
    except spool.Busy:
        return Status.BUSY, ""
    except LabError as problem:
        return Status.FAILED, str(problem)
    except BaseException:
        traceback.print_exc()
        return Status.FAILED, _why(told, log)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        offspring.end()


def _write_output_to(folder: Path) -> Path:
    """Send what the trial prints, from Python or from C, to the file beside this attempt's record."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{len(list(folder.glob('*.jsonl')))}.log"
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # in the order in which it was said
    return path


def _one_thread() -> None:
    """Two trials on two cores with two threads each take five times as long as with one."""
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)


def _why(told: Trial, log: Path) -> str:
    """What was raised and where: the last frame that is the lab's own, and the error itself."""
    _, problem, trace = sys.exc_info()
    frames = traceback.extract_tb(trace)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(told.lab_folder)] or frames
    place, said = own[-1], "".join(traceback.format_exception_only(problem)).strip()
    return (
        f"{place.filename}, line {place.lineno}, in {place.name}():\n    {place.line}\n{said}\n"
        f"So {told.name} measured nothing; the same seed would raise again, so it was not tried again.\n"
        f"The whole traceback is in {log}; mend the line and run the lab again."
    )
