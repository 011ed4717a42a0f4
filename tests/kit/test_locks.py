"""The locks that are committed, and the command that writes them."""

import re
from collections import defaultdict
from pathlib import Path

import pytest

from labs.kit import places
from labs.kit.errors import LabError
from labs.kit.stack import Stack, find, hindrance, lock
from tests.kit import tiny_stack

DEVICES = ("cpu", "gpu")
LOCKS = [Stack(stack.name, device).lock for stack in find() for device in DEVICES]
LOCKS += [places.IMAGES / "uv.lock", places.IMAGES / "jupyter.lock", places.IMAGES / "command.lock"]


def _pins(stack: Stack) -> dict[str, str]:
    pins = re.findall(r"^([\w.\-]+)(?:\[[\w,]+\])?==([^\s\\;]+)", stack.lock.read_text(), re.MULTILINE)
    return dict(pins)


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_line_of_a_lock_pins_a_version_or_gives_a_hash(path: Path) -> None:
    """So no line can be an index, a folder of wheels or a package that is not checked."""
    text = path.read_text()
    package = r"[\w.\-]+(\[[\w,]+\])?==[\w.+!]+( ; .*)?( \\\n    --hash=sha256:[0-9a-f]{64})+\n"
    assert re.fullmatch(f"({package})+", text)
    assert "://" not in text


@pytest.mark.parametrize("device", DEVICES)
def test_a_package_has_one_version_in_all_stacks(device: str) -> None:
    """But for trl, whose two versions are why there are two stacks, and typer, which no lab imports.

    The base model must be the same bytes in both stacks.
    """
    versions = defaultdict(set)
    for stack in find():
        for package, version in _pins(Stack(stack.name, device)).items():
            versions[package].add(version)
    assert {package for package, found in versions.items() if len(found) > 1} == {"trl", "typer"}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", [stack.name for stack in find()])
def test_a_lock_holds_what_its_requirements_ask_for(name: str, device: str) -> None:
    """An edited requirements.in without `gaplab stack lock` would change nothing, and nobody would notice."""
    stack = Stack(name, device)
    pins = _pins(stack)
    for line in _requirements(stack.folder / "requirements.in"):
        name, _, version = line.partition("==")
        assert pins[name.lower()].partition("+")[0] == (version or pins[name.lower()].partition("+")[0])


def test_torch_is_the_cpu_build_on_a_cpu_and_the_plain_one_on_a_gpu() -> None:
    """The plain wheel brings 4 GB that a CPU never uses; both are the same version."""
    for name in ("grpo", "ppo"):
        assert _pins(Stack(name, "cpu"))["torch"] == _pins(Stack(name, "gpu"))["torch"] + "+cpu"


def test_every_lab_stack_can_be_a_kernel_a_worker_and_a_test_runner() -> None:
    """Notebooks, the engine and the tests of a stack each run in it."""
    for stack in find():
        if stack.for_labs:
            assert {"ipykernel", "pebble", "pytest", "numpy", "scipy", "matplotlib"} <= _pins(stack).keys()


def test_the_digest_is_of_the_locks_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another byte is another digest, another folder, and not built."""
    stack = tiny_stack.settle(tmp_path, monkeypatch)
    before = (stack.digest, stack.venv)
    stack.lock.write_text(stack.lock.read_text() + "\n")
    assert stack.digest != before[0]
    assert stack.venv != before[1]
    assert stack.venv.name == f"tiny-{stack.digest[:12]}"


def test_the_device_chooses_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """GAPLAB_DEVICE=gpu is all it takes to run a lab on a GPU."""
    monkeypatch.setenv("GAPLAB_DEVICE", "gpu")
    assert Stack("grpo").lock.name == "gpu.lock"
    assert Stack("grpo", "cpu").digest != Stack("grpo").digest


@pytest.mark.trial
def test_locks_written_together_agree_and_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One stack's upper bound holds for all; what two pin apart stays apart; writing again changes nothing."""
    tiny = tiny_stack.settle(tmp_path, monkeypatch)
    images = tiny.folder.parent
    tiny_stack.write(images, "bound", "iniconfig<2.2\npluggy==1.5.0")
    tiny_stack.write(images, "free", "iniconfig\npluggy==1.6.0")
    for path in images.glob("*/cpu.lock"):
        path.unlink()
    wrote = lock(device="cpu")
    assert {path.parent.name for path in wrote} == {"tiny", "bound", "free"}
    pins = {name: _pins(Stack(name)) for name in ("tiny", "bound", "free")}
    assert len({pin["iniconfig"] for pin in pins.values()}) == 1
    assert (pins["bound"]["pluggy"], pins["free"]["pluggy"]) == ("1.5.0", "1.6.0")
    before = {path: path.read_bytes() for path in wrote}
    lock(device="cpu")
    assert {path: path.read_bytes() for path in wrote} == before


@pytest.mark.trial
def test_a_lock_keeps_its_versions_until_an_upgrade_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Adding one package to a stack must not change the numbers of every lab that runs in it."""
    stack = tiny_stack.settle(tmp_path, monkeypatch)
    (stack.folder / "requirements.in").write_text("iniconfig<2.1")
    lock([stack])
    (stack.folder / "requirements.in").write_text("iniconfig")
    lock([stack])
    assert _pins(stack)["iniconfig"] == "2.0.0"
    lock([stack], upgrade=True)
    assert _pins(stack)["iniconfig"] != "2.0.0"


@pytest.mark.trial
def test_a_requirement_that_cannot_be_met_leaves_the_lock_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = tiny_stack.settle(tmp_path, monkeypatch)
    before = stack.lock.read_bytes()
    (stack.folder / "requirements.in").write_text("iniconfig==0.0.9999")
    with pytest.raises(LabError, match=r"iniconfig==0\.0\.9999"):
        lock([stack])
    assert stack.lock.read_bytes() == before


def _requirements(path: Path) -> list[str]:
    lines = [line.partition("#")[0].strip() for line in path.read_text().splitlines()]
    included = [path.parent / line.removeprefix("-r ") for line in lines if line.startswith("-r")]
    return [line for line in lines if line and not line.startswith("-r")] + [
        line for other in included for line in _requirements(other)
    ]


def test_a_lock_that_another_platform_cannot_use_is_told_with_the_package() -> None:
    """The CPU build of torch: its wheels are for one platform each, where all other packages have one for both."""
    platform = "aarch64-manylinux_2_28"
    assert hindrance(Stack("tabular", "cpu"), platform) == ""
    assert "torch==" in hindrance(Stack("grpo", "cpu"), platform)
    with pytest.raises(LabError, match="nonsense"):
        hindrance(Stack("grpo", "cpu"), "nonsense")
