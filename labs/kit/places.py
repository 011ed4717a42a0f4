"""Where things stand on disk. Everything that a run makes lies under home(); nothing else is written."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "images"


def labs() -> Path:
    """The folder of the labs: GAPLAB_LABS, or labs/ of this checkout."""
    return Path(os.environ.get("GAPLAB_LABS") or ROOT / "labs").resolve()


def home() -> Path:
    """Where stacks, trials, the base model and the databases live: GAPLAB_HOME, or .gaplab/ of this checkout."""
    return Path(os.environ.get("GAPLAB_HOME") or ROOT / ".gaplab").resolve()


def trials() -> Path:
    """One folder a trial, with its append-only records: GAPLAB_TRIALS, or home()/trials."""
    return Path(os.environ.get("GAPLAB_TRIALS") or home() / "trials").resolve()


def device() -> str:
    """Which lock the stacks are made from: cpu, or gpu where GAPLAB_DEVICE says so."""
    return os.environ.get("GAPLAB_DEVICE", "cpu")
