"""Send one attempt's record to MLflow. Killed anywhere it is sent again, and sending it twice changes nothing.

MLflow stores a number once per (name, time, step, value), and the time stands in the record; the run is looked up by
its attempt and its start before it is made; the note of how far the record came is written last.
"""

import math
import re
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from labs.kit import ack, spool
from labs.kit.errors import LabError
from labs.kit.rest import ATTEMPT, KEY, Mlflow
from labs.kit.spool import Entry

Number = tuple[str, float, int, int]
"""Name, value, time, step."""

NUMBERS, PAIRS = 800, 100
"""How much goes into one call: MLflow takes 1,000 things, of them 100 params and 100 tags."""
PARAM_LENGTH, TAG_LENGTH, NAME_LENGTH = 6000, 8000, 250


class Sender:
    """Sends records to one MLflow. The caller owns the lock of each record it hands over."""

    def __init__(self, mlflow: Mlflow) -> None:
        self.mlflow = mlflow
        self._experiments: dict[str, str] = {}

    def send(self, record: Path, dead: bool = False) -> int:
        """Send what MLflow lacks, and return how many numbers that were; `dead`: nobody writes the record any more."""
        state = ack.read(record)
        try:
            return 0 if state.done else self._send(record, state, dead)
        except LabError:
            self._experiments.clear()
            if not state.run or self.mlflow.run(state.run):
                raise
            ack.drop(record)  # the run was deleted, or the database set back: it is made anew from the whole record
            return self._send(record, ack.Ack(), dead)

    def abandon(self, record: Path, why: str) -> None:
        """Close the run of a record that is damaged, so that it does not stay RUNNING for ever."""
        state, begin = ack.read(record), spool.first(record)
        run = state.run or (self._run_of(begin) if begin else "")
        if run:
            self._log(run, [], {}, {"message": why})
            self.mlflow.post(
                "runs/update", run_id=run, status="FAILED", end_time=record.stat().st_mtime_ns // 1_000_000
            )
        ack.write(record, ack.Ack(state.off, run, done=True))

    def _send(self, record: Path, state: ack.Ack, dead: bool) -> int:
        run, off, count = state.run, state.off, 0
        entry: Entry | None = None
        numbers: list[Number] = []
        params: dict[str, str] = {}
        for off, entry in spool.records(record, state.off):
            if entry["is"] == "begin":
                run, params = self._run_of(entry), entry["params"]
            numbers += _numbers(entry)
            if len(numbers) >= NUMBERS and entry["is"] != "end":
                self._log(run, numbers, params)
                ack.write(record, ack.Ack(off, run))
                count, numbers, params = count + len(numbers), [], {}
        ended = entry is not None and entry["is"] == "end"
        if run and (dead or ended):
            self._log(run, numbers, params, _last_tags(record, entry))
            self._terminate(run, entry or _last_whole(record))
        elif numbers or params:
            self._log(run, numbers, params)
        if dead or ended or off != state.off:
            ack.write(record, ack.Ack(off, run, dead or ended))
        return count + len(numbers)

    def _run_of(self, begin: Entry) -> str:
        """The run of this attempt, made if there is none. A folder run anew after a clean-up has another start."""
        home = self._experiments.get(begin["experiment"])
        if home is None:
            home = self._experiments[begin["experiment"]] = self.mlflow.experiment(begin["experiment"])
        told = f"tags.`{ATTEMPT}` = '{begin['attempt']}' AND attributes.start_time = {begin['t']}"
        found = next(self.mlflow.runs([home], size=1, filter=told), [])
        if found:
            return str(found[0]["info"]["run_id"])
        tags = {**begin["tags"], KEY: begin["trial"], ATTEMPT: begin["attempt"]}
        made = self.mlflow.post(
            "runs/create",
            experiment_id=home,
            run_name=begin["name"],
            start_time=begin["t"],
            tags=_listed(tags, TAG_LENGTH),
        )
        return str(made["run"]["info"]["run_id"])

    def _log(
        self, run: str, numbers: Sequence[Number], params: Mapping[str, str], tags: Mapping[str, str] | None = None
    ) -> None:
        metrics = [
            {"key": _name(name), "value": value, "timestamp": at, "step": step} for name, value, at, step in numbers
        ]
        settings, marks = _listed(params, PARAM_LENGTH), _listed(tags or {}, TAG_LENGTH)
        for call in range(max(math.ceil(len(metrics) / NUMBERS), math.ceil(max(len(settings), len(marks)) / PAIRS))):
            some, few = slice(call * NUMBERS, (call + 1) * NUMBERS), slice(call * PAIRS, (call + 1) * PAIRS)
            self.mlflow.post("runs/log-batch", run_id=run, metrics=metrics[some], params=settings[few], tags=marks[few])

    def _terminate(self, run: str, entry: Entry | None) -> None:
        status = entry["status"] if entry and entry["is"] == "end" else "KILLED"
        self.mlflow.post("runs/update", run_id=run, status=status, **({"end_time": entry["t"]} if entry else {}))


def _numbers(entry: Entry) -> list[Number]:
    """What becomes a metric: points, and the final measurements, which stand one step behind the last point."""
    if entry["is"] not in ("point", "end"):
        return []
    return [(name, value, entry["t"], entry["step"]) for name, value in entry["v"].items()]


def _last_whole(record: Path) -> Entry | None:
    return next(iter(deque(spool.read(record), maxlen=1)), None)


def _last_tags(record: Path, entry: Entry | None) -> dict[str, str]:
    """What the end says in words, and which numbers were not finite."""
    tags: dict[str, str] = {}
    if entry and entry["is"] == "end":
        tags |= entry["tags"]
        if entry["message"]:
            tags["message"] = entry["message"]
    if b'"is":"bad"' in record.read_bytes():
        bad = [entry for entry in spool.read(record) if entry["is"] == "bad"]
        tags["nonfinite"] = ", ".join(f"{name} = {v} at step {e['step']}" for e in bad for name, v in e["k"].items())
    return tags


def _listed(pairs: Mapping[str, str], length: int) -> list[dict[str, str]]:
    """Names and values as MLflow takes them; it would cut a long value without a word."""
    short = {name: text if len(text) <= length else f"{text[: length - 1]}…" for name, text in pairs.items()}
    return [{"key": _name(name), "value": text} for name, text in short.items()]


def _name(name: str) -> str:
    """The name, with what MLflow refuses in it replaced.

    >>> _name("reward/mean"), _name("x;drop"), _name("../up")
    ('reward/mean', 'x_drop', '_/up')
    """
    parts = (part if part.strip(".") else "_" for part in re.sub(r"[^\w\-. :/]", "_", name).split("/"))
    return "/".join(parts)[:NAME_LENGTH]
