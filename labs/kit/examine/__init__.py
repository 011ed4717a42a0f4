"""What the doctor looks at: one module a subject, one function a finding."""

from labs.kit.examine.containers import containers
from labs.kit.examine.finding import Finding, State
from labs.kit.examine.machine import machine
from labs.kit.examine.making import making
from labs.kit.examine.records import records
from labs.kit.examine.serving import serving

__all__ = ["Finding", "State", "containers", "machine", "making", "records", "serving"]
