"""MLflow's own client, for what is done rarely: importing it takes 1.6 s and 140 MB. Trials are sent by rest.py."""

import os
from typing import TYPE_CHECKING

from labs.kit.rest import ATTEMPT, KEY, PATIENCE, Mlflow

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["ATTEMPT", "KEY", "client", "experiment", "experiments"]

_ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",  # the default of 7 blocks every call for four minutes
    "MLFLOW_HTTP_REQUEST_TIMEOUT": str(int(PATIENCE)),
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


def client(uri: str) -> "MlflowClient":
    """A client of the server at `uri`, made so that a server that is away costs seconds."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=uri)


def experiment(mlflow: "MlflowClient", name: str) -> str:
    """The id of the experiment of this name, made or taken out of the bin where needed."""
    return Mlflow(mlflow.tracking_uri).experiment(name)


def experiments(mlflow: "MlflowClient") -> list[str]:
    """The ids of every experiment."""
    return Mlflow(mlflow.tracking_uri).experiments()
