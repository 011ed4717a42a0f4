"""From a bare machine to .venv: bootstrap.sh in a checkout of its own, whose services stack is one small package."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from labs.kit import places
from labs.kit.stack import uv
from tests.kit import tiny_stack

pytestmark = pytest.mark.trial
"""Not a trial, but like one too slow for `make test FAST=1`."""

TOOLS = [
    "cat",
    "cmp",
    "dirname",
    "env",
    "getconf",
    "grep",
    "mkdir",
    "mktemp",
    "mv",
    "realpath",
    "rm",
    "sed",
    "sh",
    "tail",
    "uname",
]
PYTHON = dict.fromkeys(("python3", "python3.11"), f'exec {os.path.realpath(sys.executable)} "$@"')


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The kit, bootstrap.sh and two stacks of one package, with a command that says hello, in a path with a space."""
    root = tmp_path / "a checkout"
    shutil.copytree(
        places.ROOT / "labs/kit/stack", root / "labs/kit/stack", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in ("labs/kit/errors.py", "labs/kit/places.py", "labs/kit/sizes.py", "bootstrap.sh"):
        shutil.copy(places.ROOT / name, root / name)
    (root / "labs/hello.py").write_text("def main():\n    import iniconfig\n    print('hello')\n    return 3\n")
    (root / "pyproject.toml").write_text('[project.scripts]\ngaplab = "labs.hello:main"\n')
    tiny_stack.write(root / "images", "services")
    check = tiny_stack.write(root / "images", "check")
    (check / "cpu.lock").write_text(tiny_stack.pinned() + tiny_stack.pinned("pluggy"))
    shutil.copy(places.ROOT / "images/uv.lock", root / "images/uv.lock")
    return root


def _run(root: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run bootstrap.sh with an environment of little more than `more`."""
    kept = {k: v for k, v in os.environ.items() if k.startswith(("PIP_", "SSL_", "HOME")) and k != "PIP_FIND_LINKS"}
    env = {"PATH": os.environ["PATH"], "GAPLAB_UV": str(uv.find()), **kept, **more}
    return subprocess.run(
        ["/bin/sh", root / "bootstrap.sh"], env=env, cwd="/", capture_output=True, text=True, check=False
    )


def _told(run: subprocess.CompletedProcess[str]) -> list[str]:
    """The sentences of a failed run, a line each; a traceback would be more of them."""
    assert run.returncode == 2, run
    return run.stderr.strip().splitlines()


def _path(tmp_path: Path, **replaced: str) -> str:
    """A PATH with the tools of any Linux, no Python, no uv; `replaced` are commands by their script."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        (folder / tool).symlink_to(shutil.which(tool) or tool)
    for name, script in replaced.items():
        (folder / name).unlink(missing_ok=True)
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return str(folder)


def test_a_bare_checkout_gets_a_venv_with_the_command(checkout: Path) -> None:
    """The command runs, from elsewhere too, and hands on its exit code."""
    assert _run(checkout).returncode == 0
    said = subprocess.run([checkout / ".venv/bin/gaplab"], cwd="/", capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout) == (3, "hello\n")


def test_a_second_run_does_nothing(checkout: Path) -> None:
    """It needs neither uv nor python, so that `make up` on a machine that is set up costs nothing."""
    _run(checkout)
    again = _run(checkout, GAPLAB_UV="/bin/false", PATH="/usr/bin:/bin")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


def test_a_checkout_that_is_moved_keeps_its_command(checkout: Path) -> None:
    """Nothing in .venv names the place that it was made in."""
    _run(checkout)
    moved = checkout.rename(checkout.with_name("elsewhere"))
    assert subprocess.run([moved / ".venv/bin/gaplab"], capture_output=True, check=False).returncode == 3


def test_a_changed_lock_makes_the_venv_anew(checkout: Path) -> None:
    _run(checkout)
    (checkout / "images/services/cpu.lock").write_text(tiny_stack.pinned() + tiny_stack.pinned("packaging"))
    assert "packaging" not in _packages(checkout)
    assert _run(checkout).returncode == 0
    assert "packaging" in _packages(checkout)


def test_a_developers_venv_serves_a_user_too(checkout: Path) -> None:
    """GAPLAB_DEV=1 adds the checkers; `make up` afterwards must not take them away."""
    assert _run(checkout, GAPLAB_DEV="1").returncode == 0
    assert "pluggy" in _packages(checkout)
    assert _run(checkout).stdout == ""


def test_without_uv_it_is_fetched_with_its_hash(checkout: Path, tmp_path: Path) -> None:
    """By the machine's own python3; it lies in the home of everything that is made."""
    path = _path(tmp_path, **PYTHON)
    made = _run(checkout, GAPLAB_UV="", PATH=path)
    assert made.returncode == 0, made.stderr
    assert "Fetching uv" in made.stdout
    assert (checkout / ".gaplab/bootstrap/bin/uv").is_file()
    assert [path.name for path in (checkout / ".gaplab").glob("bootstrap*")] == ["bootstrap"]


def test_neither_uv_nor_python(checkout: Path, tmp_path: Path) -> None:
    told = _told(_run(checkout, GAPLAB_UV="", PATH=_path(tmp_path)))
    assert len(told) == 3
    assert "python3 of 3.8 or newer" in told[0]


def test_a_python_too_old_and_no_way_to_fetch_another(checkout: Path, tmp_path: Path) -> None:
    """No Python 3.11 on PATH, downloads forbidden: it says which Python is wanted."""
    told = _told(_run(checkout, PATH=_path(tmp_path), UV_PYTHON_DOWNLOADS="never", UV_PYTHON_INSTALL_DIR=str(tmp_path)))
    assert len(told) == 3
    assert told[0].startswith("gaplab: Python 3.11 could not be fetched")
    assert "install python3.11" in told[2]


def test_no_network(checkout: Path, tmp_path: Path) -> None:
    """While fetching uv, and while fetching packages."""
    away = {"HTTPS_PROXY": "http://127.0.0.1:9", "PIP_RETRIES": "0", "UV_HTTP_RETRIES": "0"}
    path = _path(tmp_path, **PYTHON)
    told = _told(_run(checkout, GAPLAB_UV="", PATH=path, **away))
    assert len(told) == 3
    assert told[0].startswith("gaplab: uv could not be fetched")
    told = _told(_run(checkout, UV_CACHE_DIR=str(tmp_path / "cache"), **away))
    assert len(tiny_stack.sentences("\n".join(told))) == 3
    assert "cannot be fetched" in told[0]
    assert not (checkout / ".venv").exists()


def test_another_platform_is_pointed_to_the_containers(checkout: Path, tmp_path: Path) -> None:
    """Every lock names the wheels of Linux on x86-64 alone."""
    told = _told(_run(checkout, PATH=_path(tmp_path, uname="echo Darwin arm64")))
    assert len(told) == 3
    assert "Darwin arm64" in told[0]
    assert "container" in told[2]


def test_a_home_that_cannot_be_written_to(checkout: Path) -> None:
    """As on a disk that is read-only or full."""
    told = _told(_run(checkout, GAPLAB_HOME="/proc/gaplab"))
    assert len(told) == 3
    assert "/proc/gaplab" in told[0]


def _packages(checkout: Path) -> set[str]:
    return {path.name for path in (checkout / ".venv/lib/python3.11/site-packages").iterdir()}
