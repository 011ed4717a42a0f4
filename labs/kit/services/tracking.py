"""MLflow's server in one process.

`mlflow server --workers 1` is two processes of 210 MB each that both import MLflow, and killing the first leaves the
second on the port. This sets what that command sets for its worker and serves the same app: 245 MB, half the start.
"""

import gc
import os
from collections.abc import Sequence
from typing import Any

from labs.kit import places
from labs.kit.services.database import path as database_path
from labs.kit.services.database import prepare
from labs.kit.services.known import HOST

ASSISTANT = "/mlflow/assistant"
"""MLflow's assistant runs shell commands for any page from localhost, and has no switch: it is not served here."""


def settings(hosts: Sequence[str]) -> dict[str, str]:
    """MLflow's environment. Hosts are listed because the default list lets `10.evil.com` through."""
    return {
        "MLFLOW_SERVER_ALLOWED_HOSTS": ",".join(hosts),
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_ENABLE_WORKSPACES": "false",
        "GIT_PYTHON_REFRESH": "quiet",
    }


def serve(port: int) -> None:
    """Serve this machine from SQLite until told to stop."""
    prepare()
    serve_from(f"sqlite:///{database_path()}", HOST, port, [f"{HOST}:{port}", f"localhost:{port}"])


def serve_from(store: str, host: str, port: int, allowed: Sequence[str]) -> None:
    """Serve a database under the host names that are allowed, until told to stop."""
    root = "mlflow-artifacts:/"
    os.environ |= settings(allowed)

    from mlflow.server import constants

    os.environ |= {
        constants.BACKEND_STORE_URI_ENV_VAR: store,
        constants.ARTIFACT_ROOT_ENV_VAR: root,
        constants.SERVE_ARTIFACTS_ENV_VAR: "true",
        constants.ARTIFACTS_DESTINATION_ENV_VAR: str(places.home() / "artifacts"),
        "_MLFLOW_SGI_NAME": "uvicorn",
    }

    import uvicorn
    from mlflow.server.fastapi_app import app
    from mlflow.server.handlers import initialize_backend_stores

    gc.set_threshold(200_000, 20, 20)  # as set by default, it takes 40% of the CPU time of a search and finds nothing
    initialize_backend_stores(store, store, root)
    uvicorn.run(without_assistant(app), host=host, port=port, log_level="warning", timeout_graceful_shutdown=2)


def without_assistant(app: Any) -> Any:
    """The same app, answering 404 to whatever asks for the assistant."""

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and ASSISTANT in scope["path"]:
            await send({"type": "http.response.start", "status": 404, "headers": []})
            await send({"type": "http.response.body", "body": b"Gaplab does not serve MLflow's assistant."})
            return
        await app(scope, receive, send)

    return guarded
