"""What the pages draw: every lab judged, kept up to date by two threads, so that a page reads memory and nothing else.

One thread keeps the mirror of MLflow, which may hang for seconds; the other judges again the labs whose trials, words
or reference changed. Both slow down when nobody looks.
"""

import logging
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from dashboard.judging import Judging, Known
from labs.kit import curves, places
from labs.kit.errors import LabError
from labs.kit.results import Judged, Row
from labs.kit.words import Lab

INTERVAL = 1.0
"""Seconds between two looks while somebody watches."""
IDLE_AFTER, IDLE_INTERVAL = 30.0, 10.0
"""Seconds without a look at the page, after which that becomes less often."""
FIRST = 60.0
"""Seconds that the first page of all waits for the labs to be judged."""


@dataclass(frozen=True)
class Seen:
    """What is known at one moment; never changed, only replaced."""

    version: int = 0
    """Grows whenever anything below changes."""
    known: Mapping[str, Known] = field(default_factory=dict)
    """lab id -> the lab, judged"""
    away: str = ""
    """Why MLflow is not being read; empty where it is."""
    asked: int = 0
    """How often curves came from MLflow."""
    broken: str = ""
    """Why nothing can be judged: the mirror's file, for example; empty where all is well."""
    synced_ms: int = 0
    """When MLflow answered last; 0 where it never did."""

    @property
    def labs(self) -> list[Lab]:
        """Every lab whose words can be read."""
        return [known.lab for known in self.known.values() if known.lab]

    @property
    def judged(self) -> list[Judged]:
        """Every claim in every variant."""
        return [one for known in self.known.values() for one in known.judged]

    @property
    def finished(self) -> int:
        """How many trials of the reader's own have finished."""
        return sum(known.finished for known in self.known.values())

    @property
    def newest_ms(self) -> int:
        """When the newest of them did; 0 where there is none."""
        return max((known.newest_ms for known in self.known.values()), default=0)


class Watcher:
    """Looks at the labs and the recorded trials of one home, until stopped."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._seen, self._judging = Seen(), Judging()
        self._curves: dict[str, Mapping[str, curves.Curve]] = {}
        self._wanted: dict[str, Row] = {}
        self._changing, self._ready = threading.Lock(), threading.Event()
        self._wake, self._stopped = threading.Condition(), False
        self._looked_at, self._stirred = time.monotonic(), True
        for job in (self._keep_judging, *([self._keep_mirroring] if uri.startswith("http") else [])):
            threading.Thread(target=job, name=f"gaplab{job.__name__}", daemon=True).start()

    def seen(self) -> Seen:
        """What is known now. The first call waits until the labs have been judged once."""
        with self._wake:
            if time.monotonic() - self._looked_at > IDLE_AFTER:
                self._wake.notify_all()
            self._looked_at = time.monotonic()
        self._ready.wait(FIRST)
        return self._seen

    def curves(self, row: Row) -> Mapping[str, curves.Curve]:
        """The curves of a finished trial. Where only MLflow has them they come a little later, with a new version."""
        if row.key not in self._curves:
            here = curves.of(replace(row, run_id=None), "")
            if here or not row.run_id or not self.uri:
                self._curves[row.key] = here
            else:
                self._wanted[row.key] = row
        return self._curves.get(row.key, {})

    def stop(self) -> None:
        """Let both threads end."""
        with self._wake:
            self._stopped = True
            self._wake.notify_all()

    def _keep_judging(self) -> None:
        while not self._stopped:
            stirred, self._stirred = self._stirred, False
            try:
                if self._judging.look(stirred):
                    self._change(known=dict(self._judging.known))
            except Exception as problem:
                self._stirred = True  # it is still to be looked at
                self._change(broken=_in_words(problem, "The page shows what was known before."))
            else:
                self._change(broken="")
            self._ready.set()
            self._rest()

    def _keep_mirroring(self) -> None:
        from labs.kit import mirror  # takes 2 s, of this thread

        while not self._stopped:
            try:
                report = mirror.sync(self.uri)
                self._stirred |= bool(report.changed or report.removed or report.busy)
                self._fetch_curves()
            except Exception as problem:
                if not self._seen.away:  # the words may differ each time, and none of them is news
                    self._change(away=_in_words(problem, "MLflow cannot be read."))
            else:
                self._change(away="", synced_ms=int(time.time() * 1000))
            self._rest()

    def _fetch_curves(self) -> None:
        """What a page asked for and this disk has not. A finished trial's curves never change."""
        wanted, self._wanted = self._wanted, {}
        for row in wanted.values():
            self._curves[row.key] = curves.of(row, self.uri)
        if wanted:
            self._change(asked=self._seen.asked + 1)

    def _rest(self) -> None:
        with self._wake:
            if not self._stopped:
                watched = time.monotonic() - self._looked_at < IDLE_AFTER
                self._wake.wait(INTERVAL if watched else IDLE_INTERVAL)

    def _change(self, **told: Any) -> None:
        """A new Seen; one that only says when MLflow was read keeps its version, since no page need be drawn again."""
        with self._changing:
            new = replace(self._seen, **told)
            if replace(new, synced_ms=0) != replace(self._seen, synced_ms=0):
                new = replace(new, version=new.version + 1)
            self._seen = new


def _in_words(problem: Exception, lead: str) -> str:
    """A LabError's own three sentences; for anything unforeseen three of ours, and its traceback in the log."""
    if isinstance(problem, LabError):
        return str(problem)
    _log.error("%s", lead, exc_info=problem)
    what = f"{lead} {type(problem).__name__}: {problem}."
    return f"{what}\nIt is tried again every few seconds.\nThe dashboard's log says more; type `gaplab doctor`."


def watcher() -> Watcher:
    """The watcher of this process for the home, the labs and the MLflow server that the environment names."""
    where = (str(places.home()), str(places.labs()), str(places.trials()), tracking_uri())
    with _starting:
        return _watcher(*where)


def tracking_uri() -> str:
    """The MLflow server to read; empty where none is named, and then only this disk is read."""
    return os.environ.get("GAPLAB_TRACKING_URI", "").rstrip("/")


_log = logging.getLogger(__name__)
_starting = threading.Lock()


@cache
def _watcher(home: str, labs: str, trials: str, uri: str) -> Watcher:
    return Watcher(uri)
