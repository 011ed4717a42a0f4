"""The Jupyter server's token: made once, readable by its owner alone, never empty."""

import re
import secrets
from pathlib import Path

from labs.kit.services import folder

NAME = "jupyter_token"


def path() -> Path:
    """Where the token stands, without a newline: Jupyter would take that as part of it."""
    return folder.folder() / NAME


def known() -> str:
    """The token that was made before; empty where there is none that protects. Writes nothing."""
    kept = path().read_text() if path().exists() else ""
    return kept if re.fullmatch("[0-9a-f]{48}", kept) else ""


def token() -> str:
    """The token, made where there is none that protects: an empty one lets everybody in."""
    kept = known()
    if not kept:
        kept = secrets.token_hex(24)
        folder.write_private(NAME, kept)
    path().chmod(0o600)
    return kept
