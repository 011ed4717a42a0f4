"""What containers know and nobody else: made once, each in a volume of its own, never empty.

`python -m labs.kit.services.secrets`, which compose.yaml runs before everything else, and which prints the links.
"""

import os
import re
import secrets
from pathlib import Path

PASSWORD = Path("database/password")
TOKEN = Path("jupyter/token")


def make(volumes: Path) -> dict[Path, str]:
    """The database's password and Jupyter's token, made where there is none that protects.

    Without a newline: Jupyter would take it as part of the token. Readable to any user, since only those containers
    mount a volume that are to read it, and each has a user of its own.
    """
    return {name: _make(volumes / name) for name in (PASSWORD, TOKEN)}


def _make(path: Path) -> str:
    kept = path.read_text() if path.exists() else ""
    if re.fullmatch("[0-9a-f]{48}", kept) is None:
        kept = secrets.token_hex(24)
        draft = path.with_suffix(".new")
        draft.write_text(kept)
        draft.replace(path)
    path.chmod(0o444)
    return kept


def links(told: str, token: str) -> list[str]:
    """One line a service.

    >>> links("mlflow=http://127.0.0.1:5000 grpo=http://127.0.0.1:8882/lab", "f00")
    ['mlflow     http://127.0.0.1:5000', 'grpo       http://127.0.0.1:8882/lab?token=f00']
    """
    named = (link.partition("=") for link in told.split())
    return [f"{name:<11}{link}{f'?token={token}' if link.endswith('/lab') else ''}" for name, _, link in named]


if __name__ == "__main__":
    made = make(Path("/secrets"))
    print(*links(os.environ.get("LINKS", ""), made[TOKEN]), sep="\n")  # noqa: T201
