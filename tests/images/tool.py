"""The docker command."""

import os
import subprocess

from labs.kit import places


def docker(*arguments: str, check: bool = True, **told: str) -> "subprocess.CompletedProcess[str]":
    """Run it, its environment with what is told."""
    done = subprocess.run(
        ["docker", *arguments], cwd=places.ROOT, env={**os.environ, **told}, capture_output=True, text=True
    )
    assert done.returncode == 0 or not check, done.stderr
    return done
