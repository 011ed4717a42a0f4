"""The pages in a real browser: keyboard, deep links, themes, and nothing asked of anybody else."""

import http.client
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from dashboard import early
from labs.kit import places
from labs.kit.services.health import answer
from tests.dashboard import browser, world
from tests.dashboard.browser import Visit

pytestmark = pytest.mark.trial
LINE = ".board .line"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.chromium() as found:
        yield found


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A dashboard over the two labs: one run by the reader, one by the authors."""
    root = tmp_path_factory.mktemp("dashboard")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GAPLAB_HOME", str(root / "home"))
        patch.setenv("GAPLAB_LABS", str(root / "labs"))
        patch.delenv("GAPLAB_TRACKING_URI", raising=False)
        labs = world.two_labs(root / "labs")
        world.mirror(labs[:1], world.near_theory(labs, {"mean": 3.0}))
        world.reference(labs[1], world.near_theory(labs), world.curves("ratio"))
        with browser.dashboard(root / "log") as found:
            yield found


@pytest.fixture
def visit(chromium: Browser, base: str) -> Iterator[Visit]:
    made = Visit(chromium, base)
    yield made
    made.page.context.close()


def test_arrow_keys_walk_the_matrix_and_enter_opens_a_claim(visit: Visit) -> None:
    page = visit.go("/", LINE)
    page.locator(f"{LINE} a").first.focus()
    walked = []
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowUp", "End", "Home", "ArrowLeft"):
        page.keyboard.press(key)
        walked.append(visit.focused.partition(":")[0])
    assert walked == [
        "mean, fair (headline)",
        "mean, bent",
        "folk, bent",
        "mean, bent",
        "mean, lossy (control)",
        "mean, fair (headline)",
        "mean, fair (headline)",
    ]
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_selector(".head h1")
    assert page.evaluate("new URLSearchParams(location.search).get('variant')") == "bent"


def test_the_matrix_is_one_stop_of_the_tab_key(visit: Visit) -> None:
    page = visit.go("/", LINE)
    assert page.locator(f"{LINE} [tabindex='0']").count() == 1
    page.locator(f"{LINE} a").first.focus()
    page.keyboard.press("Tab")
    assert visit.focused.startswith("mean, fair (headline): gap, +3"), "the first of the largest gaps"


def test_focus_shows_what_hover_shows(visit: Visit) -> None:
    page = visit.go("/", LINE)
    page.locator(f"{LINE} .chip").first.hover()
    hovered = page.locator(".tip").inner_text()
    page.mouse.move(0, 0)
    page.locator(f"{LINE} .chip").first.focus()
    assert page.locator(".tip").inner_text() == hovered
    assert "Gap" in hovered
    assert "5 seeds" in hovered
    page.keyboard.press("Escape")
    assert not page.locator(".tip").is_visible()


def test_a_deep_link_opens_its_claim_in_its_variant(visit: Visit) -> None:
    page = visit.go("/claim?claim=foundations/coin/mean&variant=worn", ".head h1")
    assert page.locator(".head .verdict b").inner_text() == "worn"
    page.wait_for_selector("[data-testid=stVegaLiteChart] svg")
    assert page.locator(".trials tbody tr").count() == 5


def test_a_chosen_variant_stands_in_the_address_and_back_undoes_it(visit: Visit) -> None:
    page = visit.go("/claim?claim=foundations/coin/mean", ".head h1")
    page.get_by_role("radio", name="bent").click()
    page.wait_for_function("location.search.includes('variant=bent')")
    page.wait_for_selector(".head .verdict b:text('bent')")
    page.go_back()
    page.wait_for_selector(".head .verdict b:text('fair')")


def test_a_mechanism_stands_in_the_address(visit: Visit) -> None:
    page = visit.go("/", LINE)
    page.get_by_role("radio", name="LLM integration").click()
    page.wait_for_function("location.search == '?mechanism=integration'")
    expect(page.locator(LINE)).to_have_count(1)
    visit.go("/?mechanism=integration", LINE)
    expect(page.locator(LINE)).to_have_count(1)


def test_marks_of_the_authors_are_hollow(visit: Visit) -> None:
    page = visit.go("/", LINE)
    fills = {
        origin: page.locator(f"{LINE} .mark.{origin} circle").first.evaluate("mark => getComputedStyle(mark).fill")
        for origin in ("own", "theirs")
    }
    assert fills["theirs"] == "none"
    assert fills["own"] == "rgb(31, 122, 116)"


@pytest.mark.parametrize(("scheme", "paper"), [("light", "rgb(251, 250, 248)"), ("dark", "rgb(21, 21, 20)")])
def test_the_page_follows_the_readers_theme(chromium: Browser, base: str, scheme: str, paper: str) -> None:
    visit = Visit(chromium, base, scheme)
    page = visit.go("/claim?claim=integration/clip/ratio", "[data-testid=stVegaLiteChart] svg")
    assert page.locator(".stApp").evaluate("app => getComputedStyle(app).backgroundColor") == paper
    page.context.close()


@pytest.mark.parametrize(
    "path", ["/", "/claim?claim=foundations/coin/mean", "/claim?claim=integration/clip/ratio", "/claim"]
)
def test_nothing_is_asked_of_anybody_else_and_no_policy_is_broken(visit: Visit, path: str) -> None:
    """Fonts, scripts, pictures: all of it comes from this machine, and the policy does not stand in the page's way."""
    visit.go(path, f"{LINE}, .head h1, .refusal")
    visit.page.wait_for_timeout(1500)
    assert visit.foreign == []
    assert [said for said in visit.complaints if "404" not in said] == []


def test_no_page_scrolls_sideways_on_a_phone(chromium: Browser, base: str) -> None:
    visit = Visit(chromium, base, width=375)
    for path in ("/", "/claim?claim=foundations/coin/mean"):
        page = visit.go(path, f"{LINE}, .head h1")
        page.wait_for_timeout(800)
        assert page.evaluate("document.querySelector('.stMain').scrollWidth") <= 375
    page.context.close()


def test_every_answer_carries_the_policy(base: str) -> None:
    for path in ("/", "/claim", "/_stcore/health", "/favicon.png"):
        link = http.client.HTTPConnection(base.removeprefix("http://"))
        link.request("GET", path)
        answered = link.getresponse()
        policy = answered.getheader("Content-Security-Policy") or ""
        assert "img-src 'self' data: blob:" in policy, path
        assert "frame-ancestors 'none'" in policy
        assert not re.search(r"script-src[^;]*'unsafe-inline'", policy)
        link.close()


def test_a_page_names_what_is_to_be_fetched_with_it(visit: Visit, base: str) -> None:
    """Streamlit may move its files: then the header names none of them, but never one that is not there."""
    link = http.client.HTTPConnection(base.removeprefix("http://"))
    link.request("GET", "/claim")
    named = re.findall(r"<\./([^>]+)>", link.getresponse().getheader("Link") or "")
    assert {name.rpartition("/")[2].partition(".")[0] for name in named} >= {*early.ELEMENTS, early.HEADINGS}
    visit.go("/", LINE)
    assert all(visit.asked.count(f"{base}/{name}") == 1 for name in named), "asked for twice, or in vain"
    link.close()


def test_another_host_name_is_refused(base: str) -> None:
    """A page elsewhere that makes its own name point here (DNS rebinding) reads nothing."""
    port = int(base.rpartition(":")[2])
    assert answer(port, "/", host="evil.example") == 400
    assert answer(port, "/", host=f"localhost:{port}") == 200


def test_a_taken_port_ends_the_command(base: str, tmp_path: Path) -> None:
    """It must not move to another port in silence: nobody would find it there."""
    command = [sys.executable, "-m", "dashboard", "--port", base.rpartition(":")[2]]
    ended = subprocess.run(command, cwd=places.ROOT, capture_output=True, timeout=60, text=True, check=False)
    assert ended.returncode != 0
    assert "not available" in ended.stdout + ended.stderr
