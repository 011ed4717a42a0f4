"""The pages, driven without a browser."""

import json
from typing import Any

from streamlit.testing.v1 import AppTest

from dashboard import server


def overview(**asked: str) -> AppTest:
    """The overview, drawn once."""
    page = AppTest.from_file(str(server.HERE / "streamlit_app.py"), default_timeout=60)
    return _drawn(page, asked)


def claim(**asked: str) -> AppTest:
    """A claim's page, drawn once."""
    page = AppTest.from_file(str(server.HERE / "streamlit_app.py"), default_timeout=60).run()
    page.switch_page("app_pages/claim.py")
    return _drawn(page, asked)


def _drawn(page: AppTest, asked: dict[str, str]) -> AppTest:
    for name, value in asked.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception, page.exception
    return page


def told(page: AppTest, component: str) -> dict[str, Any]:
    """What a component was given to draw."""
    found = [one.proto for one in page.get("bidi_component") if one.proto.component_name == f"gaplab_{component}"]
    assert len(found) == 1, [one.proto.component_name for one in page.get("bidi_component")]
    made: dict[str, Any] = json.loads(found[0].json)
    return made


def html(page: AppTest) -> str:
    """Everything that the page sets as HTML."""
    return "\n".join(one.proto.body for one in page.get("html") if "<style>" not in one.proto.body)


def marks(page: AppTest) -> dict[tuple[str, str], dict[str, Any]]:
    """(claim, variant) -> its mark, of an overview."""
    bands = told(page, "board")["bands"]
    lines = [line for band in bands for lab in band["labs"] for line in lab["claims"]]
    return {(mark["claim"], mark["variant"]): mark for line in lines for mark in line["marks"]}
