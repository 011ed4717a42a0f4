"""Stacks become venvs whole or not at all. Each test builds a stack of one small package with the real uv."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from labs.kit import places
from labs.kit.errors import LabError
from labs.kit.sizes import bytes_of
from labs.kit.stack import Stack, build, find, kernelspec, unused, uv
from tests.kit import tiny_stack

pytestmark = pytest.mark.trial
"""Not a trial, but like one too slow for `make test FAST=1`: each builds a venv."""


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """A stack of one package, not built."""
    return tiny_stack.settle(tmp_path, monkeypatch)


def _visible(stack: Stack) -> list[str]:
    """What lies where venvs are, but for the lock files and what they take on the disk."""
    return sorted(path.name for path in stack.venv.parent.glob("*") if path.suffix not in (".flock", ".json"))


def test_a_built_stack_is_what_its_lock_says(tiny: Stack) -> None:
    """Its package with byte code (this shell may forbid writing any), its lock beside it, its smoke.py run, no pip."""
    said: list[str] = []
    assert not tiny.built
    assert build(tiny, said.append) == tiny.venv
    assert tiny.built
    assert "tiny: ok" in said
    assert list(tiny.venv.glob("lib/python3.11/site-packages/iniconfig/__pycache__/*.pyc"))
    assert (tiny.venv / "stack.lock").read_bytes() == tiny.lock.read_bytes()
    assert _visible(tiny) == [tiny.venv.name]
    subprocess.run([tiny.python, "-c", "import iniconfig"], check=True)
    kept = json.loads((tiny.venv.parent / ".bytes.json").read_text())["bytes"]
    assert kept >= bytes_of(tiny.venv, set()), "counted when it was built, so that nobody has to walk it again"


def test_what_is_built_is_not_built_again(tiny: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second `make up` repeats nothing, and needs neither uv nor a network."""
    build(tiny)
    monkeypatch.setenv("GAPLAB_UV", "/bin/false")
    assert build(tiny) == tiny.venv


def test_a_changed_lock_is_another_venv_beside_the_old_one(tiny: Stack) -> None:
    """Whoever works in the old one keeps working; it is listed as unused, and removed by `gaplab clean` alone."""
    old = build(tiny)
    tiny.lock.write_text(tiny_stack.pinned("pluggy") + tiny.lock.read_text())
    assert not tiny.built
    new = build(tiny)
    assert old.exists()
    assert unused() == [old]
    assert new != old


@pytest.mark.parametrize("moment", ["Using", "Resolved", "Installed", "Bytecode", " + iniconfig", "Trying", "tiny: ok"])
def test_a_build_killed_at_any_moment_leaves_nothing_half_made(tiny: Stack, moment: str) -> None:
    """By kill -9, when uv or smoke.py says that line: the stack is not there, and the next build makes it whole."""
    act = f"line.startswith({moment!r}) and os.kill(os.getpid(), 9)"
    killed = tiny_stack.start(tiny_stack.building(tiny.folder.parent, act))
    killed.communicate(timeout=60)
    assert killed.returncode == -9
    assert not tiny.built
    assert tiny.venv.name not in _visible(tiny)
    build(tiny)
    assert tiny.built
    assert _visible(tiny) == [tiny.venv.name]


def test_a_killed_builds_orphan_is_waited_for(tiny: Stack, tmp_path: Path) -> None:
    """A uv that outlives its killed parent still writes: the next build begins when it has ended, not beside it."""
    slow, begun = tmp_path / "uv", tmp_path / "begun"
    slow.write_text(f'#!/bin/sh\n[ "$1" = venv ] || {{ touch {begun}; sleep 2; }}\nexec {uv.find()} "$@"\n')
    slow.chmod(0o755)
    killed = tiny_stack.start(["env", f"GAPLAB_UV={slow}", *tiny_stack.building(tiny.folder.parent)])
    while not begun.exists():
        assert killed.poll() is None, killed.communicate()
    assert unused() == []
    killed.kill()
    killed.wait()
    said: list[str] = []
    build(tiny, said.append)
    assert said[0] == f"Another command is building {tiny.venv.name}; waiting for it"
    assert tiny.built
    assert _visible(tiny) == [tiny.venv.name]


def test_two_builds_at_once_make_one_venv(tiny: Stack) -> None:
    """The second waits and finds it made."""
    both = [tiny_stack.start(tiny_stack.building(tiny.folder.parent)) for _ in range(2)]
    said = [process.communicate(timeout=60)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted("Installed 1 package" in text for text in said) == [False, True]


def test_a_lock_edited_by_hand_is_refused(tiny: Stack) -> None:
    """One digit of each hash, no hash, half a line: each names the lock and the command that writes it."""
    whole = tiny.lock.read_text()
    wrong = re.sub("(?<=sha256:).", lambda digit: "1" if digit[0] == "0" else "0", whole)
    for edited in (wrong, whole.split()[0] + "\n", whole[:-100] + "\n--"):
        tiny.lock.write_text(edited)
        with pytest.raises(LabError, match="gaplab stack lock") as told:
            build(tiny)
        assert len(tiny_stack.sentences(told.value)) == 3
        assert str(tiny.lock) in str(told.value)
        assert not tiny.built
        assert _visible(tiny) == []


def test_no_network_is_said_in_three_sentences(tiny: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an empty cache and a proxy that nobody answers at."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    with pytest.raises(LabError, match="HTTPS_PROXY") as told:
        build(tiny)
    assert len(tiny_stack.sentences(told.value)) == 3
    assert "refused" in str(told.value)
    assert _visible(tiny) == []


def test_a_full_disk_is_said_in_three_sentences(tiny: Stack, tmp_path: Path) -> None:
    """On a disk of 100 kB, in a mount namespace of its own."""
    small = tmp_path / "small"
    small.mkdir()
    script = f'mount -t tmpfs -o size=100k tmpfs {small} && GAPLAB_HOME={small} UV_LINK_MODE=copy exec "$@"'
    alone = ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh"]
    asked = tiny_stack.start([*alone, *tiny_stack.building(tiny.folder.parent)])
    said = asked.communicate(timeout=60)[1].strip()
    assert asked.returncode == 1
    assert said.startswith("The disk is full: 0 MB are free at")
    assert len(tiny_stack.sentences(said)) == 3


def test_a_python_that_nobody_has_is_said_in_three_sentences(tiny: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The words by which uv says so are the ones that are looked for."""
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS", "never")
    with pytest.raises(LabError, match=r"Install python3\.11") as told:
        uv.run(["venv", "--python", "cpython@3.99", tiny.venv], tiny.lock, lambda line: None)
    assert len(tiny_stack.sentences(told.value)) == 3


def test_a_torch_that_is_nowhere_is_said_in_three_sentences(
    tiny: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty folder of wheels: the message names the setting that points to another."""
    monkeypatch.setenv("GAPLAB_TORCH_WHEELS", str(tmp_path))
    tiny.lock.write_text("torch==2.13.0+cpu --hash=sha256:" + 64 * "0" + "\n")
    with pytest.raises(LabError, match="GAPLAB_TORCH_WHEELS") as told:
        build(tiny)
    assert len(tiny_stack.sentences(told.value)) == 3


def test_torch_wheels_are_looked_for_where_the_user_says_then_where_pip_does(
    tiny: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nowhere at all for a lock without a CPU build: a page that is away must not stop the tabular stack."""
    assert uv.find_links(tiny.lock, "cpu") == []
    assert uv.find_links(None, "gpu") == []
    monkeypatch.setenv("PIP_FIND_LINKS", "/pip /more")
    uv._pip_setting.cache_clear()
    assert uv.find_links(None, "cpu") == ["--find-links", "/pip", "--find-links", "/more"]
    monkeypatch.setenv("GAPLAB_TORCH_WHEELS", "/own")
    assert uv.find_links(None, "cpu") == ["--find-links", "/own"]
    uv._pip_setting.cache_clear()


def test_a_stack_whose_smoke_fails_is_not_kept(tiny: Stack) -> None:
    """Its last line is shown: a stack that cannot import what labs import would fail every trial."""
    (tiny.folder / "smoke.py").write_text("import iniconfig, torch")
    with pytest.raises(LabError, match="No module named 'torch'") as told:
        build(tiny)
    assert len(tiny_stack.sentences(told.value)) == 3
    assert _visible(tiny) == []


def test_an_unknown_stack_names_the_near_one(tiny: Stack) -> None:
    with pytest.raises(LabError, match="Is 'tiny' meant"):
        Stack("tiney")


def test_an_unknown_device_names_the_near_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAPLAB_DEVICE", "gpus")
    with pytest.raises(LabError, match="Is 'gpu' meant"):
        find()


def test_a_stack_without_a_lock_says_what_to_type(tiny: Stack) -> None:
    with pytest.raises(LabError, match="gaplab stack lock --device gpu"):
        build(Stack("tiny", "gpu"))


def test_a_kernel_starts_the_stacks_python_with_the_labs_on_its_path(tmp_path: Path) -> None:
    """One torch thread, as in a trial, so that a notebook shows a trial's numbers."""
    stack = Stack("tabular")
    path = kernelspec(stack, tmp_path)
    assert path == tmp_path / "kernels" / "gaplab-tabular" / "kernel.json"
    spec = json.loads(path.read_text())
    assert spec["argv"][0] == str(stack.python)
    assert spec["env"] == {"PYTHONPATH": str(places.ROOT), "OMP_NUM_THREADS": "1"}


def test_the_command_lists_every_stack_with_its_digest() -> None:
    command = [sys.executable, "-m", "labs.kit.cli", "stack", "list", "--json"]
    listed = subprocess.run(command, cwd=places.ROOT, capture_output=True, text=True, check=True, env=os.environ)
    assert {one["stack"]: one["digest"] for one in json.loads(listed.stdout)} == {s.name: s.digest for s in find()}
