"""An engine that keeps images in containerd's store: the same digest twice, and labs handed on to it and from it."""

import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from labs.kit.containers import dated, images
from labs.kit.containers.daemon import daemon
from labs.kit.share import making
from labs.kit.stack import Stack
from tests.faults.engine import containerd_engine
from tests.images.conftest import STACKS, docker
from tests.images.sharing import gaplab, slim

pytestmark = pytest.mark.container

TWICE = os.environ.get("GAPLAB_TWICE", "database").split()
"""The images that are built twice; `make twice` does it with all, which takes up to an hour."""


@pytest.fixture(scope="module")
def files(lab_image: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """FILE@sha256:… of a lab's image, and of the same without its packages, as the machine's engine saves them."""
    folder = tmp_path_factory.mktemp("files")
    small = slim(lab_image, folder)
    found = {"whole": lab_image, "slim": small}
    made = {name: making.save(daemon().images.get(image), folder / f"{name}.tar") for name, image in found.items()}
    docker("image", "rm", "-f", small)
    return made


@pytest.fixture(scope="module")
def store(base_image: str, files: dict[str, str]) -> Iterator[str]:
    """Every command goes to that engine; yields where the machine's answers."""
    machine = docker("context", "inspect", "-f", "{{.Endpoints.docker.Host}}").stdout.strip()
    with containerd_engine() as own:
        own.take(base_image)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DOCKER_HOST", own.host)
            daemon.cache_clear()
            yield machine
    daemon.cache_clear()


def _built(target: str, *changed: str) -> tuple[str, Sequence[str]]:
    """The ID of an image built with every time stamp in 1970, and what was said meanwhile; it is gone again."""
    name, said = f"gaplab-test-twice-{target}", list[str]()
    stacks, others = ([Stack(target)], []) if target in STACKS else ([], [target])
    images.build(stacks, others, said.append, [f"{target}.tags={name}", *changed])
    made = docker("image", "inspect", "-f", "{{.Id}} {{.Created}}", name).stdout.split()
    docker("image", "rm", name)
    assert made[1] == "1970-01-01T00:00:00Z"
    return made[0], said


@pytest.mark.parametrize("target", TWICE)
def test_two_builds_without_cache_have_the_same_digest(
    store: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It vouches for every byte, so whoever builds the same parts can see that they are."""
    monkeypatch.setenv(dated.MOMENT, "0")
    first, _ = _built(target)
    again, said = _built(target, f"{target}.no-cache=true")
    steps = {line.split()[0] for line in said if re.search(r"^#\d+ \[.*\] RUN ", line)}
    assert steps, "no step is told"
    assert not steps & {line.split()[0] for line in said if line.endswith(" CACHED")}, "it was not built anew"
    assert first == again


def test_a_lab_is_verified_there_and_its_result_attached(
    store: str, files: dict[str, str], tmp_path: Path, home: Path
) -> None:
    """From a file that another kind of engine wrote."""
    grown = tmp_path / "grown.tar"
    done = gaplab("share", "verify", files["whole"], "--save", str(grown), home=home)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the very image of the digest given" in done.stdout
    assert "equal to the last bit in 3 of 3 seeds" in done.stdout
    assert f"attached: {grown}@sha256:" in done.stdout
    assert [image for image in daemon().images.list() if "org.gaplab.lab" in image.labels] == []


def test_a_lab_goes_from_one_kind_of_engine_to_the_other_and_back(
    store: str, files: dict[str, str], address: str, tmp_path: Path, home: Path
) -> None:
    """Through a registry and in a file, by the digest that each prints; its ID is another one in each."""
    loaded = gaplab("share", "load", files["slim"], home=home)
    assert loaded.returncode == 0, loaded.stderr
    what = loaded.stdout.splitlines()[0]
    assert what != files["slim"].partition("@")[2]
    image = daemon().images.get(what)
    ways = [making.push(image, f"{address}/me/there"), making.save(image, tmp_path / "back.tar")]
    docker("image", "rm", "-f", what)
    assert [way.partition("@")[2] for way in ways] == [what, what]
    for way in [*ways, files["slim"]]:
        for host in (os.environ["DOCKER_HOST"], store):
            shown = gaplab("share", "show", way, "--json", home=home, DOCKER_HOST=host)
            assert shown.returncode == 0, shown.stderr
            assert json.loads(shown.stdout)["digest"] is True
    pulled = gaplab("share", "pull", ways[0], home=home)
    assert pulled.stdout.splitlines()[0] == what, pulled.stderr
    docker("image", "rm", "-f", what)
