"""How far a record has been sent to MLflow: a note beside it. A cache: lost or torn, the record is sent again."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Ack:
    """What MLflow has of one attempt's record."""

    off: int = 0
    """Bytes sent."""
    run: str = ""
    """The MLflow run; empty where none was made."""
    done: bool = False
    """Whether the run has its end."""


def path_of(record: Path) -> Path:
    """Where the note of a record stands."""
    return record.with_name(f"{record.name}.ack")


def read(record: Path) -> Ack:
    """The note, or a blank one where there is none that can be read."""
    try:
        told = json.loads(path_of(record).read_text())
        return Ack(int(told["off"]), str(told["run"]), told["done"] is True)
    except (OSError, ValueError, TypeError, KeyError):  # lost or torn: everything is sent again, which changes nothing
        return Ack()


def write(record: Path, ack: Ack) -> None:
    """Replace the note in one step. Written after what it says has happened, never before."""
    new = record.with_name(f"{record.name}.ack.new")
    new.write_text(json.dumps(asdict(ack)))
    new.replace(path_of(record))


def drop(record: Path) -> None:
    """Forget what was sent, so that it is sent again."""
    path_of(record).unlink(missing_ok=True)
