"""End what died: an attempt that nobody writes and that has no end would stand as RUNNING for ever."""

from pathlib import Path

from labs.kit import spool
from labs.kit.errors import LabError
from labs.kit.shipment import Sender
from labs.kit.shipper import Shipped, Shipper
from labs.kit.tracking import Away


def reap(uri: str) -> Shipped:
    """Send every record that MLflow lacks, and end as KILLED, at its last record, each whose trial nobody holds.

    The kernel lets go of a dead process's lock, so this needs no time-out and never takes a slow trial for a dead one.
    """
    return Shipper(uri).once(_bury)


def _bury(sender: Sender, record: Path) -> int:
    if spool.is_held(record.parent):
        return sender.send(record)
    try:
        return sender.send(record, dead=True)
    except Away:
        raise
    except LabError as damage:  # nobody will mend it, so the run is closed with the reason on it
        sender.abandon(record, str(damage))
        raise
