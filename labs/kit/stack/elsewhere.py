"""Whether a lock can be installed on another platform than the one that it was made for."""

import tempfile
from pathlib import Path

from labs.kit.errors import LabError
from labs.kit.stack import uv
from labs.kit.stack.found import Stack

_TRY = (
    *("pip", "install", "--dry-run", "--require-hashes", "--no-deps", "--only-binary", ":all:"),
    *("--python-version", "3.11"),
)


def hindrance(stack: Stack, platform: str) -> str:
    """What uv says against it; empty where every package of the lock has a wheel for the platform. Installs nothing."""
    links = uv.find_links(stack.lock, stack.device)
    with tempfile.TemporaryDirectory() as folder:
        words: list[str | Path] = [
            *_TRY,
            "--python-platform",
            platform,
            *links,
            "--target",
            Path(folder),
            "-r",
            stack.lock,
        ]
        said: list[str] = []
        try:
            uv.run(words, stack.lock, said.append)
        except LabError as problem:
            reasons = [line.partition("cause:")[2].strip() for line in said if "cause:" in line]
            if not reasons:
                raise LabError(
                    f"uv could not say whether {stack.lock} fits {platform} ({' '.join(said)[:200]}).\n"
                    "So nothing is known about it; no lock was changed.\n"
                    "Type a platform as uv names them: gaplab stack lock --platform aarch64-manylinux_2_28"
                ) from problem
            return reasons[-1]
    return ""
