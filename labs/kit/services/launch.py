"""Become one of the services: look up its port, then turn this process into it.

supervisord starts each so: `python -m labs.kit.services.launch dashboard` (or mlflow, or jupyter).
"""

import ctypes
import os
import signal
import sys
from collections.abc import Mapping

from labs.kit.services.folder import folder
from labs.kit.services.jupyter import environment, options
from labs.kit.services.known import HOST
from labs.kit.services.links import tracking_uri
from labs.kit.services.ports import ports
from labs.kit.services.tracking import serve

_PR_SET_PDEATHSIG = 1


def main(name: str) -> None:
    """Serve until told to stop, and no longer than supervisord lives."""
    _end_with_parent()
    os.environ |= _thrift() | _directly()
    port = ports()[name]
    match name:
        case "mlflow":
            serve(port)
        case "dashboard":
            told = {**os.environ, "GAPLAB_TRACKING_URI": tracking_uri()}
            _become(["dashboard", "--port", str(port), "--host", HOST], told)
        case "jupyter":
            _become(["jupyterlab", *options(port)], environment())


def _end_with_parent() -> None:
    """Have the kernel end this process when supervisord is killed: nothing is then left that `down` could miss."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if str(os.getppid()) != (folder() / "supervisord.pid").read_text().strip():
        sys.exit("supervisord ended before this service began")  # so the kernel would never send that signal


def _thrift() -> dict[str, str]:
    """Less memory: two arenas rather than eight a core, and one thread for arithmetic that hardly happens here."""
    return {"MALLOC_ARENA_MAX": "2", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}


def _directly() -> dict[str, str]:
    """Services reach each other without the proxy that the reader may use for everything else."""
    named = [os.environ.get(name, "") for name in ("no_proxy", "NO_PROXY")]
    direct = ",".join(dict.fromkeys([*filter(None, named), HOST, "localhost"]))
    return {"no_proxy": direct, "NO_PROXY": direct}


def _become(module: list[str], environment: Mapping[str, str]) -> None:
    """Turn into another Python program: same process, so supervisord watches the server itself."""
    os.execve(sys.executable, [sys.executable, "-m", *module], environment)


if __name__ == "__main__":
    main(sys.argv[1])
