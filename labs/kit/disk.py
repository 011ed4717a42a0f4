"""The disk under home(), where it is full or not to be written to: that is the reader's to put right."""

import errno
import shutil
from pathlib import Path

from labs.kit import places
from labs.kit.errors import LabError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)


def is_full() -> bool:
    """Whether there is no room for another record: then it was the disk that failed, and not a trial."""
    return shutil.disk_usage(places.home()).free < 2**20


def in_words(problem: OSError) -> LabError | None:
    """A full disk, and a folder that cannot be made or written, in three sentences; None for anything else."""
    if problem.errno in _FULL:
        return LabError(
            f"The disk is full: {problem.filename or places.home()} could not be written.\n"
            "Stacks, trials and databases lie there; what is finished is whole and stays.\n"
            "Make room (`gaplab clean` says what can go), or type `make up GAPLAB_HOME=/another/disk/gaplab`."
        )
    if problem.errno in _REFUSED and problem.filename and places.home() not in Path(problem.filename).parents:
        return LabError(
            f"{problem.filename} cannot be used: {problem.strerror}.\n"
            "A lab's own files stand beside it, and this command reads or writes them.\n"
            f"Give {Path(problem.filename).parent} to your user, or work in a checkout of your own (git clone)."
        )
    if problem.errno in _REFUSED or not _can_be_made():
        return LabError(
            f"{problem.filename or places.home()} cannot be written: {problem.strerror}.\n"
            "Everything that a run makes lies there.\n"
            f"Give {places.home()} to your user, or type `make up GAPLAB_HOME=$HOME/gaplab`."
        )
    return None


def _can_be_made() -> bool:
    """Whether home() is there, or can be."""
    try:
        places.home().mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return True
