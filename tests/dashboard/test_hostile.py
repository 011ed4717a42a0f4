"""Runs that somebody else wrote into MLflow: their names, tags and messages are shown as text, and load nothing.

A real server, a real dashboard over it, a real browser.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

from labs.kit.plan import Trial, plan
from tests.dashboard import browser, world
from tests.dashboard.browser import Visit
from tests.faults.server import Server
from tests.kit.records import header

pytestmark = pytest.mark.trial
PICTURE, IMAGE = "![x](http://evil.example/name.png)", "<img src=http://evil.example/tag.png onerror=alert(1)>"
SCRIPT = "<script>document.title='owned'</script>"


class Stranger:
    """Somebody with access to the same MLflow."""

    def __init__(self, uri: str) -> None:
        self.mlflow, self.homes = MlflowClient(uri), dict[str, str]()

    def record(self, planned: Trial, value: float, name: str, status: str = "FINISHED", **tags: str) -> None:
        """One run of a trial under any name, with any tags."""
        told = {**header(planned)["tags"], "gaplab.trial": planned.key, "gaplab.attempt": f"{planned.key}.0", **tags}
        if planned.lab not in self.homes:
            self.homes[planned.lab] = self.mlflow.create_experiment(planned.lab)
        run_id = self.mlflow.create_run(self.homes[planned.lab], tags=told, run_name=name).info.run_id
        self.mlflow.log_metric(run_id, "mean", value)
        self.mlflow.log_metric(run_id, "predicted.mean", 0.5)
        self.mlflow.set_terminated(run_id, status)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """One of this test's own: what a stranger wrote for another test would be found by this one."""
    started = Server(tmp_path / "server").start()
    yield started
    started.kill()


@pytest.fixture
def visit(server: Server, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visit]:
    monkeypatch.setenv("GAPLAB_LABS", str(tmp_path / "labs"))
    monkeypatch.setenv("GAPLAB_TRACKING_URI", server.uri)
    with browser.dashboard(tmp_path / "log") as base, browser.chromium() as chromium:
        yield Visit(chromium, base)


def _planned(tmp_path: Path) -> list[Trial]:
    labs = world.two_labs(tmp_path / "labs")
    return [trial for trial in plan(labs[:1], "full") if trial.variant == "fair"]


def test_hostile_text_is_text(visit: Visit, server: Server, tmp_path: Path) -> None:
    planned, stranger = _planned(tmp_path), Stranger(server.uri)
    stranger.record(planned[0], 0.51, PICTURE, stack=IMAGE, preset=PICTURE)
    stranger.record(planned[1], 0.52, IMAGE, stack=SCRIPT)
    stranger.record(planned[2], 0.53, SCRIPT, status="FAILED", message=f"{PICTURE} {IMAGE} {SCRIPT}")
    stranger.record(planned[3], 0.54, PICTURE, variant=IMAGE, lab=SCRIPT)
    page = visit.go("/claim?claim=foundations/coin/mean", ".head h1")
    page.wait_for_selector(".trials tbody tr >> nth=1")
    shown = page.locator(".trials").inner_text()
    assert all(text in shown for text in (PICTURE, IMAGE, SCRIPT))
    visit.go("/", ".board .line")
    page.wait_for_timeout(1000)
    assert page.locator("img[src*=evil]").count() == 0
    assert page.title() != "owned"
    assert visit.foreign == []
    assert [said for said in visit.complaints if "404" not in said] == []


def test_a_new_verdict_is_on_the_page_within_five_seconds_of_the_trials_end(
    visit: Visit, server: Server, tmp_path: Path
) -> None:
    """The page is open and nobody touches it."""
    planned, stranger = _planned(tmp_path), Stranger(server.uri)
    page = visit.go("/", ".board .line >> nth=4")
    page.wait_for_selector("text=No trials of your own yet")
    stranger.record(planned[0], 0.50, "one")
    page.wait_for_selector("text=1 trial finished")
    stranger.record(planned[1], 0.501, "two")
    ended = time.monotonic()
    page.wait_for_selector(".board .name[aria-label^='mean, fair (headline): holds']")
    assert time.monotonic() - ended < 5
