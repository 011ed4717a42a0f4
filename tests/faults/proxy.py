"""A small server in front of the real one, that answers as a broken server or network would."""

import http.client
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

Fault = Callable[["Proxy", int, bytes], str]
"""What befalls the call of this number with this body: see Proxy."""


class Proxy:
    """Passes calls on. `fault` may say of one: "500", "page", "hang", "deaf" (never passed on), "mute" (no answer)."""

    def __init__(self, port: int, fault: Fault) -> None:
        self.port, self.fault, self.calls = port, fault, 0
        self.over = threading.Event()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                proxy.handle(self)

            do_POST = do_GET  # noqa: N815

            def log_message(self, *told: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.uri = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *told: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        """Pass one call on, or do what befalls it."""
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        self.calls += 1
        fault = self.fault(self, self.calls, body)
        if fault == "hang":
            self.over.wait(30)
        if fault in ("hang", "deaf"):
            return
        if fault in ("500", "page"):
            status, content = (500, b"Internal Server Error") if fault == "500" else (200, b"<html>another program")
        else:
            status, content = self._pass_on(request, body)
        if fault == "mute":
            return
        request.send_response(status)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    def _pass_on(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, bytes]:
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        link.request(request.command, request.path, body, {"Content-Type": "application/json"})
        answer = link.getresponse()
        content = answer.read()
        link.close()
        return answer.status, content


def always(fault: str) -> Fault:
    """The same for every call."""
    return lambda proxy, number, body: fault


def once(fault: str, at: int) -> Fault:
    """For one call alone."""
    return lambda proxy, number, body: fault if number == at else ""


def wait_for(done: Callable[[], bool], seconds: float = 30.0) -> None:
    """Return once it is so."""
    until = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < until
        time.sleep(0.05)
