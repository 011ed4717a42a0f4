"""A headless Chromium, the one that is installed on this machine, with nothing going on in its background."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import BrowserContext, sync_playwright

OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def browser() -> Iterator[BrowserContext]:
    """A reader's browser, as large as a laptop's screen; what it loads once it keeps."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        sys.exit("bench: no Chromium is on PATH. Pages are timed in it. Type `apt install chromium`.")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=list(OPTIONS))
        try:
            yield started.new_context(viewport={"width": 1440, "height": 930})
        finally:
            started.close()
