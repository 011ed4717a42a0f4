"""Prints what the locks of several stacks have in common: the layer that their images share.

python3 shared.py cpu torch.in     every package that all stacks built on torch.in pin to the same version and hashes
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent


def built_on(requirements: Path, shared: Path) -> bool:
    """Whether a requirements file includes another one, directly or through a third."""
    included = [line.split()[1] for line in requirements.read_text().splitlines() if line.startswith("-r ")]
    paths = [(requirements.parent / name).resolve() for name in included]
    return shared in paths or any(built_on(path, shared) for path in paths)


def packages(lock: Path) -> list[str]:
    """Each package with its hashes, as one text."""
    return lock.read_text().replace("\\\n", "\\\0").splitlines()


def main(device: str, shared: str) -> None:
    """Print a lock."""
    stacks = [path for path in sorted(HERE.glob("*/requirements.in")) if built_on(path, HERE / shared)]
    locks = [packages(path.with_name(f"{device}.lock")) for path in stacks]
    common = [package for package in locks[0] if all(package in lock for lock in locks)]
    sys.stdout.write("\n".join(common).replace("\0", "\n") + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
