"""The overview in a browser, beside a Streamlit app of one line; from it to a claim; how soon a new verdict is on it.

`On screen` is from the start of the navigation, by the page's own clock, until the last of all marks is in the page.
The browser has a profile on disk, as a reader's has; a private window, which has none, is timed beside it.
A new verdict comes from a trial whose record ends now: on this disk, or, as from another machine, through MLflow alone.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import BrowserContext, Page

from bench.tools.browser import browser_and_private_window
from bench.tools.figures import Figure, arguments, progress, report
from bench.tools.home import free_ports, scratch
from bench.tools.verdicts import new_verdicts
from bench.tools.world import TRIALS, point_mirror_at_mlflow, world
from labs.kit import catalogue, results, services
from labs.kit.services import health
from labs.kit.services.known import HOST

PEER = "a Streamlit app of one line"


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__, pairs=20)
    parser.add_argument("--trials", type=int, default=TRIALS, help=f"how many are recorded (default {TRIALS})")
    parser.add_argument("--verdicts", type=int, default=10, help="how many new verdicts are waited for (default 10)")
    given = parser.parse_args()
    with report("page", given) as add, scratch(world(given.trials)) as home, _hello(home) as hello:
        point_mirror_at_mlflow()
        overview = services.start(["mlflow", "dashboard"]).dashboard
        marks = sum(len(results.gaps(lab, [], [])) for lab in catalogue.pick([]))
        with browser_and_private_window() as (reader, private):
            first = _open(reader, overview, ".chip", marks)
            sides = [(reader, overview, ".chip", marks), (reader, hello, "h1", 1), (private, overview, ".chip", marks)]
            for side in (*sides, *sides):  # a browser compiles for good what it meets a second time
                _open(*side)
            told: list[list[float]] = [[], [], []]
            for at in range(given.pairs):
                progress(f"overview {at + 1} of {given.pairs}")
                for turn in range(3):
                    which = (at + turn) % 3
                    told[which].append(_open(*sides[which]))
            state = f"{given.trials} trials recorded, {marks} marks; "
            warm = state + "server running, browser's cache warm"
            peers = {PEER: told[1], "in a private window": told[2]}
            add(Figure("Overview on screen", "s", told[0], warm, 1.2, peers=peers))
            add(Figure("Overview on screen, first visit of all", "s", [first], f"{state}browser's cache cold"))
            clicks = [_to_a_claim(reader.new_page(), overview) for _ in range(-(-given.pairs // 4))]
            add(Figure("From a click on a claim to its figure on screen", "s", clicks, warm))
            add(new_verdicts(reader.new_page(), overview, given.verdicts, state))


@contextmanager
def _hello(home: Path) -> Iterator[str]:
    """The address of the peer, served by the same Streamlit."""
    script, (port,) = home / "hello.py", free_ports(1)
    script.write_text('import streamlit as st\n\nst.title("Hello")\n')
    told = ["--server.headless", "true", "--server.address", HOST, "--server.port", str(port)]
    told += ["--server.fileWatcherType", "none", "--browser.gatherUsageStats", "false"]
    command = [sys.executable, "-m", "streamlit", "run", str(script), *told]
    log = (home / "hello.log").open("w")
    with log, subprocess.Popen(command, cwd=home, stdout=log, stderr=log) as process:
        try:
            while health.answer(port, "/_stcore/health") != 200 and process.poll() is None:
                time.sleep(0.1)
            yield f"http://{HOST}:{port}"
        finally:
            process.kill()


def _open(reader: BrowserContext, address: str, what: str, count: int) -> float:
    """Seconds until the page has so many of these elements."""
    page = reader.new_page()
    page.goto(address, wait_until="commit")
    page.locator(what).nth(count - 1).wait_for()
    seconds = float(page.evaluate("performance.now()")) / 1000
    page.close()
    return seconds


def _to_a_claim(page: Page, overview: str) -> float:
    """Seconds from a click on the overview's first claim until its last figure is drawn."""
    page.goto(overview)
    page.locator(".chip").last.wait_for()
    began = time.monotonic()
    page.locator("a.name").first.click()
    page.locator("h2", has_text="Across variants").wait_for()
    page.locator("[data-testid=stVegaLiteChart] svg").last.wait_for()
    seconds = time.monotonic() - began
    page.close()
    return seconds


if __name__ == "__main__":
    main()
