"""Whether containers here can use a GPU, and why not."""

import re
import shutil
import subprocess
from collections.abc import Collection

from labs.kit import places
from labs.kit.errors import LabError

OLDEST = {12: 525, 13: 580}
"""The first driver that runs programs built for any CUDA of this major version.

NVIDIA, CUDA Compatibility, table "CUDA Toolkit and Minimum Compatible Driver Versions".
"""
HOOK = "nvidia-container-runtime-hook"
"""The toolkit's program that dockerd looks for when it starts."""
_WITHOUT = "Everything runs on the CPU meanwhile, with the same verdicts."


def usable(runtimes: Collection[str]) -> str:
    """The GPU's name and driver; `runtimes` are the engine's. Raises LabError with the reason where there is none."""
    name, driver = _driver()
    cuda = cuda_of_lock()
    oldest = OLDEST.get(cuda, max(OLDEST.values()))
    if int(driver.partition(".")[0]) < oldest:
        raise LabError(
            f"The NVIDIA driver here is {driver}; the GPU locks' torch is built for CUDA {cuda}, from {oldest} on.\n"
            f"With an older one torch finds no GPU. {_WITHOUT}\n"
            f"Install driver {oldest} or newer, then type the same command again."
        )
    if "nvidia" not in runtimes and not shutil.which(HOOK):
        raise LabError(
            f"There is a {name}, but the Docker engine has no NVIDIA container toolkit.\n"
            f"Without it no container sees the GPU. {_WITHOUT}\n"
            "Install nvidia-container-toolkit, type `sudo nvidia-ctk runtime configure`, and restart docker."
        )
    return f"{name}, driver {driver}"


def cuda_of_lock() -> int:
    """The CUDA that the GPU locks' torch is built for, read from the lock that brings its runtime."""
    lock = (places.IMAGES / "grpo" / "gpu.lock").read_text()
    found = re.search(r"^nvidia-cuda-runtime(?:-cu\d+)?==(\d+)\.", lock, re.MULTILINE)
    assert found, "images/grpo/gpu.lock pins no CUDA runtime"
    return int(found[1])


def _driver() -> tuple[str, str]:
    """The name of the first GPU, and the driver's version."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        raise LabError(
            "No NVIDIA driver is installed here (there is no `nvidia-smi`).\n"
            f"It is what reaches the GPU, so none is used. {_WITHOUT}\n"
            "Where there is a GPU: install NVIDIA's driver, then type the same command again."
        )
    asked = ["--query-gpu=name,driver_version", "--format=csv,noheader"]
    told = subprocess.run([tool, *asked], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    found = re.match(r"(.+), (\d+[\d.]*)$", told.stdout.strip().splitlines()[0]) if told.stdout.strip() else None
    if told.returncode or not found:
        said = " ".join((told.stdout + told.stderr).split())[:200] or "nothing"
        raise LabError(
            f"The NVIDIA driver does not answer: `nvidia-smi` ended with {told.returncode} and said: {said}.\n"
            f"It is what reaches the GPU, so none is used. {_WITHOUT}\n"
            "After an update of the driver restart the machine; else install the driver anew."
        )
    return found[1], found[2]
