"""What `gaplab status` says of the disk: counted once, and never for longer than a reader waits."""

import os
from pathlib import Path

import pytest

from labs.kit import places, sizes
from labs.kit.status import disk_use, status


def _stack(stacks: Path, name: str, blocks: int) -> Path:
    folder = stacks / name
    folder.mkdir(parents=True)
    (folder / "wheel").write_bytes(b"x" * 4096 * blocks)
    (folder / "stack.lock").write_text(name)
    return folder


def test_stacks_are_walked_once_and_again_when_one_is_built_or_removed(tmp_path: Path) -> None:
    """A stack does not change after it is built, so a file that comes later shows whether it was walked again."""
    first = _stack(tmp_path, "tabular-1", 100)
    counted = sizes.of_stacks(tmp_path)
    assert counted >= 100 * 4096
    (first / "later").write_bytes(b"x" * 4096 * 1000)
    assert sizes.of_stacks(tmp_path) == counted
    second = _stack(tmp_path, "grpo-1", 10)
    both = sizes.of_stacks(tmp_path)
    assert both >= counted + 1010 * 4096
    (second / "stack.lock").unlink()
    (second / "wheel").unlink()
    assert sizes.of_stacks(tmp_path) < both


def test_a_file_that_two_stacks_share_counts_once(tmp_path: Path) -> None:
    first, second = _stack(tmp_path, "grpo-1", 1000), _stack(tmp_path, "ppo-1", 1)
    (second / "wheel").unlink()
    os.link(first / "wheel", second / "wheel")
    assert 1000 * 4096 <= sizes.of_stacks(tmp_path) < 1100 * 4096


@pytest.mark.parametrize("kept", ["", "[]", "{}", '{"made": {"tabular-1": 0}, "bytes": 5}'])
def test_what_was_kept_badly_or_of_other_stacks_is_counted_anew(tmp_path: Path, kept: str) -> None:
    _stack(tmp_path, "tabular-1", 100)
    (tmp_path / ".bytes.json").write_text(kept)
    assert sizes.of_stacks(tmp_path) >= 100 * 4096


def test_status_says_so_where_it_did_not_count_to_the_end(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A cold disk takes seconds for what a warm one takes hundredths; no time at all stands for it here."""
    (places.home() / "trials").mkdir(parents=True)
    for name in range(10):
        (places.home() / "trials" / str(name)).write_bytes(b"x" * 2**20)
    assert [(use.part, use.is_all) for use in disk_use()] == [("trials", True)]
    monkeypatch.setattr("labs.kit.status.PATIENCE", 0.0)
    assert status() == 0
    assert f"{places.home()}: over 0 MB" in capsys.readouterr().out
