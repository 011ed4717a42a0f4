"""A headless Chromium, the one that is installed on this machine, with nothing going on in its background."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

from playwright.sync_api import BrowserContext, BrowserType, ViewportSize, sync_playwright

OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


SIZE: ViewportSize = {"width": 1440, "height": 930}
"""A laptop's screen."""


@contextmanager
def browser() -> Iterator[BrowserContext]:
    """A reader's browser; what it loads and compiles once it keeps, in a new profile on disk."""
    with _chromium() as (start, path), TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        started = start.launch_persistent_context(profile, executable_path=path, args=OPTIONS, viewport=SIZE)
        yield started
        started.close()


@contextmanager
def browser_and_private_window() -> Iterator[tuple[BrowserContext, BrowserContext]]:
    """The same, and a window without a profile: it keeps files, but compiles their scripts anew for every page."""
    with _chromium() as (start, path), TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        reader = start.launch_persistent_context(profile, executable_path=path, args=OPTIONS, viewport=SIZE)
        private = start.launch(executable_path=path, args=OPTIONS)
        yield reader, private.new_context(viewport=SIZE)
        reader.close()
        private.close()


@contextmanager
def _chromium() -> Iterator[tuple[BrowserType, str]]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        sys.exit("bench: no Chromium is on PATH. Pages are timed in it. Type `apt install chromium`.")
    with sync_playwright() as playwright:  # ends what it started, also after an error
        yield playwright.chromium, chromium
