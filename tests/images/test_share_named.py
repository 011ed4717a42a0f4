"""What is misnamed to `gaplab share` is told before an engine is asked for, and what needs none is offered."""

from pathlib import Path

import pytest

from tests.images.sharing import gaplab

NOBODY = "0" * 64


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["verify", "lab.tar"], "lab.tar: there is no such file"),
        (["load", f"./lab.tar.gz@sha256:{NOBODY}"], "./lab.tar.gz: there is no such file"),
        (["show", "registry.example.org/me/lab"], "names an image without its digest"),
        (["verify", f"me/lab@sha256:{NOBODY}", "--signers", "friends"], "--signers friends: there is no such file"),
        (["verify", f"me/lab@sha256:{NOBODY}", "--key", "mine"], "--key mine: there is no such file"),
        (["verify", f"me/lab@sha256:{NOBODY}", "--save", "nowhere/lab.tar"], "nowhere/lab.tar: no file can be written"),
        (["save", "intervals", "nowhere/lab.tar"], "nowhere/lab.tar: no file can be written"),
    ],
)
def test_what_is_misnamed_is_told_before_a_missing_engine(words: list[str], why: str, home: Path) -> None:
    done = gaplab("share", *words, home=home, DOCKER_HOST=f"unix://{home}/none")
    assert (done.returncode, done.stdout) == (2, "")
    assert why in done.stderr.splitlines()[0]
    assert len(done.stderr.splitlines()) == 3
    assert not home.exists()


def test_a_missing_engine_is_told_with_what_needs_none(home: Path) -> None:
    """Share has no other engine to offer: what it does is done with images."""
    done = gaplab("share", "verify", f"me/lab@sha256:{NOBODY}", home=home, DOCKER_HOST=f"unix://{home}/none")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 3
    assert "`gaplab verify LAB` needs none" in done.stderr
    assert "--engine" not in done.stderr
