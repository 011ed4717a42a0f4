"""Whether a service answers, asked as a browser would ask."""

import http.client

from labs.kit.services import token
from labs.kit.services.known import HOST, JUPYTER, Service

PATIENCE = 3.0
"""Seconds for an answer."""


def is_well(service: Service, port: int) -> bool:
    """Whether it answers 200."""
    secret = token.token() if service is JUPYTER else ""
    return answer(port, service.health, secret) == 200


def is_open(service: Service, port: int) -> bool:
    """Whether Jupyter lets in somebody without its token: it must not, since it runs any code it is given."""
    return service is JUPYTER and answer(port, service.health) == 200


def answer(port: int, path: str, secret: str = "", host: str = "") -> int:
    """The status code, or 0 where nobody answers. Never through a proxy that the environment names."""
    link = http.client.HTTPConnection(HOST, port, timeout=PATIENCE)
    headers = {"Authorization": f"token {secret}"} if secret else {}
    try:
        link.request("GET", path, headers={**headers, "Host": host or f"{HOST}:{port}"})
        return link.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        link.close()
