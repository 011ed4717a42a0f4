"""Which records MLflow does not have to their end."""

import os
import time
from pathlib import Path

from labs.kit import ack, folders
from labs.kit.rest import Mlflow

SETTLED = 1.0
"""A folder changed less than this many seconds ago may change again within one tick of the file system's clock."""


class Backlog:
    """Remembers what it has seen done, so that looking again costs one stat a trial."""

    def __init__(self) -> None:
        self._settled: dict[str, int] = {}
        self._sent: dict[str, Path] = {}

    def records(self) -> list[Path]:
        """The records whose note does not say done. A folder in which no file came or went is not looked into again."""
        found = []
        for folder in folders.every():
            changed = folder.stat().st_mtime_ns
            if self._settled.get(folder.path) != changed:
                waiting = self._waiting(folder.path)
                found += waiting
                if not waiting and time.time_ns() - changed > SETTLED * 1e9:
                    self._settled[folder.path] = changed
        return found

    def _waiting(self, folder: str) -> list[Path]:
        found = []
        with os.scandir(folder) as entries:
            names = {entry.name for entry in entries}
        for name in sorted(names):
            if name.endswith(".jsonl") and name[:-6].isdigit():
                record = Path(folder, name)
                state = ack.read(record) if f"{name}.ack" in names else ack.Ack()
                if state.done and state.run:
                    self._sent[state.run] = record
                elif not state.done:
                    found.append(record)
        return found

    def lost(self, mlflow: Mlflow) -> list[Path]:
        """The records whose run is gone; their notes are dropped, so that they are sent anew.

        A database that was set back lacks what came last, so the newest runs are asked for one by one until one is
        there; a run that somebody deleted is in MLflow's bin.
        """
        gone = []
        newest = sorted(self._sent, key=lambda run: _written(self._sent[run]), reverse=True)
        for run in newest:
            if mlflow.run(run):
                break
            gone.append(run)
        if newest:
            gone += [run["info"]["run_id"] for run in mlflow.deleted_runs()]
        records = [self._sent.pop(run) for run in gone if run in self._sent]
        for record in records:
            ack.drop(record)
        return records


def _written(record: Path) -> int:
    try:
        return ack.path_of(record).stat().st_mtime_ns
    except FileNotFoundError:
        return 0
