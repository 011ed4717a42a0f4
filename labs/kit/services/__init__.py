"""The background services of the bare machine: the dashboard, MLflow and Jupyter, on 127.0.0.1 alone."""

from labs.kit.services.links import Links, links, tracking_uri
from labs.kit.services.running import start, stop
from labs.kit.services.state import ServiceState, status

__all__ = ["Links", "ServiceState", "links", "start", "status", "stop", "tracking_uri"]
