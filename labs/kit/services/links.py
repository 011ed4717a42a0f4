"""Where the services answer."""

import os
from dataclasses import dataclass

from labs.kit.services.known import DASHBOARD, HOST, JUPYTER, MLFLOW
from labs.kit.services.ports import ports
from labs.kit.services.token import known


@dataclass(frozen=True)
class Links:
    """What to open in a browser."""

    dashboard: str
    mlflow: str
    jupyter: str
    """With its token: whoever has this address may run code here."""

    def of(self, name: str) -> str:
        """The address of one service."""
        return {DASHBOARD.name: self.dashboard, MLFLOW.name: self.mlflow, JUPYTER.name: self.jupyter}[name]


def links() -> Links:
    """The addresses, whether or not the services run now: a folder that can only be read is no hindrance."""
    at = {name: f"http://{HOST}:{port}" for name, port in ports().items()}
    return Links(at["dashboard"], at["mlflow"], f"{at['jupyter']}/lab?token={known()}")


def tracking_uri() -> str:
    """Where trials are recorded: GAPLAB_TRACKING_URI, or the MLflow server of this machine.

    Not MLFLOW_TRACKING_URI: a reader who has that set for other work would find these trials there.
    """
    return os.environ.get("GAPLAB_TRACKING_URI") or f"http://{HOST}:{ports()[MLFLOW.name]}"
