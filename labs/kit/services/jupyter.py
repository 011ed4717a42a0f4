"""The Jupyter server: the labs' notebooks, each in its stack's kernel, behind a token."""

import json
import os

from labs.kit import places, stack
from labs.kit.services.folder import folder
from labs.kit.services.known import HOST
from labs.kit.services.token import path as token_path
from labs.kit.services.token import token

_NOT_OURS = ("JUPYTER_TOKEN", "JUPYTER_CONFIG_PATH", "JUPYTER_PATH")
"""What the reader has set for other servers; an empty JUPYTER_TOKEN would let everybody into this one."""

_QUIET = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}
"""No question about news before the first notebook; nothing is fetched from outside."""


def prepare() -> None:
    """Have a token, and a kernel for every lab stack: one that is not built yet can be used as soon as it is."""
    token()
    for one in _lab_stacks():
        stack.kernelspec(one, folder() / "jupyter" / "data")
    settings = folder() / "jupyter" / "config" / "labconfig"
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "default_setting_overrides.json").write_text(json.dumps(_QUIET))


def environment() -> dict[str, str]:
    """The server's environment: this one, but with settings of its own, which nothing of the reader's can open."""
    own = folder() / "jupyter"
    kept = {name: value for name, value in os.environ.items() if name not in _NOT_OURS}
    return kept | {
        "JUPYTER_TOKEN_FILE": str(token_path()),
        "JUPYTER_CONFIG_DIR": str(own / "config"),
        "JUPYTER_DATA_DIR": str(own / "data"),
        "JUPYTER_RUNTIME_DIR": str(own / "runtime"),
    }


def options(port: int) -> list[str]:
    """What the server is told. A kernel idle for an hour ends: one with torch loaded holds half a gigabyte."""
    return [
        "--no-browser",
        "--allow-root",
        f"--ServerApp.ip={HOST}",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={places.labs()}",
        *(f"--KernelSpecManager.allowed_kernelspecs=gaplab-{one.name}" for one in _lab_stacks()),
        "--MappingKernelManager.cull_idle_timeout=3600",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.news_url=None",
        "--LabApp.extension_manager=readonly",
    ]


def _lab_stacks() -> list[stack.Stack]:
    return [one for one in stack.find() if one.for_labs]
