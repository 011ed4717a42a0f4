"""MLflow's client, made so that a server that is away costs seconds, and its answers in Gaplab's words."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from labs.kit.errors import LabError

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

KEY, ATTEMPT = "gaplab.trial", "gaplab.attempt"
"""The tags that say which trial a run is, and which attempt at it."""

_ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",  # the default of 7 blocks every call for four minutes
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
_GONE = "RESOURCE_DOES_NOT_EXIST"
_REFUSED = {_GONE, "INVALID_PARAMETER_VALUE", "BAD_REQUEST", "RESOURCE_ALREADY_EXISTS"}


class Away(LabError):  # noqa: N818  a state of affairs, not a mistake
    """MLflow does not answer."""


def client(uri: str) -> "MlflowClient":
    """A client of the server at `uri`. Takes 2 s the first time: mlflow is imported here, and nowhere else."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=uri)


@contextmanager
def answers() -> Iterator[None]:
    """Turn what MLflow's client raises into LabError: Away, unless MLflow said that the request itself is wrong."""
    from mlflow.exceptions import MlflowException
    from requests import RequestException

    try:
        yield
    except (MlflowException, RequestException) as problem:
        said = " ".join(str(problem).split())[:500]
        if getattr(problem, "error_code", "") not in _REFUSED:
            raise Away(
                f"MLflow does not answer: {said}.\nTrials run on; their records wait on this disk until it is back.\n"
                "Type `make up` to start it again."
            ) from problem
        raise LabError(
            f"MLflow refuses a record: {said}.\nIt stays on this disk, so nothing is lost, but MLflow lacks it.\n"
            "Mend the name or the number that it quotes, and run the trial again."
        ) from problem


def run_or_none(mlflow: "MlflowClient", run_id: str) -> "Run | None":
    """The run; None where it was deleted, or the database does not know it (any more)."""
    from mlflow.exceptions import MlflowException

    try:
        run = mlflow.get_run(run_id)
    except MlflowException as problem:
        if problem.error_code == _GONE:
            return None
        raise
    return run if run.info.lifecycle_stage == "active" else None


def experiment(mlflow: "MlflowClient", name: str) -> str:
    """The id of the experiment of this name, made or taken out of the bin where needed."""
    from mlflow.exceptions import MlflowException

    found = mlflow.get_experiment_by_name(name)
    if found is None:
        with suppress(MlflowException):  # another shipper was quicker; if it was something else, the next line says so
            mlflow.create_experiment(name)
        found = mlflow.get_experiment_by_name(name)
    if found is None:
        raise Away(f"MLflow made no experiment {name!r}.\nRuns need one to stand in.\nType `gaplab doctor`.")
    if found.lifecycle_stage != "active":
        mlflow.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


def experiments(mlflow: "MlflowClient", deleted: bool = False) -> list[str]:
    """The ids of every experiment; with those in the bin, if asked."""
    from mlflow.entities import ViewType

    view = ViewType.ALL if deleted else ViewType.ACTIVE_ONLY
    return [found.experiment_id for found in _pages(mlflow.search_experiments, view_type=view)]


def deleted_runs(mlflow: "MlflowClient") -> "list[Run]":
    """Every run in the bin."""
    from mlflow.entities import ViewType

    ids = experiments(mlflow, deleted=True)
    return _pages(mlflow.search_runs, experiment_ids=ids, run_view_type=ViewType.DELETED_ONLY) if ids else []


def _pages(search: Any, **asked: Any) -> list[Any]:
    found, token = [], None
    while True:
        page = search(max_results=1000, page_token=token, **asked)
        found += page
        token = page.token
        if not token:
            return found
