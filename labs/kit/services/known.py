"""The three background services: what each is called, where it listens, how one asks whether it is well."""

from dataclasses import dataclass

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Service:
    """One background service of the embedded default."""

    name: str
    title: str
    default_port: int
    health: str
    """The path that answers 200 once the service can be used."""
    purpose: str
    """What does not work without it."""

    @property
    def variable(self) -> str:
        """The environment variable that moves it to another port."""
        return f"GAPLAB_{self.name.upper()}_PORT"


DASHBOARD = Service("dashboard", "The dashboard", 8501, "/_stcore/health", "there is no page to see the gaps on")
MLFLOW = Service("mlflow", "MLflow", 5000, "/health", "trials run and are kept, but MLflow shows none of them")
JUPYTER = Service("jupyter", "Jupyter", 8888, "/api/status", "the notebooks of the labs cannot be opened")
SERVICES = {service.name: service for service in (DASHBOARD, MLFLOW, JUPYTER)}
