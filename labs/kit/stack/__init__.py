"""Stacks: pinned sets of packages. A folder of images/ each; its lock becomes a venv here, an image in containers.

Standard library alone, so that a bare machine makes its first venv with this code.
"""

from labs.kit.stack.building import build
from labs.kit.stack.elsewhere import hindrance
from labs.kit.stack.found import Stack, find, unused
from labs.kit.stack.kernel import kernelspec
from labs.kit.stack.locking import lock

__all__ = ["Stack", "build", "find", "hindrance", "kernelspec", "lock", "unused"]
