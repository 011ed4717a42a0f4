"""A real dashboard in a process of its own, and a real browser that looks at it."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from bench.tools.browser import OPTIONS
from labs.kit import places
from labs.kit.services.health import answer
from tests.faults.server import free_port

PATIENCE = 30_000
"""Milliseconds for something to appear: the machine may be busy."""


@contextmanager
def dashboard(log: Path) -> Iterator[str]:
    """The address of a dashboard over the home and the labs that the environment names."""
    port = free_port()
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "dashboard", "--port", str(port)],
            cwd=places.ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=file,
            stderr=file,
        )
    try:
        deadline = time.monotonic() + 60
        while answer(port, "/_stcore/health") != 200:
            assert process.poll() is None, log.read_text()[-2000:]
            assert time.monotonic() < deadline, "the dashboard did not answer within a minute"
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium, or else the one that Playwright brought."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(OPTIONS))
        yield browser
        browser.close()


class Visit:
    """One window, and everything that it asked the network for or complained about."""

    def __init__(self, browser: Browser, base: str, scheme: str = "light", width: int = 1440) -> None:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
        self.base, self.page = base, context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda problem: self.complaints.append(str(problem)))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def go(self, path: str, wait: str) -> Page:
        """Open a path, and return once something is there."""
        self.page.goto(self.base + path)
        self.page.wait_for_selector(wait)
        return self.page

    @property
    def foreign(self) -> list[str]:
        """What was asked for from anywhere else."""
        own = (self.base, self.base.replace("http", "ws"), "data:", "blob:")
        return [url for url in self.asked if not url.startswith(own)]

    @property
    def focused(self) -> str:
        """The label of what has the focus, also inside a component."""
        deepest = "let at = document.activeElement; while (at?.shadowRoot) at = at.shadowRoot.activeElement;"
        return str(self.page.evaluate(f"(() => {{ {deepest} return at?.getAttribute('aria-label') ?? ''; }})()"))
