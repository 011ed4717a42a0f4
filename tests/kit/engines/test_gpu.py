"""Why containers use no GPU, on machines that are told by a program in place of the driver's own."""

from pathlib import Path

import pytest

from labs.kit.containers import gpu
from labs.kit.errors import LabError


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that alone is on PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def _program(path: Path, said: str, code: int = 0) -> None:
    path.write_text(f"#!/bin/sh\necho '{said}'\nexit {code}\n")
    path.chmod(0o755)


def _refusal(runtimes: tuple[str, ...] = ("runc",)) -> str:
    with pytest.raises(LabError) as told:
        gpu.usable(runtimes)
    assert str(told.value).count("\n") == 2
    return str(told.value)


def test_a_machine_without_a_driver(driver: Path) -> None:
    assert _refusal().startswith("No NVIDIA driver is installed")


def test_a_driver_that_does_not_answer_is_quoted(driver: Path) -> None:
    """As after an update, until the machine is restarted."""
    _program(driver / "nvidia-smi", "Failed to initialize NVML: Driver/library version mismatch", 18)
    assert "version mismatch" in _refusal()


def test_a_driver_too_old_for_the_wheel_is_told_with_both_numbers(driver: Path) -> None:
    _program(driver / "nvidia-smi", "NVIDIA RTX 4090, 570.86.10")
    said = _refusal(("runc", "nvidia"))
    assert "driver here is 570.86.10" in said
    assert f"CUDA {gpu.cuda_of_lock()}, from {gpu.OLDEST[gpu.cuda_of_lock()]} on" in said


def test_a_driver_without_the_toolkit(driver: Path) -> None:
    _program(driver / "nvidia-smi", "NVIDIA RTX 4090, 580.95.05")
    assert "no NVIDIA container toolkit" in _refusal()


@pytest.mark.parametrize("runtimes", [("runc", "nvidia"), ("runc",)])
def test_with_driver_and_toolkit_it_is_used(driver: Path, runtimes: tuple[str, ...]) -> None:
    """The engine knows the toolkit as a runtime, or finds its program by itself."""
    _program(driver / "nvidia-smi", "NVIDIA RTX 4090, 580.95.05\nNVIDIA RTX 4090, 580.95.05")
    if "nvidia" not in runtimes:
        _program(driver / gpu.HOOK, "")
    assert gpu.usable(runtimes) == "NVIDIA RTX 4090, driver 580.95.05"


def test_every_cuda_of_the_locks_has_its_oldest_driver() -> None:
    assert gpu.cuda_of_lock() in gpu.OLDEST
