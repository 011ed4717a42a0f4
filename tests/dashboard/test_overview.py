"""The overview, driven without a browser: what it says of each state that a reader may find Gaplab in."""

from pathlib import Path

import pytest

from labs.kit.words import MECHANISMS, Lab
from tests.dashboard import pages, world


def _counts(board: dict[str, object]) -> dict[str, int]:
    return {one["verdict"]: one["count"] for one in board["counts"]}  # type: ignore[attr-defined]


def test_with_neither_trials_nor_reference_it_says_what_to_run(labs: list[Lab]) -> None:
    board = pages.told(pages.overview(), "board")
    assert _counts(board) == {"holds": 0, "gap": 0, "inconclusive": 0, "not run": 5}
    assert board["largest"]["gaps"] == []
    assert board["largest"]["none"].startswith("Nothing is known yet")
    assert [one["command"] for one in board["next"]["labs"]] == [
        "gaplab run foundations/coin",
        "gaplab run integration/clip",
    ]
    assert board["status"] == {"finished": 0, "newest": 0, "away": "", "synced": 0}


def test_with_references_alone_every_mark_is_the_authors(labs: list[Lab]) -> None:
    """A newcomer sees every verdict before running anything, and that none of them is theirs."""
    for lab in labs:
        world.reference(lab, world.near_theory(labs))
    page = pages.overview()
    board = pages.told(page, "board")
    assert _counts(board)["holds"] == 5
    assert board["authors"]
    assert not any(mark["own"] for mark in pages.marks(page).values())
    assert all("the authors' run" in mark["label"] for mark in pages.marks(page).values())
    assert [one["theirs"] for one in board["next"]["labs"]] == [4, 1]
    assert board["status"]["finished"] == 0


def test_own_trials_fill_the_marks(labs: list[Lab]) -> None:
    world.reference(labs[0], world.near_theory(labs))
    world.mirror(labs[:1], world.near_theory(labs, {"mean": 3.0}))
    page = pages.overview()
    board, marks = pages.told(page, "board"), pages.marks(page)
    assert all(mark["own"] for (claim, _), mark in marks.items() if claim.startswith("foundations/coin/"))
    assert marks["foundations/coin/mean", "fair"]["verdict"] == "gap"
    assert board["status"]["finished"] == 20
    assert board["status"]["newest"] > 0
    assert [one["lab"] for one in board["next"]["labs"]] == ["integration/clip"]


def test_a_control_is_marked_and_never_counted(labs: list[Lab]) -> None:
    world.mirror(labs, world.near_theory(labs))
    page = pages.overview()
    control = pages.marks(page)["foundations/coin/mean", "lossy"]
    assert (control["role"], control["verdict"], control["amiss"]) == ("control", "gap", False)
    assert _counts(pages.told(page, "board"))["gap"] == 0
    assert pages.told(page, "board")["largest"]["gaps"] == []


def test_a_control_that_does_not_fail_is_said_at_the_top(labs: list[Lab]) -> None:
    """A lab that sees no gap where there is one proves nothing elsewhere."""
    world.mirror(labs, world.near_theory(labs, {"mean/lossy": 0.0}))
    board = pages.told(pages.overview(), "board")
    assert [one["name"] for one in board["doubts"]] == ["mean, lossy"]


def test_the_largest_gap_comes_first_and_says_whether_its_cause_is_known(labs: list[Lab]) -> None:
    world.mirror(labs, world.near_theory(labs, {"mean": 3.0, "folk": -30.0, "folk/worn": 0.0}))
    largest = pages.told(pages.overview(), "board")["largest"]
    assert [(one["name"], one["why"]) for one in largest["gaps"]] == [("folk", "cause known"), ("mean", "cause open")]
    low, high = largest["axis"]
    assert all(low <= one[end] <= high for one in largest["gaps"] for end in ("low", "at", "high"))


def test_a_mechanism_without_a_lab_says_so(labs: list[Lab]) -> None:
    bands = {band["name"]: band for band in pages.told(pages.overview(), "board")["bands"]}
    assert list(bands) == list(MECHANISMS)
    assert bands["selection"]["empty"] == "No lab yet. `gaplab new selection/NAME` writes one to start from."
    assert bands["foundations"]["empty"] == ""


def test_the_address_names_the_mechanism(labs: list[Lab]) -> None:
    page = pages.overview(mechanism="integration")
    assert [band["name"] for band in pages.told(page, "board")["bands"]] == ["integration"]
    page.pills[0].select("foundations").run()
    assert page.query_params["mechanism"] == "foundations"
    assert [band["name"] for band in pages.told(page, "board")["bands"]] == ["foundations"]


def test_an_unknown_mechanism_in_the_address_shows_all(labs: list[Lab]) -> None:
    assert len(pages.told(pages.overview(mechanism="<img src=x>"), "board")["bands"]) == len(MECHANISMS)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("lab.toml", "title = ", "this is not TOML"),
        ("reference.json", "{}", "reference.json: cannot be read"),
        ("practice.py", "def (", "practice.py: cannot be read"),
    ],
)
def test_a_lab_that_cannot_be_judged_leaves_the_others(labs: list[Lab], name: str, text: str, said: str) -> None:
    """Somebody edits a lab while the page is open."""
    Path(labs[0].folder / name).write_text(text)
    world.mirror(labs[1:], world.near_theory(labs))
    board = pages.told(pages.overview(), "board")
    assert said in board["wrong"][0]
    assert _counts(board)["holds"] == 1


def test_a_mirror_that_cannot_be_read_is_said_at_the_top(labs: list[Lab], home: Path) -> None:
    home.mkdir()
    (home / "mirror.db").write_bytes(b"this is no database" * 100)
    assert "mirror.db: cannot be used" in pages.told(pages.overview(), "board")["wrong"][0]
