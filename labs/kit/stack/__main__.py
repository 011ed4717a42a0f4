"""Build stacks from a Python without any: `python3.11 -m labs.kit.stack services`, as bootstrap.sh does."""

import sys

from labs.kit.errors import LabError
from labs.kit.stack import Stack, build


def main(names: list[str]) -> int:
    """Build the stacks and tell what uv does."""
    try:
        for name in names:
            build(Stack(name), tell)
    except LabError as problem:
        sys.stderr.write(f"gaplab: {problem}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("\ngaplab: stopped. Nothing half-made is left; type the same command to go on.\n")
        return 130
    return 0


def tell(line: str) -> None:
    """Print a line that uv printed, but not its list of packages."""
    if not line.startswith(" + "):
        sys.stdout.write(f"  {line.strip()}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
