"""MLflow's server in a container: on PostgreSQL, on every address of the container, under the host names it is given.

`python -m labs.kit.services.contained`, which compose.yaml runs.
"""

import os
from pathlib import Path

from labs.kit.services.tracking import serve_from

PASSWORD = Path("/run/secrets/database/password")
STORE = "postgresql+psycopg2://mlflow@database:5432/mlflow"


def main() -> None:
    """Serve. The password goes to the database's client alone: into no address, no log, no `docker inspect`."""
    os.environ["PGPASSWORD"] = PASSWORD.read_text()
    serve_from(STORE, "0.0.0.0", 5000, os.environ["GAPLAB_ALLOWED_HOSTS"].split(","))


if __name__ == "__main__":
    main()
