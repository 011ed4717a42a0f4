"""End what died: an attempt that nobody writes and that has no end would stand as RUNNING for ever."""

from pathlib import Path

from labs.kit import spool
from labs.kit.errors import LabError
from labs.kit.rest import Away, Refused
from labs.kit.shipment import Sender


def send_or_end(sender: Sender, record: Path) -> int:
    """Send what MLflow lacks of the record, and return how many numbers; if nobody holds its trial, end its run too.

    An attempt without an end then becomes KILLED, at its last record. The kernel lets go of a dead process's lock, so
    this needs no time-out and never takes a slow trial for a dead one.
    """
    if spool.is_held(record.parent):
        return sender.send(record)
    try:
        return sender.send(record, dead=True)
    except (Away, Refused):  # the next pass may fare better
        raise
    except LabError as damage:  # nobody will mend it, so its run is closed with the reason on it
        sender.abandon(record, str(damage))
        raise
