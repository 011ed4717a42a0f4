"""A trial's append-only record: one file an attempt, one checksummed JSON line a fact. Standard library alone.

    <trial folder>/lock         held (flock) by whoever runs the trial; the kernel lets go of it when that process dies
    <trial folder>/0.jsonl      the first attempt: begin, then point and bad, then end; never edited

A line is the crc32 of what follows in 8 hex digits, a space, compact JSON. `i` counts records; `t` is Unix
milliseconds, taken once: whoever sends a record on repeats it, so that sending it twice changes nothing.
"""

import errno
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from zlib import crc32

from labs.kit.errors import LabError
from labs.kit.lock import Busy, hold, is_held

__all__ = [
    "Attempt",
    "Busy",
    "Entry",
    "Record",
    "attempts",
    "begin",
    "finished",
    "first",
    "hold",
    "is_finished",
    "is_held",
    "last",
    "read",
    "records",
]

Status = Literal["FINISHED", "FAILED", "KILLED"]
Entry = dict[str, Any]
"""One record as it stands in the file."""

_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Record:
    """One attempt, being written."""

    def __init__(self, path: Path) -> None:
        self.path, self.attempt = path, int(path.stem)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o644)
        self._count, self._torn, self._after = 0, False, 0

    def point(self, values: Mapping[str, float], step: int) -> None:
        """Numbers at one step. A number that is not finite is an error here: it goes to bad()."""
        self._append("point", step=step, v=dict(values))

    def bad(self, names: Mapping[str, str], step: int) -> None:
        """Numbers that were not finite: recorded, never a metric."""
        self._append("bad", step=step, k=dict(names))

    def points(self) -> Iterator[tuple[int, dict[str, float]]]:
        """The points written so far."""
        return ((entry["step"], entry["v"]) for entry in read(self.path) if entry["is"] == "point")

    def resume(self, step: int) -> None:
        """Copy what earlier attempts have up to this step, with its old times: so that this one has the whole curve."""
        for at, kind, told in _curve_before(self.path, step):
            self._append(kind, at=at, **told)

    def sync(self) -> None:
        """Return once everything written so far is on the disk: a power cut loses nothing of it."""
        try:
            os.fdatasync(self._file)
        except OSError as problem:
            raise self._unwritable(problem) from problem

    def end(
        self, status: Status, values: Mapping[str, float], message: str = "", tags: Mapping[str, str] | None = None
    ) -> None:
        """The last record: the final measurements, one step behind the last point, or why there are none."""
        self._append("end", step=self._after, status=status, v=dict(values), message=message, tags=dict(tags or {}))
        self.sync()
        os.close(self._file)

    def _append(self, kind: str, at: int | None = None, **told: Any) -> None:
        """Write one whole record with one call, so that a kill leaves at most one torn line, at the end."""
        stamp = time.time_ns() // 1_000_000 if at is None else at
        body = _encode({"i": self._count, "t": stamp, "is": kind, **told}).encode()
        line = b"%08x %b\n" % (crc32(body), body)
        if self._torn:
            raise self._unwritable(None)
        try:
            written = os.write(self._file, line)
        except OSError as problem:
            raise self._unwritable(problem) from problem
        if written < len(line):  # a full disk says so by a short write; the next record would be glued to this one
            self._torn = True
            raise self._unwritable(None)
        self._count += 1
        self._after = max(self._after, told.get("step", -1) + 1)

    def _unwritable(self, problem: OSError | None) -> LabError:
        full = problem is None or problem.errno in _FULL
        return LabError(
            f"{self.path}: {'the disk is full' if full else f'cannot be written: {problem}'}.\n"
            "A trial whose record has a hole counts as not run.\n"
            "Make room there (`gaplab clean` names what may go), then start again: nothing finished is run twice."
        )


def begin(folder: Path, header: Mapping[str, Any]) -> Record:
    """Start a new attempt in the trial's folder, which the caller holds."""
    number = max((int(path.stem) for path in attempts(folder)), default=-1) + 1
    try:
        folder.mkdir(parents=True, exist_ok=True)
        record = Record(folder / f"{number}.jsonl")
    except OSError as problem:
        raise LabError(
            f"{folder}: no record can be begun there: {problem}.\nA trial without a record would be lost.\n"
            "Make the folder writable, or make room on its disk."
        ) from problem
    record._append("begin", attempt=f"{header['trial']}.{number}", **header)
    record.sync()
    return record


def attempts(folder: Path) -> list[Path]:
    """The attempts' files, the first one first."""
    with suppress(FileNotFoundError):
        return sorted((path for path in folder.glob("*.jsonl") if path.stem.isdigit()), key=lambda path: int(path.stem))
    return []


@dataclass(frozen=True)
class Attempt:
    """One attempt that has ended, read back whole."""

    path: Path
    number: int
    status: Status
    values: Mapping[str, float]
    points: list[tuple[int, dict[str, float]]]
    tags: Mapping[str, str]
    message: str
    end_ms: int


def finished(folder: Path) -> Attempt | None:
    """The attempt that finished the trial; None while none has."""
    return next((_whole(path) for path in attempts(folder) if _finished(path)), None)


def is_finished(folder: Path) -> bool:
    """Whether an attempt has finished the trial. Reads the ends of the files only."""
    return any(_finished(path) for path in attempts(folder))


def _finished(path: Path) -> bool:
    entry = last(path)
    return entry is not None and entry["is"] == "end" and entry["status"] == "FINISHED"


def _whole(path: Path) -> Attempt:
    entries = list(read(path))
    end = entries[-1]
    points = [(entry["step"], entry["v"]) for entry in entries if entry["is"] == "point"]
    tags = {**entries[0]["tags"], **end["tags"]}
    return Attempt(path, int(path.stem), end["status"], end["v"], points, tags, end["message"], end["t"])


def read(path: Path) -> Iterator[Entry]:
    """The records up to the first torn line. Raises LabError where a whole line was damaged."""
    return (entry for _, entry in records(path))


def records(path: Path, start: int = 0) -> Iterator[tuple[int, Entry]]:
    """Each record from byte `start` on, with the byte at which it ends."""
    with path.open("rb") as file:
        file.seek(start)
        for line in file:
            if not line.endswith(b"\n"):
                return
            yield start + len(line), _checked(line, path, start)
            start += len(line)


def first(path: Path) -> Entry | None:
    """The first record; None where it was torn."""
    return next(read(path), None)


def last(path: Path, block: int = 8192) -> Entry | None:
    """The last record, without reading the file; None where it is torn."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        while True:
            start = max(0, size - block)
            file.seek(start)
            tail = file.read(size - start)
            line = tail[tail.rfind(b"\n", 0, -1) + 1 :]
            if not line.endswith(b"\n"):
                return None
            if start == 0 or len(line) < len(tail):
                return _checked(line, path, size - len(line))
            block *= 8


def _checked(line: bytes, path: Path, byte: int) -> Entry:
    if line[:9] != b"%08x " % crc32(line[9:-1]):
        raise LabError(
            f"{path}: the record at byte {byte} is damaged: its checksum does not fit.\n"
            "A changed number would be judged as if it had been measured.\n"
            f"Delete the file and run the trial again: rm {path}"
        )
    entry: Entry = json.loads(line[9:])
    return entry


def _curve_before(path: Path, step: int) -> list[tuple[int, str, dict[str, Any]]]:
    """Time, kind and content of the points that earlier attempts have up to `step`, each once, in the order of steps.

    Taken from the attempt that has most of a point, the earliest if equal: an attempt killed while it copied has a
    part only, and one that began anew repeats what an earlier one has.
    """
    kept: dict[tuple[int, str], list[tuple[int, str, dict[str, Any]]]] = {}
    for earlier in attempts(path.parent):
        if int(earlier.stem) < int(path.stem):
            for place, found in _points_by_name(earlier, step).items():
                if len(found) > len(kept.get(place, [])):
                    kept[place] = found
    return [entry for place in sorted(kept, key=lambda place: place[0]) for entry in kept[place]]


def _points_by_name(path: Path, step: int) -> dict[tuple[int, str], list[tuple[int, str, dict[str, Any]]]]:
    made: dict[tuple[int, str], list[tuple[int, str, dict[str, Any]]]] = {}
    for entry in read(path):
        field = {"point": "v", "bad": "k"}.get(entry["is"])
        if field and entry["step"] <= step:
            for name, value in entry[field].items():
                told = {"step": entry["step"], field: {name: value}}
                made.setdefault((entry["step"], name), []).append((entry["t"], entry["is"], told))
    return made
