"""The web server: Streamlit behind headers that let the page load from nowhere else, and a list of host names."""

import re
import threading
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from importlib import import_module
from pathlib import Path

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import FileResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard import data, early

HERE = Path(__file__).parent
ICON = HERE / "assets" / "icon.svg"
LOCAL = ("127.0.0.1", "localhost")

INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def hashes() -> str:
    """What lets Streamlit's own inline scripts run, and no others."""
    page = (Path(st.__file__).parent / "static" / "index.html").read_text()
    digests = (sha256(script.encode()).digest() for script in INLINE.findall(page))
    return " ".join(f"'sha256-{b64encode(digest).decode()}'" for digest in digests)


POLICY = "; ".join(
    (
        "default-src 'self'",
        # Vega compiles its expressions; a component is a module from a blob.
        f"script-src 'self' 'unsafe-eval' blob: {hashes()}",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",  # a picture in somebody's run name would tell a stranger who looks at it
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


EARLY = early.header()


class Guarded:
    """Puts HEADERS on every answer, and on a page what is to be fetched with it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                if EARLY and headers.get("content-type", "").startswith("text/html"):
                    headers["Link"] = EARLY
            await send(message)

        await self.app(scope, receive, send_with_headers)


def app(hosts: Sequence[str]) -> st.App:
    """The dashboard as an ASGI application that answers to these host names alone."""
    return st.App(
        HERE / "streamlit_app.py",
        routes=[Route("/favicon.png", _icon)],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts)), Middleware(Guarded)],
    )


def serve(host: str, port: int, allowed: Sequence[str] = ()) -> None:
    """Serve until told to stop."""
    names = list(dict.fromkeys([host, *LOCAL, *allowed]))
    told = {
        "server.address": host,
        "server.port": port,
        "server.allowedHosts": names,
        "browser.serverAddress": host,
    }
    threading.Thread(target=_warm, daemon=True).start()
    app(names).run(config=told)


def _warm() -> None:
    """Judge the labs and import what Streamlit imports at the first page, so that nobody waits for it."""
    data.watcher()
    for name in ("pandas", "pyarrow", "dashboard.figures"):
        import_module(name)


async def _icon(request: object) -> FileResponse:
    """Streamlit's own icon would show for a moment before a page names ours."""
    return FileResponse(ICON, media_type="image/svg+xml")
