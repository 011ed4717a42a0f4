"""Faults at random moments, into a real `gaplab run`: its trials, workers, shippers, notes and server."""

import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from multiprocessing import get_context
from pathlib import Path
from types import MappingProxyType

import psutil

from labs.kit import ack, folders, places, spool
from labs.kit.lock import is_held
from labs.kit.shipper import Shipper
from tests.faults.server import Server, tied

SHARES = {
    "kill_trial": 20,
    "kill_worker": 3,
    "kill_fork_server": 3,
    "kill_command": 4,
    "kill_shipper": 10,
    "kill_server": 2,
    "freeze_server": 2,
    "drop_note": 6,
    "tear_note": 6,
    "tear_record": 4,
}
"""Of 60 faults. Killing what takes seconds to start is dear, and a trial is what is killed in real life."""


class Storm:
    """One command that is started again whenever it ends, with more seeds if there was peace, until all has struck."""

    def __init__(
        self,
        server: Server,
        lab: str,
        seeds: int,
        seed: int,
        shares: Mapping[str, int] = MappingProxyType(SHARES),
        pause: float = 0.5,
        workers: int = 4,
    ) -> None:
        self.server, self.lab, self.seeds = server, lab, seeds
        self.shares, self.pause, self.workers = shares, pause, workers
        self.random = random.Random(seed)
        self.struck: Counter[str] = Counter()
        self._command: subprocess.Popen[bytes] | None = None
        self._context = get_context("forkserver")
        self._context.set_forkserver_preload(["labs.kit.shipper"])

    def blow(self, faults: int) -> None:
        """Strike so many times, then let the command run to its end undisturbed."""
        whole = sum(self.shares.values())
        waiting = [name for name, share in self.shares.items() for _ in range(round(share * faults / whole))]
        self.random.shuffle(waiting)
        while waiting:
            if self._command is not None and self._command.poll() == 0:
                self.seeds += 1
            self._run()
            time.sleep(self.random.uniform(0.0, self.pause))
            name = next((name for name in waiting if getattr(self, f"_{name}")()), None)
            if name:
                waiting.remove(name)
                self.struck[name] += 1
        while self._run().wait(timeout=600) != 0:  # a trial killed three times has failed, for that command
            self.struck["commands that gave up"] += 1

    def _run(self) -> subprocess.Popen[bytes]:
        if self._command is None or self._command.poll() is not None:
            words = [sys.executable, "-c", f"{tied()}; from labs.kit.cli import main; main()", "run", self.lab]
            with (places.home() / "run.log").open("ab") as log:
                self._command = subprocess.Popen(
                    [*words, "--preset", "full", "--seeds", str(self.seeds), "--workers", str(self.workers)],
                    cwd=places.ROOT,
                    stdout=log,
                    stderr=log,
                )
        return self._command

    def _kill(self, process: psutil.Process | None) -> bool:
        if process is None:
            return False
        try:
            process.kill()
        except psutil.NoSuchProcess:
            return False
        return True

    def _descendant(self, word: str, parents_word: str = "") -> psutil.Process | None:
        """One process under the command whose command line has the word, and whose parent's has the other."""
        found = []
        if self._command is None or self._command.poll() is not None:  # the next turn starts it, with more to do
            return None
        try:
            for process in psutil.Process(self._command.pid).children(recursive=True):
                line, above = " ".join(process.cmdline()), process.parent()
                if word in line and above and parents_word in " ".join(above.cmdline()):
                    found.append(process)
        except psutil.NoSuchProcess:
            return None
        return self.random.choice(found) if found else None

    def _kill_trial(self) -> bool:
        return self._kill(self._descendant("forkserver", "forkserver"))

    def _kill_fork_server(self) -> bool:
        return self._kill(self._descendant("forkserver", "inside.worker"))

    def _kill_worker(self) -> bool:
        return self._kill(self._descendant("inside.worker"))

    def _kill_command(self) -> bool:
        """And with it the shipper in it, at whatever call that was; half a second after its start at the earliest."""
        running = self._command
        if running is None or running.poll() is not None:
            return False
        if time.time() - psutil.Process(running.pid).create_time() < 0.5:
            return False
        running.kill()
        running.wait()
        return True

    def _kill_shipper(self) -> bool:
        """One that works beside the command's own."""
        shipper = self._context.Process(target=_ship_for_ever, args=(self.server.uri,))
        shipper.start()
        time.sleep(self.random.uniform(0.0, 0.4))
        shipper.kill()
        shipper.join()
        return True

    def _kill_server(self) -> bool:
        self.server.kill()
        time.sleep(self.random.uniform(0.0, 1.0))
        self.server.start()
        return True

    def _freeze_server(self) -> bool:
        """Half of the times for longer than a client waits."""
        self.server.freeze()
        time.sleep(self.random.choice([0.5, 6.0]))
        self.server.thaw()
        return True

    def _drop_note(self) -> bool:
        return self._to_a_record(lambda record: ack.path_of(record).exists(), ack.drop)

    def _tear_note(self) -> bool:
        def tear(record: Path) -> None:
            told = ack.path_of(record).read_text()
            ack.path_of(record).write_text(told[: self.random.randrange(len(told))])

        return self._to_a_record(lambda record: ack.path_of(record).exists(), tear)

    def _tear_record(self) -> bool:
        """What a kill inside a write leaves: a line without its end, in a record that nobody writes any more."""

        def tear(record: Path) -> None:
            with record.open("ab") as file:
                line = b'0123abcd {"i":99,"t":1700000000000,"is":"point","step":99,"v":{"curve.total":1.0}}'
                file.write(line[: self.random.randrange(1, len(line))])

        return self._to_a_record(_is_dead, tear)

    def _to_a_record(self, fit: object, deed: object) -> bool:
        records = [record for folder in folders.every() for record in spool.attempts(Path(folder.path))]
        fitting = [record for record in records if fit(record)]  # type: ignore[operator]
        if fitting:
            deed(self.random.choice(fitting))  # type: ignore[operator]
        return bool(fitting)


def _is_dead(record: Path) -> bool:
    last = None if is_held(record.parent) else spool.last(record)
    return last is not None and last["is"] != "end"


def _ship_for_ever(uri: str) -> None:
    shipper = Shipper(uri)
    while True:
        shipper.once()
