"""Whether compose runs the services of this home, and under which project: remembered, so that every command knows."""

from labs.kit.services import folder

RECORD = "compose.json"


def project() -> str:
    """The project's name; empty where the services are those of the bare machine."""
    return str(folder.read_json(RECORD).get("project", ""))


def remember(name: str) -> None:
    """Note it before the first container starts: a command that dies in between leaves nothing that `down` misses."""
    folder.write_json(RECORD, {"project": name})


def forget() -> None:
    """Compose runs nothing of this home any more."""
    (folder.folder() / RECORD).unlink(missing_ok=True)
