"""Every lab's quick preset, through the real command into a real MLflow server; then verdicts and notebooks."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from labs.kit import catalogue, places
from labs.kit.stack import Stack, kernelspec
from labs.kit.words import Lab

pytestmark = pytest.mark.trial
LABS = catalogue.find(places.ROOT / "labs")
GAPLAB = places.ROOT / ".venv" / "bin" / "gaplab"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home of the test's own, with the stacks and the base model of the checkout, and its services running."""
    folder = tmp_path_factory.mktemp("home")
    for name in ("stacks", "base", "bootstrap"):
        (places.home() / name).mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(places.home() / name)
    ports = {
        f"GAPLAB_{name}_PORT": str(port) for name, port in zip(("MLFLOW", "DASHBOARD", "JUPYTER"), _free(), strict=True)
    }
    with pytest.MonkeyPatch.context() as patch:
        for key, value in {"GAPLAB_HOME": str(folder), **ports}.items():
            patch.setenv(key, value)
        try:
            yield folder
        finally:
            _gaplab("down")


@pytest.fixture(scope="module")
def quick(home: Path) -> dict[tuple[str, str], dict[str, object]]:
    """`gaplab up` over all labs, and what `gaplab show` then says of each claim in each variant."""
    up = _gaplab("up")
    assert up.returncode == 0, up.stdout + up.stderr
    assert "Dashboard  http://127.0.0.1:" in up.stdout
    told = [one for lab in LABS for one in json.loads(_gaplab("show", lab.id, "--json").stdout)]
    return {(one["claim"], one["variant"]): one for one in told}


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.id)
def test_every_trial_of_quick_was_recorded_and_judged(
    lab: Lab, quick: dict[tuple[str, str], dict[str, object]]
) -> None:
    wanted = [c for c in lab.claims.values() if not c.presets or "quick" in c.presets]
    for claim in wanted:
        for variant in set(claim.variants) & set(lab.presets["quick"].variants) - {claim.against}:
            told = quick[claim.id, variant]
            assert told["failed"] == 0
            if lab.presets["quick"].seeds > 1 or claim.exact:
                assert told["origin"] == "own", f"{claim.id} in {variant}"


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.id)
def test_every_control_shows_its_gap(lab: Lab, quick: dict[tuple[str, str], dict[str, object]]) -> None:
    for claim in lab.claims.values():
        told = quick[claim.id, claim.control]
        assert told["verdict"] in ("gap", "impossible"), f"{claim.id} in {claim.control}: {told}"


def test_a_second_run_repeats_nothing(quick: object) -> None:
    told = json.loads(_gaplab("run", "foundations", "--json").stdout)
    assert told["done"] == 0
    assert told["skipped"] > 0


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.id)
def test_notebook_runs_in_its_kernel(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in lab.stacks:
        kernelspec(Stack(name), tmp_path)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    notebook = nbformat.read(lab.folder / "notebook.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    assert notebook.metadata.kernelspec.name == f"gaplab-{lab.stack}"
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(lab.folder)}}).execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in shown), "a notebook draws its figure"


def _gaplab(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [GAPLAB, *words], capture_output=True, text=True, cwd=places.ROOT, env=dict(os.environ), check=False
    )


def _free() -> list[int]:
    import socket

    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports
