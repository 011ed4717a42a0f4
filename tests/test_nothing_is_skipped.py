"""What was not tested is said by tests/run.sh, in one place; no test leaves quietly."""

import re
from pathlib import Path

from labs.kit import places

WAYS = r"skip(if)?\(|mark\.skip|importorskip|xfail"


def test_no_test_skips_itself() -> None:
    """In a summary of a thousand dots nobody sees the one that is an s."""
    files = [path for path in (places.ROOT / "tests").rglob("*.py") if path != Path(__file__)]
    assert len(files) > 100
    assert [path for path in files if re.search(WAYS, path.read_text())] == []
