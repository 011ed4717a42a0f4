"""The images of the stacks: built by bake from the locks that the venvs are made from, with this machine's settings."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from docker.errors import ImageNotFound

from labs.kit import catalogue, places
from labs.kit.containers import dated
from labs.kit.containers.daemon import daemon
from labs.kit.errors import LabError
from labs.kit.recipe import recipe
from labs.kit.stack import Stack, uv

DIGEST = "org.gaplab.stack-digest"
"""The label that holds the digest of the lock that an image was made from."""
RECIPE = "org.gaplab.recipe"
"""The label that holds one number for the recipes of all labs in an image: as long as it stands, none is stale."""
_BAKE = ("buildx", "bake", "-f", "images/docker-bake.hcl", "--progress", "plain")


def name_of(stack: Stack) -> str:
    """What its image is called here."""
    return f"gaplab-{stack.name}:{stack.device}"


def id_of(stack: Stack) -> str:
    """The digest by which the engine knows the image that it has under that name."""
    return str(daemon().images.get(name_of(stack)).id)


def is_built(stack: Stack) -> bool:
    """Whether there is an image of this very lock."""
    try:
        return bool(daemon().images.get(name_of(stack)).labels.get(DIGEST) == stack.digest)
    except ImageNotFound:
        return False


def build(
    stacks: Sequence[Stack],
    others: Sequence[str] = (),
    on_line: uv.Told = lambda line: None,
    changed: Sequence[str] = (),
) -> None:
    """Build the images of the stacks, and other targets of the bake file. What has not changed costs a second.

    `changed` are settings over the bake file's, as its --set takes them.
    """
    daemon()
    if not (tool := shutil.which("docker")):
        raise LabError(
            "There is an engine, but no `docker` command on PATH.\n"
            "Its `buildx` part is what builds images.\n"
            "Install docker-cli and docker-buildx (Debian), or Docker Desktop, and type the same command again."
        )
    labels = [f"{stack.name}.args.STACK_DIGEST={stack.digest}" for stack in stacks]
    labels += [f"{stack.name}.args.RECIPE={recipe_of(stack)}" for stack in stacks if stack.for_labs]
    targets = [*[stack.name for stack in stacks], *others]
    device = stacks[0].device if stacks else places.device()
    with dated.outputs(tool, targets) as outputs:
        told = [f"*.args.REVISION={_revision()}", *labels, *changed, *outputs]
        code, said = _bake(tool, device, told, targets, on_line)
        if code:
            raise _failed(stacks, said)


def _bake(
    tool: str, device: str, told: Sequence[str], targets: Sequence[str], on_line: uv.Told
) -> tuple[int, Sequence[str]]:
    """Its exit code, and what it said."""
    said = []
    with subprocess.Popen(
        [tool, *_BAKE, *(part for setting in told for part in ("--set", setting)), *targets],
        cwd=places.ROOT,
        env=environment(device),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in filter(None, map(str.rstrip, process.stdout or ())):
            said.append(line)
            on_line(line)
    return process.returncode, said


def environment(device: str | None = None) -> Mapping[str, str]:
    """What the bake file asks for: uv's certificates, index and wheels, as they are set up on this machine."""
    device = device or places.device()
    # no attestations: they name the second of the build, and would make an image's ID that of a list around it
    env = {"BUILDX_NO_DEFAULT_ATTESTATIONS": "1", **os.environ, "GAPLAB_DEVICE": device}
    set_up = uv.environment()
    if (bundle := set_up.get("SSL_CERT_FILE")) and Path(bundle).is_file():
        env.setdefault("GAPLAB_CA", bundle)
    if index := set_up.get("UV_DEFAULT_INDEX"):
        env.setdefault("UV_DEFAULT_INDEX", index)
    links = uv.find_links(None, device)[1::2]
    if links and Path(links[0]).is_dir():
        env.setdefault("GAPLAB_WHEELS", links[0])
        env.setdefault("GAPLAB_FIND_LINKS", "/wheels")  # for compose; the bake file sees to it by itself
    elif links:
        env.setdefault("GAPLAB_FIND_LINKS", links[0])
    return env


def recipe_of(stack: Stack) -> str:
    """One number for the recipes of the labs that run in the stack, every variant as `full` runs it."""
    labs = [lab for lab in catalogue.find(places.ROOT / "labs") if stack.name in lab.stacks]
    told = [
        recipe(lab, lab.setting_of(name, "full"), stack.name, stack.device) for lab in labs for name in lab.variants
    ]
    return hashlib.sha256(" ".join(told).encode()).hexdigest()[:16]


def _revision() -> str:
    asked = ["git", "-C", str(places.ROOT), "rev-parse", "HEAD"]
    try:
        found = subprocess.run(asked, capture_output=True, text=True, check=False)
    except FileNotFoundError:  # a checkout can be used without git
        return "unknown"
    return found.stdout.strip() or "unknown"


def _failed(stacks: Sequence[Stack], said: Sequence[str]) -> LabError:
    whole, names = " ".join(said).lower(), ", ".join(name_of(stack) for stack in stacks) or "The images"
    errors = [line for line in said if "error:" in line.lower()]
    last = (errors or said or ["bake ended without a word"])[-1]
    remedy = "What was printed above says why; then type the same command again."
    if "no space left" in whole:
        remedy = "Make room (`docker builder prune`, `docker image prune`) and type the same command again."
    elif "failed to resolve source metadata" in whole:
        remedy = (
            "No image registry can be reached: make a base image from Debian's packages (`images/engine/base.sh "
            "gaplab-debian`), set GAPLAB_BASE_IMAGE=gaplab-debian, and type the same command again."
        )
    return LabError(f"{names} could not be built ({last.strip()}).\nNothing half-made is left.\n{remedy}")
