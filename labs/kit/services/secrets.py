"""What containers know and nobody else: made once, each in a volume of its own, never empty.

`python -m labs.kit.services.secrets`, which compose.yaml runs before everything else, and which prints the links.
"""

import os
import re
import secrets
from pathlib import Path

PASSWORD = Path("database/password")
TOKEN = Path("jupyter/token")
EDITOR = Path("editor/password")


def make(volumes: Path) -> dict[Path, str]:
    """The database's password, Jupyter's token and the editor's password, made where there is none that protects.

    Without a newline: Jupyter would take it as part of the token. Readable to any user, since only those containers
    mount a volume that are to read it, and each has a user of its own.
    """
    return {name: _make(volumes / name) for name in (PASSWORD, TOKEN, EDITOR)}


def _make(path: Path) -> str:
    kept = path.read_text() if path.exists() else ""
    if re.fullmatch("[0-9a-f]{48}", kept) is None:
        kept = secrets.token_hex(24)
        draft = path.with_suffix(".new")
        draft.write_text(kept)
        draft.replace(path)
    path.chmod(0o444)
    return kept


def links(told: str, token: str, password: str) -> list[str]:
    r"""One line a service. The editor asks for its password; Jupyter takes the token from the link.

    >>> print(*links("mlflow=http://m:5000 grpo=http://g:8882/lab editor=http://e:8884/", "f00", "ba5"), sep="\n")
    mlflow     http://m:5000
    grpo       http://g:8882/lab?token=f00
    editor     http://e:8884/   password: ba5
    """
    named = (link.split("=", 1) for link in told.split())
    return [f"{name:<11}{link}{_opened_by(name, link, token, password)}" for name, link in named]


def _opened_by(name: str, link: str, token: str, password: str) -> str:
    if name == "editor":
        return f"   password: {password}"
    return f"?token={token}" if link.endswith("/lab") else ""


if __name__ == "__main__":
    made = make(Path("/secrets"))
    print(*links(os.environ.get("LINKS", ""), made[TOKEN], made[EDITOR]), sep="\n")  # noqa: T201
