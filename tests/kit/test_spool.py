"""A trial's record: what is written is read back, whatever ends the writer, and what is damaged is never believed."""

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs.kit import places, spool
from labs.kit.errors import LabError
from tests.kit.records import folder_of, header, trial, write

NUMBERS = st.dictionaries(st.text(min_size=1, max_size=8), st.floats(allow_nan=False, allow_infinity=False), max_size=3)
Points = list[tuple[dict[str, float], int]]
POINTS = st.lists(st.tuples(NUMBERS, st.integers(0, 10**6)), max_size=20)


@contextmanager
def _written(points: Sequence[tuple[dict[str, float], int]], values: dict[str, float]) -> Iterator[Path]:
    """A finished record in a folder of its own, in memory: each of many examples waits for the disk twice."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        record = spool.begin(Path(folder), header(trial()))
        for numbers, step in points:
            record.point(numbers, step)
        record.end("FINISHED", values)
        yield record.path


@settings(deadline=None)  # a busy machine is no fault of the code
@given(points=POINTS, values=NUMBERS)
def test_what_is_written_is_read_back_to_the_last_bit(points: Points, values: dict[str, float]) -> None:
    with _written(points, values) as record:
        ended = spool.finished(record.parent)
    assert ended is not None
    assert ended.values == values
    assert [(numbers, step) for step, numbers in ended.points] == points


@settings(deadline=None)  # a busy machine is no fault of the code
@given(points=POINTS, cut=st.integers(min_value=0))
def test_a_record_cut_anywhere_reads_as_its_whole_records(points: Points, cut: int) -> None:
    """A kill inside a write, or a power cut, leaves a beginning of the file."""
    with _written(points, {"a": 1.0}) as record:
        whole = record.read_bytes()
        kept = whole[: cut % len(whole)]
        record.write_bytes(kept)
        assert len(list(spool.read(record))) == kept.count(b"\n")
        assert not spool.is_finished(record.parent)


@settings(deadline=None)  # a busy machine is no fault of the code
@given(place=st.integers(min_value=0), bit=st.integers(0, 7))
def test_a_flipped_bit_is_named_by_file_and_byte(place: int, bit: int) -> None:
    with _written([({"loss": 0.5}, 1)], {"a": 1.0}) as record:
        content = bytearray(record.read_bytes())
        place %= len(content) - 1  # without its newline the last record counts as torn
        content[place] ^= 1 << bit
        record.write_bytes(bytes(content))
        with pytest.raises(LabError) as damage:
            list(spool.read(record))
    assert f"{record}: the record at byte " in str(damage.value)


def test_a_number_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    """JSON has no word for it, and MLflow would store a finite one in its place."""
    record = spool.begin(tmp_path, header(trial()))
    with pytest.raises(ValueError, match="not JSON compliant"):
        record.point({"loss": float("inf")}, 0)
    record.bad({"loss": "inf"}, 0)
    assert [entry["is"] for entry in spool.read(record.path)] == ["begin", "bad"]


def test_the_name_of_a_folder_is_the_one_that_readers_look_for(home: Path) -> None:
    """Readers know a trial by its folder's name, without opening it."""
    assert trial().folder == folder_of(trial())


def test_only_one_process_holds_a_trial(tmp_path: Path) -> None:
    with spool.hold(tmp_path):
        assert spool.is_held(tmp_path)
        code = f"from pathlib import Path; from labs.kit import spool\nwith spool.hold(Path({str(tmp_path)!r})): pass"
        other = subprocess.run(
            [sys.executable, "-c", code], cwd=places.ROOT, capture_output=True, text=True, check=False
        )
        assert "Busy" in other.stderr
    assert not spool.is_held(tmp_path)


def test_a_look_at_the_lock_never_turns_a_trial_away(tmp_path: Path) -> None:
    """The shipper looks whether trials are alive, at any moment, also while one begins; here it looks for long."""
    with (tmp_path / "lock").open("w") as look:
        fcntl.flock(look, fcntl.LOCK_SH)
        threading.Timer(0.3, fcntl.flock, (look.fileno(), fcntl.LOCK_UN)).start()
        with spool.hold(tmp_path):
            assert spool.is_held(tmp_path)


def test_two_that_look_at_once_do_not_see_each_other(tmp_path: Path) -> None:
    """A dead trial would pass for a living one, and its run would stay RUNNING until the next look."""
    with (tmp_path / "lock").open("w") as look:
        fcntl.flock(look, fcntl.LOCK_SH)
        assert not spool.is_held(tmp_path)


def test_a_forked_helper_that_outlives_its_worker_does_not_keep_the_trial(tmp_path: Path) -> None:
    """A flock belongs to every process that has a copy of it, and a data loader forks."""
    code = f"""
import os, time
from pathlib import Path
from labs.kit import spool
with spool.hold(Path({str(tmp_path)!r})):
    if os.fork() == 0:
        time.sleep(30)
        os._exit(0)
    print("forked", flush=True)
    time.sleep(30)
"""
    worker = subprocess.Popen(
        [sys.executable, "-c", code], cwd=places.ROOT, stdout=subprocess.PIPE, start_new_session=True
    )
    assert worker.stdout is not None
    worker.stdout.readline()
    assert spool.is_held(tmp_path)
    worker.kill()
    worker.wait()
    time.sleep(0.1)
    assert not spool.is_held(tmp_path)
    os.killpg(worker.pid, signal.SIGKILL)
    worker.stdout.close()


def test_a_folder_cleaned_between_open_and_lock_is_locked_anew(tmp_path: Path) -> None:
    with spool.hold(tmp_path):
        (tmp_path / "lock").unlink()
        with spool.hold(tmp_path):  # the name is free, so the trial in that folder is another one
            assert spool.is_held(tmp_path)


def test_each_attempt_has_a_file_of_its_own(tmp_path: Path) -> None:
    for number in range(11):
        record = spool.begin(tmp_path, header(trial()))
        assert (record.attempt, record.path.name) == (number, f"{number}.jsonl")
    assert [path.stem for path in spool.attempts(tmp_path)] == [str(number) for number in range(11)]
    begun = spool.first(tmp_path / "10.jsonl")
    assert begun is not None
    assert begun["attempt"] == f"{trial().key}.10"


def test_a_resumed_attempt_holds_the_whole_curve_once_with_its_old_times(tmp_path: Path) -> None:
    """The run that finishes shows one line from the first step to the last."""
    first = spool.begin(tmp_path, header(trial()))
    for step in [*range(6), 5, 6, 7]:  # one step has two points: a trainer may log before and after it
        first.point({"loss": float(step)}, step)
    first.bad({"ratio": "nan"}, 3)
    second = spool.begin(tmp_path, header(trial()))
    second.resume(5)
    copied = second.path.read_bytes().splitlines(keepends=True)
    second.path.write_bytes(b"".join(copied[:-1]))  # killed while it copied
    third = spool.begin(tmp_path, header(trial()))
    third.resume(5)
    third.point({"loss": 60.0}, 6)
    assert list(third.points()) == [*((s, {"loss": float(s)}) for s in [*range(6), 5]), (6, {"loss": 60.0})]
    old = {entry["step"]: entry["t"] for entry in spool.read(first.path) if entry["is"] == "point"}
    new = {entry["step"]: entry["t"] for entry in spool.read(third.path) if entry["is"] == "point"}
    assert all(new[step] == old[step] for step in range(6))
    assert [entry["k"] for entry in spool.read(third.path) if entry["is"] == "bad"] == [{"ratio": "nan"}]


def test_the_final_numbers_stand_behind_the_last_point(home: Path) -> None:
    """MLflow shows as latest what has the highest step: a measurement must not hide behind a curve of its name."""
    end = spool.last(write(trial(), {"reward": 2.0}, [(7, {"reward": 9.0})]))
    assert end is not None
    assert end["step"] == 8


def test_a_long_last_record_is_found(home: Path) -> None:
    """Only the end of the file is read, and a lab may measure a thousand things."""
    values = {f"observation_{number}": number / 7 for number in range(5000)}
    path = write(trial(), values, [(1, {"loss": 1.0})])
    end = spool.last(path)
    assert end is not None
    assert end["v"] == values


def test_a_full_disk_ends_the_trial_and_names_the_path(tmp_path: Path) -> None:
    """The kernel says so by a short write. A record written after it, once there is room, would be glued to it."""
    code = f"""
import resource
from pathlib import Path
from labs.kit import spool
from tests.kit.records import header, trial
record = spool.begin(Path({str(tmp_path)!r}), header(trial()))
for room in (2000, 100_000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, 100_000))
    try:
        for step in range(100):
            record.point({{"loss": 0.1}}, step)
    except spool.LabError as problem:
        print(problem)
"""
    told = subprocess.run([sys.executable, "-c", code], cwd=places.ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.count(f"{tmp_path}/0.jsonl: the disk is full.") == 2
    content = (tmp_path / "0.jsonl").read_bytes()
    assert len(content) == 2000
    assert len(list(spool.read(tmp_path / "0.jsonl"))) == content.count(b"\n")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "trial").write_text("a file where the folder should be")
    with pytest.raises(LabError, match="no record can be begun there"):
        spool.begin(tmp_path / "trial", header(trial()))
    with pytest.raises(LabError, match="cannot be made"), spool.hold(tmp_path / "trial"):
        pass
