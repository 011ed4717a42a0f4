"""Spool files -> MLflow, by a thread of `gaplab run` that may be killed anywhere and may stand beside another one."""

import threading
from dataclasses import dataclass, field, replace
from pathlib import Path

from labs.kit import ack
from labs.kit.backlog import Backlog
from labs.kit.errors import LabError
from labs.kit.lock import Busy, lock
from labs.kit.reaper import send_or_end
from labs.kit.rest import Away, Mlflow
from labs.kit.shipment import Sender

IDLE = 2.0
"""Seconds between two passes; nudge() ends the wait."""
SOONEST, LATEST = 1.0, 30.0
"""Seconds between two passes while MLflow is away, doubled from the first to the second."""
SILENT = 2
"""So many records in a row without an answer: MLflow is away. One alone may be a record that the server chokes on."""


@dataclass
class Shipped:
    """What was sent."""

    ended: int = 0
    """Attempts whose run now has its end."""
    numbers: int = 0
    """Metric values sent."""
    waiting: int = 0
    """Attempts that MLflow does not have to their end: they run, or it is away."""
    problems: list[str] = field(default_factory=list)
    away: bool = False
    """Whether MLflow did not answer; what it lacks is sent by the next pass, now or tomorrow."""


class Shipper:
    """Sends every record under places.trials() to the MLflow at `uri`: once(), or in the background from start() on."""

    def __init__(self, uri: str) -> None:
        self.uri, self.sent = uri, Shipped()
        self._sender = Sender(Mlflow(uri))
        self._backlog, self._doubt = Backlog(), True
        self._stop, self._wake = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._repeat, name="shipper", daemon=True)

    def start(self) -> None:
        """Begin to send in the background."""
        self._thread.start()

    def nudge(self) -> None:
        """Something new was recorded: do not wait for the next pass."""
        self._wake.set()

    def stop(self, patience: float = 10.0) -> Shipped:
        """Send what is left, for at most `patience` seconds, and say what was sent since the start. Nothing is lost."""
        self._stop.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(patience)
        return replace(self.sent, away=True) if self._thread.is_alive() else self.sent

    def once(self) -> Shipped:
        """One pass over every record that MLflow does not have to its end."""
        done, silent = Shipped(), 0
        records = self._backlog.records()
        try:
            if self._doubt:
                records += self._backlog.lost(self._sender.mlflow)
        except Away as problem:
            done.problems.append(str(problem))
            silent = SILENT - 1
        for place, record in enumerate(records):
            silent = 0 if self._one(record, done) else silent + 1
            if silent == SILENT:
                done.waiting += len(records) - place - 1
                break
        done.away = self._doubt = silent > 0
        return done

    def _one(self, record: Path, done: Shipped) -> bool:
        """Send one record, and say whether MLflow answered. What is wrong with one record does not stop the others."""
        try:
            with lock(record.with_name(f"{record.name}.lock")):
                if ack.read(record).done:  # another shipper was quicker
                    return True
                done.numbers += send_or_end(self._sender, record)
                state = ack.read(record)
        except Busy:
            state = ack.Ack()
        except (LabError, OSError) as problem:
            done.problems.append(str(problem))
            done.waiting += 1
            return not isinstance(problem, Away)
        done.ended += state.done
        done.waiting += not state.done
        return True

    def _repeat(self) -> None:
        delay = SOONEST
        while True:
            stopping = self._stop.is_set()  # read before the pass: what was recorded until stop() is sent
            done = self.once()
            self.sent = replace(done, ended=self.sent.ended + done.ended, numbers=self.sent.numbers + done.numbers)
            if stopping:
                return
            if done.away:
                self._stop.wait(delay)
                delay = min(2 * delay, LATEST)
            else:
                self._wake.wait(IDLE)
                delay = SOONEST
            self._wake.clear()


def ship_all(uri: str) -> Shipped:
    """Send everything that MLflow lacks, once, and end what died."""
    return Shipper(uri).once()
