"""A lab handed on through a real registry and through a file, and run in its image without network."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from labs.kit import catalogue, places
from labs.kit.share import making, quarantine, telling
from labs.kit.stack import Stack
from tests.images.conftest import LAB, docker
from tests.images.sharing import lines_of, manifest_of, new_key, pushed_from

pytestmark = pytest.mark.container


def gaplab(*words: str, home: Path) -> "subprocess.CompletedProcess[str]":
    """The command, with a home of its own."""
    env = {**os.environ, "GAPLAB_HOME": str(home), "PYTHONPATH": str(places.ROOT)}
    command = [sys.executable, "-m", "labs.kit.cli", *words]
    return subprocess.run(command, cwd=places.ROOT, env=env, capture_output=True, text=True)


@pytest.fixture(scope="module")
def pushed(address: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """NAME@sha256:… as the command prints it; the image itself is gone from this engine."""
    name = f"{address}/me/intervals"
    done = gaplab("share", "push", LAB, name, home=tmp_path_factory.mktemp("home"))
    assert done.returncode == 0, done.stderr
    built = making.name_of(catalogue.pick([LAB])[0], Stack("tabular"))
    docker("image", "rm", f"{name}:latest", built)
    return done.stdout.splitlines()[0]


def test_what_was_pushed_gives_the_same_bits_where_it_is_fetched(pushed: str, home: Path) -> None:
    done = gaplab("share", "verify", pushed, home=home)
    assert done.returncode == 0, done.stdout + done.stderr
    first, second, *claims = done.stdout.splitlines()
    assert first == "unsigned: nothing says who made it; the very image of the digest given"
    assert second.startswith(f"{LAB}, stack tabular ({Stack('tabular').digest[:12]}), recorded on ")
    lab = catalogue.pick([LAB])[0]
    assert [line.split()[0] for line in claims] == [f"intervals/{name}" for name in lab.claims]
    assert all("same verdict (holds), equal to the last bit in 3 of 3 seeds" in line for line in claims)


def test_verification_leaves_nothing_behind(pushed: str, home: Path) -> None:
    """No image, no container, no trial among the reader's own."""
    told = json.loads(gaplab("share", "verify", pushed, "--json", home=home).stdout)
    assert {claim["agreement"] for claim in told["claims"]} == {"equal to the last bit"}
    assert told["digest"]
    assert docker("image", "inspect", told["image"], check=False).returncode
    assert docker("ps", "-aq", "--filter", f"ancestor={told['image']}", check=False).stdout == ""
    assert list(home.iterdir()) == []


def test_a_name_without_its_digest_is_refused(pushed: str, home: Path) -> None:
    done = gaplab("share", "verify", pushed.partition("@")[0], home=home)
    assert done.returncode == 2
    assert "names an image without its digest" in done.stderr


def test_a_digest_that_the_registry_does_not_hold_is_refused(pushed: str, home: Path) -> None:
    done = gaplab("share", "verify", pushed.partition("@")[0] + "@sha256:" + "0" * 64, home=home)
    assert done.returncode == 2
    assert "could not be fetched" in done.stderr
    assert len(done.stderr.splitlines()) == 3


def test_a_push_that_nobody_answers_is_told(home: Path) -> None:
    done = gaplab("share", "push", LAB, "127.0.0.1:1/me/intervals", home=home)
    assert done.returncode == 2
    assert "could not be pushed to 127.0.0.1:1/me/intervals" in done.stderr
    assert len(done.stderr.splitlines()) == 3
    docker("image", "rm", "127.0.0.1:1/me/intervals:latest")


def test_a_lab_that_gives_other_numbers_is_told_with_exit_code_1(
    lab_image: str, address: str, tmp_path: Path, home: Path
) -> None:
    """The image is in order and its maker known; what is measured in it is still not what was recorded."""
    key, signers = new_key(tmp_path, "me@example.org")
    practice = (places.labs() / LAB / "practice.py").read_text()
    (tmp_path / "practice.py").write_text(practice.replace("default_rng(seed)", "default_rng(seed + 7)"))
    said = manifest_of(lab_image)
    said["files"][f"labs/{LAB}/practice.py"] = hashlib.sha256((tmp_path / "practice.py").read_bytes()).hexdigest()
    lines = [f"COPY practice.py /gaplab/labs/{LAB}/", *lines_of(tmp_path, said, key)]
    what = pushed_from(lab_image, f"{address}/me/other", tmp_path, *lines)
    done = gaplab("share", "verify", what, "--signers", str(signers), home=home)
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout.startswith("signed by me@example.org; the very image of the digest given")
    assert "different, equal to the last bit in 0 of 3 seeds" in done.stdout


def test_a_lab_travels_in_one_file(tmp_path: Path, home: Path) -> None:
    """Signed; with the digest in hand, and without."""
    key, signers = new_key(tmp_path, "me@example.org")
    done = gaplab("share", "save", LAB, str(tmp_path / "lab.tar.gz"), "--key", str(key), home=home)
    assert done.returncode == 0, done.stderr
    what = done.stdout.splitlines()[0]
    assert what.startswith(f"{tmp_path}/lab.tar.gz@sha256:")
    verified = gaplab("share", "verify", what, "--signers", str(signers), home=home)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert verified.stdout.startswith("signed by me@example.org; the very image of the digest given")
    with quarantine.taken_in(what.partition("@")[0]) as guest:
        assert "no digest was given" in next(telling.head(guest))
