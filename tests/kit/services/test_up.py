"""`gaplab up` and `gaplab down` as a reader types them, with a small lab."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import requests
from jupyter_client.blocking.client import BlockingKernelClient

from labs.kit import places, services
from labs.kit.services import composed
from labs.kit.stack import Stack, build
from tests.kit.folders import PRACTICE, write_lab
from tests.kit.services.conftest import wait_for

pytestmark = pytest.mark.trial
SLOW = PRACTICE.replace("import random\n", "import random\nimport time\n").replace(
    "    rng = ", "    time.sleep(2)\n    rng = "
)


@pytest.fixture
def labs(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for labs; the stack is this checkout's."""
    with monkeypatch.context() as patch:
        patch.delenv("GAPLAB_HOME")
        build(Stack("tabular"))
        stacks = places.home() / "stacks"
    (home / "stacks").symlink_to(stacks)
    monkeypatch.setenv("GAPLAB_LABS", str(home / "labs"))
    return home / "labs"


def _gaplab(*words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "labs.kit.cli", *words]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True, cwd=places.ROOT
    )


def _said(*words: str) -> tuple[int, str]:
    process = _gaplab(*words)
    said = process.communicate(timeout=300)[0]
    return process.returncode, said


def test_up_shows_the_page_first_and_ends_with_what_to_open(labs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the services ran in containers before, and their engine has gone since."""
    write_lab(labs)
    composed.remember("gone")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{labs}/none")
    code, said = _said("up")
    assert code == 0, said
    links = services.links()
    lines = [line for line in said.splitlines() if line]
    assert lines[0].startswith(f"Dashboard  {links.dashboard}"), "the address comes before any trial"
    assert lines[-3].startswith("1 lab, 1 claim · 1 hold")
    assert lines[-2] == f"Dashboard  {links.dashboard}      MLflow  {links.mlflow}      Jupyter  {links.jupyter}"
    assert lines[-1] == "Next: .venv/bin/gaplab show foundations/coin   ·   make down stops everything"
    assert {state.state for state in services.status()} == {"healthy"}

    code, said = _said("up")
    assert code == 0
    assert "4 trials finished before, not run again" in said
    code, said = _said("down")
    assert (code, said.split()[0]) == (0, "Stopped")
    assert not any(state.pid for state in services.status())
    code, said = _said("down")
    assert (code, said) == (0, "Nothing of Gaplab's was running.\n")


def test_a_notebook_runs_in_its_stack_and_ends_with_down(labs: Path) -> None:
    """Through the server that a browser would use: the kernel imports the kit, in the stack's own interpreter."""
    write_lab(labs)
    links = services.start(["jupyter"])
    at = urlsplit(links.jupyter)
    token = at.query.removeprefix("token=")
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"token {token}"
        started = session.post(f"http://{at.netloc}/api/kernels", json={"name": "gaplab-tabular"}, timeout=30)
    assert started.status_code == 201, started.text
    runtime = places.home() / "services/jupyter/runtime"
    kernel = BlockingKernelClient(connection_file=str(runtime / f"kernel-{started.json()['id']}.json"))
    kernel.load_connection_file()
    kernel.start_channels(hb=False)  # a busy machine misses beats, and a kernel that is slow is not dead
    kernel.wait_for_ready(timeout=60)
    said: list[str] = []
    kernel.execute_interactive(
        "import os, sys, labs.kit.mdp.chains; print(sys.prefix, os.getpid())",
        output_hook=lambda message: said.append(message["content"].get("text", "")),
        timeout=60,
    )
    kernel.stop_channels()
    prefix, pid = "".join(said).split()
    assert Path(prefix) == Stack("tabular").venv
    assert services.stop()
    wait_for(lambda: not psutil.pid_exists(int(pid)))


def test_ctrl_c_loses_nothing_and_the_next_up_goes_on(labs: Path) -> None:
    write_lab(labs, practice=SLOW)
    process = _gaplab("up")
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("[1/4]"):
            break
    os.killpg(process.pid, signal.SIGINT)
    began = time.monotonic()
    said = process.communicate(timeout=60)[0]
    assert process.returncode == 130, said
    assert time.monotonic() - began < 15
    assert "Nothing is lost: the same command goes on from here, `make down` stops the services" in said
    assert "Traceback" not in said
    assert {state.state for state in services.status()} == {"healthy"}, "the page stays"

    code, said = _said("up")
    assert code == 0
    assert "finished before" in said
    assert "1 hold" in said


def test_a_trial_that_fails_is_no_failure_of_up_and_a_stack_that_cannot_be_made_is(
    labs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its stack nothing can be run, so the command has not done its part; the services are up all the same."""
    write_lab(labs, practice=PRACTICE.replace("    rng = ", "    assert seed == 0, 'the coin rolled away'\n    rng = "))
    stacks = (places.home() / "stacks").readlink()
    (places.home() / "stacks").unlink()
    with monkeypatch.context() as patch:
        patch.setenv("GAPLAB_UV", "/bin/false")
        code, said = _said("up")
    assert code == 1, said
    assert "✖ 4 trials failed" in said
    shutil.rmtree(places.home() / "stacks")
    (places.home() / "stacks").symlink_to(stacks)

    code, said = _said("up")
    assert code == 0, said
    assert "✖ 2 trials failed, for the reasons above: nothing was measured by them." in said
    assert "The services are up; the same command tries them again." in said
    assert "the coin rolled away" in said
    assert said.rstrip().splitlines()[-1].startswith("Next: ")
    assert {state.state for state in services.status()} == {"healthy"}


def test_a_misspelt_lab_or_engine_starts_nothing(labs: Path) -> None:
    write_lab(labs)
    code, said = _said("up", "coim")
    assert code == 2
    assert "Is 'coin' meant?" in said
    code, said = _said("up", "coin", "--engine", "dokker")
    assert code == 2
    assert "Is 'docker' meant?" in said
    assert not (places.home() / "services").exists()


def test_a_full_disk_is_told_in_three_sentences(labs: Path) -> None:
    """A real one: sixteen kilobytes, in a namespace of its own."""
    write_lab(labs)
    tiny = "mount -t tmpfs -o size=16k none {0}/tiny && exec {1} -m labs.kit.cli up"
    (places.home() / "tiny").mkdir()
    apart = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
    told = _run([*apart, "sh", "-c", tiny.format(places.home(), sys.executable)], GAPLAB_HOME=f"{places.home()}/tiny")
    assert told.returncode == 2, told.stderr
    assert "disk" in told.stderr
    assert "full" in told.stderr
    assert "make up GAPLAB_HOME=" in told.stderr
    assert "Traceback" not in told.stderr
    assert len(told.stderr.strip().splitlines()) == 3


def _run(command: list[str], **more: str) -> subprocess.CompletedProcess[str]:
    env: Mapping[str, str] = {**os.environ, **more}
    return subprocess.run(command, env=env, capture_output=True, text=True, cwd=places.ROOT, timeout=120, check=False)
