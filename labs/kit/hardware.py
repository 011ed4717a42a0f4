"""Which class of machine made a number: the same class gives the same bits, another may not."""

import platform
from pathlib import Path

_VECTOR = ("sse4", "avx", "fma", "amx", "f16c")


def cpu() -> dict[str, object]:
    """CPU model, its vector instructions (kernels are chosen by them) and the architecture."""
    told = _first_cpu()
    model = told.get("model name", platform.processor() or "unknown")
    flags = sorted(flag for flag in told.get("flags", "").split() if flag.startswith(_VECTOR))
    return {"model": model, "flags": flags, "machine": platform.machine()}


def _first_cpu() -> dict[str, str]:
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return {}
    lines = path.read_text().split("\n\n")[0].splitlines()
    return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
