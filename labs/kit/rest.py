"""MLflow's public REST interface, as much of it as recording and reading need.

MLflow's own client takes 1.6 s and 140 MB to import and 24 ms of CPU to send a trial of 410 numbers; these lines take
15 ms to import and 4 ms a trial. A server that is away costs seconds: no retries, the caller's next pass is the retry.
"""

import http.client
import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from time import monotonic
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

from labs.kit.errors import LabError

KEY, ATTEMPT = "gaplab.trial", "gaplab.attempt"
"""The tags that say which trial a run is, and which attempt at it."""
PATIENCE = 5.0
"""Seconds to wait for an answer."""
KEPT = 2.0
"""Seconds for which an idle connection is used again; the server closes it after five."""

Run = dict[str, Any]
"""A run as MLflow tells it: info, and data with metrics, params and tags as lists."""


class Away(LabError):  # noqa: N818  a state of affairs, not a mistake
    """MLflow does not answer, or not as MLflow does."""


class Refused(LabError):  # noqa: N818  a state of affairs, not a mistake
    """MLflow says that the request itself is wrong."""

    def __init__(self, code: str, said: str) -> None:
        self.code = code
        super().__init__(
            f"MLflow refuses a record: {code}: {said}.\nIt stays on this disk: nothing is lost, but MLflow lacks it.\n"
            "Mend the name or the number that it quotes, and run the trial again."
        )


class Mlflow:
    """One MLflow server. Used by one thread; raises Away and Refused."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        parts = urlsplit(uri)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise LabError(
                f"{uri!r} is not the address of an MLflow server.\nTrials are recorded over HTTP.\n"
                "Unset GAPLAB_TRACKING_URI, or write for example GAPLAB_TRACKING_URI=http://127.0.0.1:5000."
            )
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._link = kind(parts.hostname, parts.port, timeout=PATIENCE)
        self._path, self._used = parts.path.rstrip("/"), 0.0
        self._headers = {"Content-Type": "application/json"}
        if parts.username:
            secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers["Authorization"] = f"Basic {b64encode(secret.encode()).decode()}"

    def get(self, what: str, **asked: object) -> dict[str, Any]:
        """Read something."""
        return self._ask("GET", f"{what}?{urlencode(asked)}", None)

    def post(self, what: str, **told: object) -> dict[str, Any]:
        """Write something, or search."""
        return self._ask("POST", what, json.dumps(told, allow_nan=False).encode())

    def _ask(self, verb: str, what: str, body: bytes | None) -> dict[str, Any]:
        if monotonic() - self._used > KEPT:
            self._link.close()
        try:
            self._link.request(verb, f"{self._path}/api/2.0/mlflow/{what}", body, self._headers)
            answer = self._link.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as problem:
            self._link.close()
            raise _away(self.uri, f"{type(problem).__name__}: {problem}") from problem
        self._used = monotonic()
        return _told(self.uri, answer.status, content)

    def run(self, run_id: str) -> Run | None:
        """The run; None where it was deleted, or the database does not know it (any more)."""
        try:
            run: Run = self.get("runs/get", run_id=run_id)["run"]
        except Refused as problem:
            if problem.code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise
        return run if run["info"]["lifecycle_stage"] == "active" else None

    def runs(self, experiments: Sequence[str], size: int = 200, **asked: object) -> Iterator[list[Run]]:
        """The runs that a search finds, page by page."""
        return (
            self._pages("runs/search", "runs", size, experiment_ids=list(experiments), **asked)
            if experiments
            else iter(())
        )

    def deleted_runs(self) -> list[Run]:
        """Every run in the bin."""
        pages = self.runs(self.experiments("ALL"), run_view_type="DELETED_ONLY")
        return [run for page in pages for run in page]

    def experiments(self, view: str = "ACTIVE_ONLY") -> list[str]:
        """The ids of every experiment; view ALL: those in the bin too."""
        pages = self._pages("experiments/search", "experiments", 1000, view_type=view)
        return [str(found["experiment_id"]) for page in pages for found in page]

    def experiment(self, name: str) -> str:
        """The id of the experiment of this name, made or taken out of the bin where needed."""
        try:
            found = self.get("experiments/get-by-name", experiment_name=name)["experiment"]
        except Refused as problem:
            if problem.code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return self._made(name)
        if found["lifecycle_stage"] != "active":
            self.post("experiments/restore", experiment_id=found["experiment_id"])
        return str(found["experiment_id"])

    def _made(self, name: str) -> str:
        try:
            return str(self.post("experiments/create", name=name)["experiment_id"])
        except Refused as problem:
            if problem.code != "RESOURCE_ALREADY_EXISTS":  # another shipper was quicker
                raise
        return str(self.get("experiments/get-by-name", experiment_name=name)["experiment"]["experiment_id"])

    def history(self, run_id: str, name: str) -> list[dict[str, Any]]:
        """Every value of one metric of a run."""
        found: list[dict[str, Any]] = []
        asked = {"run_id": run_id, "metric_key": name, "max_results": 10_000}
        while True:
            page = self.get("metrics/get-history", **asked)
            found += page.get("metrics", [])
            if not page.get("next_page_token"):
                return found
            asked["page_token"] = page["next_page_token"]

    def _pages(self, what: str, name: str, size: int, **asked: object) -> Iterator[list[dict[str, Any]]]:
        token = None
        while True:
            page = self.post(what, max_results=size, **asked, **({"page_token": token} if token else {}))
            yield page.get(name, [])
            token = page.get("next_page_token")
            if not token:
                return


def _told(uri: str, status: int, content: bytes) -> dict[str, Any]:
    try:
        told = json.loads(content or b"{}")
    except ValueError:
        told = None
    if isinstance(told, dict):
        code, said = str(told.get("error_code", "")), " ".join(str(told.get("message", "")).split())[:500]
        if status == 200 and not code:
            return told
        if 400 <= status < 500 and status != 429 and code:
            raise Refused(code, said)
        raise _away(uri, f"HTTP {status} {code} {said}")
    raise _away(uri, f"HTTP {status}, and what it says is not MLflow's: {content[:80].decode(errors='replace')}")


def pairs(listed: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What MLflow tells as a list of keys and values."""
    return {entry["key"]: entry.get("value", "") for entry in listed}


def _away(uri: str, said: str) -> Away:
    return Away(
        f"MLflow at {uri} does not answer: {said}.\nTrials run on; their records wait on this disk until it is back.\n"
        "Type `make up` to start it again."
    )
