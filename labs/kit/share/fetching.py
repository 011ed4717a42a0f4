"""An image from elsewhere brought into this machine's engine: by digest from a registry, or out of a file."""

import re
from pathlib import Path
from typing import Any

from docker.errors import DockerException, ImageNotFound
from requests.exceptions import RequestException

from labs.kit.containers.daemon import daemon
from labs.kit.errors import LabError
from labs.kit.share.archive import image_of
from labs.kit.share.refusal import no_room, plain, refused

_BY_DIGEST = re.compile(r"(?P<name>.+)@(?P<digest>sha256:[0-9a-f]{64})")
_FULL = "no space left"
_BY_ID = re.compile("sha256:[0-9a-f]{64}")
_FILE = re.compile(r"[./~].*|.*\.(tar|gz|tgz)")
"""What nobody calls an image in a registry."""


def refuse_misnamed(what: str) -> None:
    """Raise LabError for what is neither a file nor an image by its digest; the engine is not asked."""
    named = _BY_DIGEST.fullmatch(what)
    name = named["name"] if named else what
    if Path(name).is_file():
        return
    if _FILE.fullmatch(name):
        raise LabError(
            f"{name}: there is no such file.\nNothing was fetched or verified.\n"
            "Look where it lies, and type its name as `gaplab share save` printed it."
        )
    if not (named or _BY_ID.fullmatch(what)):
        raise LabError(
            f"{what} is no file here, and names an image without its digest.\n"
            "Under a mere name anybody who may push there can put another image, at any time.\n"
            "Type NAME@sha256:… as `gaplab share push` printed it."
        )


def fetched(what: str) -> tuple[Any, bool]:
    """The image, and whether the caller named its digest, so that nobody can have changed it on its way.

    Of NAME@sha256:…, of sha256:… that `gaplab share pull` and `load` printed, or in FILE or FILE@sha256:…
    """
    named = _BY_DIGEST.fullmatch(what)
    path = Path(named["name"] if named else what)
    if path.is_file():
        return _loaded(path, named["digest"] if named else ""), bool(named)
    return _here(what) or _pulled(what), True


def _here(what: str) -> Any:
    try:
        return daemon().images.get(what)
    except ImageNotFound:
        return None


def _pulled(what: str) -> Any:
    if _BY_ID.fullmatch(what):
        raise LabError(
            f"{what[:19]} is not in this machine's engine.\nNothing was verified.\n"
            "Type `gaplab share pull NAME@sha256:…` or `gaplab share load FILE`: they print what is there then."
        )
    repository, digest = what.split("@")
    try:
        for line in daemon().api.pull(repository, digest, stream=True, decode=True):
            if "error" in line:
                raise _not_fetched(what, str(line["error"]))
        return daemon().images.get(what)
    except (DockerException, RequestException) as problem:
        raise _not_fetched(what, str(getattr(problem, "explanation", None) or problem)) from problem


def _not_fetched(what: str, why: str) -> LabError:
    if _FULL in why:
        return no_room(what, "where the engine keeps its images")
    return LabError(
        f"{what} could not be fetched: {plain(why)}.\nNothing was verified.\n"
        "Look whether the registry answers, holds that digest, and lets you in (`docker login REGISTRY`)."
    )


def _loaded(path: Path, wanted: str) -> Any:
    found = image_of(path)
    digests = (found.config, found.manifest)
    if wanted and wanted not in digests:
        raise refused(path, f"it holds image {' or '.join(one[:19] for one in digests)}, not {wanted[:19]}")
    try:
        with path.open("rb") as file:
            loaded = daemon().images.load(file)
    except (DockerException, RequestException) as problem:
        said = str(getattr(problem, "explanation", None) or problem)
        if _FULL in said:
            raise no_room(path, "where the engine keeps its images") from problem
        raise refused(path, f"the engine does not take it: {said}") from problem
    if len(loaded) != 1 or loaded[0].id not in digests:
        raise refused(path, "the engine reads another image in it than stands in its list")
    return loaded[0]
