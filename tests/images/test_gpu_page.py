"""docs/gpu.md quotes the locks; a lock that was written anew makes it wrong."""

import re

import pytest

from labs.kit import catalogue, places
from labs.kit.containers import gpu

PAGE = (places.ROOT / "docs/gpu.md").read_text()
ROWS = re.findall(r"^\| ([a-z][\w-]+) \| ([\d.]+) \| ([\d.]+) \|$", PAGE, re.MULTILINE)


def test_the_page_names_what_matters() -> None:
    assert {"torch", "bitsandbytes", "transformers", "peft", "trl", "nvidia-cuda-runtime"} <= {row[0] for row in ROWS}


@pytest.mark.parametrize(("package", "grpo", "ppo"), ROWS)
def test_every_version_is_that_of_the_locks(package: str, grpo: str, ppo: str) -> None:
    for stack, version in (("grpo", grpo), ("ppo", ppo)):
        assert f"\n{package}=={version} " in "\n" + (places.IMAGES / stack / "gpu.lock").read_text()


def test_the_oldest_driver_is_the_one_that_the_doctor_asks_for() -> None:
    cuda = gpu.cuda_of_lock()
    assert f"built for CUDA {cuda}.0, which wants NVIDIA's driver {gpu.OLDEST[cuda]} or newer" in PAGE


def test_the_page_names_the_labs_and_the_models_of_the_preset() -> None:
    """Nobody can run it here, so the least is that it says what would be run."""
    found = [lab for lab in catalogue.find(places.ROOT / "labs") if "gpu" in lab.presets]
    assert found
    for lab in found:
        assert f"`{lab.id}`" in PAGE
        assert f"`{lab.presets['gpu'].setting['model']}`" in PAGE
