"""A local mirror of MLflow's runs, kept up by a thread of the dashboard.

MLflow takes 2 to 3 ms a run to answer a search, so a page that asked it about ten thousand would take half a minute.
A run has no time of its last change that could be asked for, so each sync looks at (a) the runs that ended since the
last one, (b) those that run, (c) those that ran and do no longer; and once a minute at (d) the bin and (e) the next
part of a round over all runs, which finds what came late, was edited, or is gone.
"""

import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass

from labs.kit import mirror_store as store
from labs.kit import rest
from labs.kit.lock import Busy
from labs.kit.mirror_store import Run

PAGE = 200
"""Runs asked for at once: 0.7 s of the server's time, well under the client's time-out."""
PART = 200
"""Runs of the round looked at once a minute: 10,000 in 50 minutes, for one second of the server's time a minute."""
OVERLAP, BEFORE = 300_000, 2
"""Milliseconds before the last end seen, and at most so many pages of them, that are looked at again."""
_FIRST = "attributes.start_time ASC"
ROUND_EVERY = 60.0
"""Seconds between two looks at the bin and at the next part of the round."""


@dataclass
class SyncReport:
    """What one sync did."""

    read: int = 0
    """Runs that MLflow sent."""
    changed: int = 0
    """Runs that are new or differ."""
    removed: int = 0
    """Runs that are gone from MLflow."""
    seconds: float = 0.0
    busy: bool = False
    """Another process is syncing; this call did nothing."""


def sync(uri: str, thorough: bool = False) -> SyncReport:
    """Bring the mirror up to date; `thorough` does at once what is otherwise done once a minute.

    Raises rest.Away where MLflow does not answer; what was read until then is kept, and the next sync goes on.
    """
    began = time.monotonic()
    try:
        with store.writing() as file:
            report = _Sync(file, uri, thorough).run()
    except Busy:
        return SyncReport(busy=True)
    report.seconds = time.monotonic() - began
    return report


class _Sync:
    def __init__(self, file: sqlite3.Connection, uri: str, thorough: bool) -> None:
        self.file, self.report = file, SyncReport()
        if store.state(file, "uri") not in ("", uri):  # another MLflow: nothing of the old one belongs here
            for table in ("runs", "gone", "curves", "state"):
                file.execute(f"DELETE FROM {table}")
        store.remember(file, uri=uri)
        self.mlflow = rest.Mlflow(uri)
        self.round = int(store.state(file, "round", "0"))
        self.thorough = thorough or time.time() - float(store.state(file, "thorough_at", "0")) >= ROUND_EVERY

    def run(self) -> SyncReport:
        self.homes = self.mlflow.experiments()
        self._ended_since()
        self._running()
        if self.thorough:
            self._bin()
            self._next_part_of_the_round()
            store.remember(self.file, thorough_at=time.time())
        self.file.commit()
        return self.report

    def _ended_since(self) -> None:
        """(a) Oldest first, by pages, so that a sync cut short goes on where it was; then what ended just before.

        Runs do not arrive in the order of their ends: another shipper may be slower, another machine's clock behind.
        """
        mark = last = int(store.state(self.file, "watermark", "0"))
        for runs in self._pages(f"attributes.end_time >= {mark}", "attributes.end_time ASC"):
            ends = [run["info"].get("end_time") or 0 for run in runs]
            last = min(max([last, *ends]), int(time.time() * 1000))  # a clock that is ahead must not hide what follows
            store.remember(self.file, watermark=last)
            self.file.commit()
        if self.thorough or self.report.changed:
            told = f"attributes.end_time >= {mark - OVERLAP} AND attributes.end_time < {mark}"
            for page, _ in enumerate(self._pages(told, "attributes.end_time DESC"), 1):
                if page == BEFORE:
                    break

    def _running(self) -> None:
        """(b) and (c)."""
        told = {run["info"]["run_id"] for runs in self._pages("attributes.status = 'RUNNING'") for run in runs}
        known = {str(row[0]) for row in self.file.execute("SELECT run_id FROM runs WHERE status = 'RUNNING'")}
        self._ask_for(known - told)

    def _bin(self) -> None:
        """(d) What was deleted, and what was taken out of the bin again."""
        deleted = {run["info"]["run_id"] for run in self.mlflow.deleted_runs()}
        known = {str(row[0]) for row in self.file.execute("SELECT run_id FROM gone")}
        self._remove(deleted - known)
        self.file.executemany("INSERT OR IGNORE INTO gone VALUES (?)", [(run_id,) for run_id in deleted])
        self.file.executemany("DELETE FROM gone WHERE run_id = ?", [(run_id,) for run_id in known - deleted])
        self._ask_for(known - deleted)

    def _next_part_of_the_round(self) -> None:
        """(e) One page; at the end of a round, what no page of it held is asked for by name."""
        self._newest_are_there()
        if not self.homes:
            return
        token = store.state(self.file, "page")
        asked = {"page_token": token} if token else {}
        page = self.mlflow.post("runs/search", experiment_ids=self.homes, max_results=PART, order_by=[_FIRST], **asked)
        token = page.get("next_page_token", "")
        self._keep(page.get("runs", []))
        if not token:
            old = self.file.execute("SELECT run_id FROM runs WHERE round < ?", (self.round,)).fetchall()
            self._ask_for({str(row[0]) for row in old})
            self.round += 1
        store.remember(self.file, page=token, round=self.round)

    def _newest_are_there(self) -> None:
        """A database that was set back, or made anew, lacks what came last."""
        for (run_id,) in self.file.execute("SELECT run_id FROM runs ORDER BY ended DESC").fetchall():
            if self._ask_for({str(run_id)}):
                break

    def _ask_for(self, run_ids: set[str]) -> int:
        """Look at runs by name, and say how many are still there."""
        there = 0
        for run_id in run_ids:
            run = self.mlflow.run(run_id)
            if run is None:
                self._remove({run_id})
            else:
                there += 1
                self._keep([run])
        return there

    def _pages(self, told: str, order: str = _FIRST) -> Iterator[list[rest.Run]]:
        for runs in self.mlflow.runs(self.homes, PAGE, filter=told, order_by=[order]):
            self._keep(runs)
            yield runs

    def _keep(self, found: list[rest.Run]) -> None:
        self.report.read += len(found)
        self.report.changed += store.put(self.file, [run for run in map(_plain, found) if run], self.round)

    def _remove(self, run_ids: set[str]) -> None:
        for run_id in run_ids:
            self.report.removed += store.drop(self.file, run_id)


def _plain(run: rest.Run) -> Run | None:
    """The run in our words; None for one that is not a trial's, or whose tags somebody broke."""
    info, tags = run["info"], rest.pairs(run["data"].get("tags", []))
    number = tags.get(rest.ATTEMPT, "").rpartition(".")[2]
    if rest.KEY not in tags or "lab" not in tags or not number.isdecimal() or not tags.get("seed", "").isdecimal():
        return None
    return Run(
        run_id=info["run_id"],
        experiment=info["experiment_id"],
        key=tags[rest.KEY],
        attempt=int(number),
        lab=tags["lab"],
        variant=tags.get("variant", ""),
        seed=int(tags["seed"]),
        recipe=tags.get("recipe", ""),
        preset=tags.get("preset", ""),
        stack=tags.get("stack", ""),
        status=info["status"],
        start=info.get("start_time") or 0,
        ended=info.get("end_time") or 0,
        numbers={m["key"]: m["value"] for m in run["data"].get("metrics", []) if not isinstance(m["value"], str)},
        tags=tags,
    )
