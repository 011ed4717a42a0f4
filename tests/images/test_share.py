"""A lab handed on through a real registry and through a file, and run in its image without network."""

import hashlib
import json
from pathlib import Path

import pytest

from labs.kit import catalogue, places
from labs.kit.containers.daemon import daemon
from labs.kit.share import making, manifest
from labs.kit.stack import Stack
from tests.images.conftest import LAB, docker
from tests.images.registry import registry
from tests.images.sharing import altered, gaplab, lab_images, lines_of, manifest_of, new_key, slim

pytestmark = pytest.mark.container

ME, YOU = "me@example.org", "you@example.org"


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The keys of two people, and under `signers` a file that names both."""
    folder = tmp_path_factory.mktemp("keys")
    made = {owner: new_key(folder, owner) for owner in (ME, YOU)}
    (folder / "signers").write_text("".join(signers.read_text() for _, signers in made.values()))
    return {**{owner: key for owner, (key, _) in made.items()}, "signers": folder / "signers"}


@pytest.fixture(scope="session")
def pushed(address: str, keys: dict[str, Path], lab_image: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """NAME@sha256:… as the command prints it; signed, and gone from this engine."""
    words = ("share", "push", LAB, f"{address}/me/intervals", "--key", str(keys[ME]))
    done = gaplab(*words, home=tmp_path_factory.mktemp("home"))
    assert done.returncode == 0, done.stderr
    docker("image", "rm", making.tag_of(catalogue.pick([LAB])[0], Stack("tabular")))
    what = done.stdout.splitlines()[0]
    assert docker("image", "inspect", what, check=False).returncode
    return what


@pytest.fixture(scope="session")
def grown(
    address: str, pushed: str, keys: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[str], str]:
    """What verify prints, line by line, and NAME@sha256:… of the image with that result attached."""
    home = tmp_path_factory.mktemp("home")
    words = ("--signers", str(keys["signers"]), "--push", f"{address}/you/intervals", "--key", str(keys[YOU]))
    before = lab_images()
    done = gaplab("share", "verify", pushed, *words, home=home)
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(home.iterdir()) == [], "trials of somebody else's image stay"
    assert lab_images() == before, "an image stays"
    assert docker("ps", "-aq", "--filter", f"label=org.gaplab.home={home}").stdout == ""
    *told, last = done.stdout.splitlines()
    assert last.startswith("With this machine's result attached: ")
    return told, last.split()[-1]


def test_what_was_pushed_gives_the_same_bits_where_it_is_fetched(grown: tuple[list[str], str]) -> None:
    """And nothing of it stays: no image, no container, no trial among the reader's own."""
    first, second, *claims = grown[0]
    assert first == f"signed by {ME}; the very image of the digest given"
    assert second.startswith(f"{LAB}, stack tabular ({Stack('tabular').digest[:12]}), recorded on ")
    lab = catalogue.pick([LAB])[0]
    assert [line.split()[0] for line in claims] == [f"intervals/{name}" for name in lab.claims]
    assert all("same verdict (holds), equal to the last bit in 3 of 3 seeds" in line for line in claims)


def test_a_result_that_was_attached_stands_beside_the_first(
    grown: tuple[list[str], str], keys: dict[str, Path], home: Path
) -> None:
    """Whose machine, which verdicts: worked out again from the numbers that it carries."""
    done = gaplab("share", "show", grown[1], "--signers", str(keys["signers"]), home=home)
    assert done.returncode == 0, done.stderr
    first, _, *lines = done.stdout.splitlines()
    assert first.startswith(f"signed by {ME}; ")
    claims = catalogue.pick([LAB])[0].claims
    recorded, attached, again = lines[: len(claims)], lines[len(claims)], lines[len(claims) + 1 :]
    assert all("holds (full), holds (quick)" in line for line in recorded)
    assert f", signed by {YOU}: quick on " in attached
    assert again == grown[0][2:]


def test_what_was_pulled_or_loaded_is_shown_without_where_it_came_from(
    lab_image: str, tmp_path: Path, home: Path
) -> None:
    """By its ID, which is printed, from then on."""
    image, claims = daemon().images.get(slim(lab_image, tmp_path)), set(catalogue.pick([LAB])[0].claims)
    file = making.save(image, tmp_path / "lab.tar.gz")
    (tmp_path / "kept").mkdir()
    with registry(tmp_path / "kept") as address:
        ways = [("pull", making.push(image, f"{address}/me/slim")), ("load", file.partition("@")[0])]
        docker("image", "rm", "-f", image.id)
        for verb, source in ways:
            done = gaplab("share", verb, source, home=home)
            assert done.returncode == 0, done.stderr
            what, _, first, *_ = done.stdout.splitlines()
            assert what == image.id
            assert first.startswith("unsigned: ")
            assert ("no digest was given" in first) == ("@" not in source)
            shown = json.loads(gaplab("share", "show", what, "--json", home=home).stdout)
            assert set(shown["manifest"]["claims"]) == claims
            assert (shown["image"], shown["digest"], shown["results"]) == (what, True, [])
            docker("image", "rm", "-f", what)
    gone = gaplab("share", "show", image.id, home=home)
    assert gone.returncode == 2
    assert "is not in this machine's engine" in gone.stderr


def test_labels_say_what_the_manifest_says(lab_image: str) -> None:
    """So that a registry, or `docker image inspect`, shows claims and verdicts before anything is fetched."""
    labels = json.loads(docker("image", "inspect", "-f", "{{json .Config.Labels}}", lab_image).stdout)
    said = manifest_of(lab_image)
    lab = catalogue.pick([LAB])[0]
    assert labels["org.gaplab.lab"] == said["lab"] == LAB
    assert json.loads(labels["org.gaplab.claims"]) == sorted(lab.claims)
    assert json.loads(labels["org.gaplab.verdicts"])["quick"]["t_coverage t_5"] == "holds"
    assert json.loads(labels["org.gaplab.seeds"]) == {"full": 5, "quick": 3}
    assert json.loads(labels["org.gaplab.recipe"]) == said["recipes"]
    assert json.loads(labels["org.gaplab.hardware"]) == said["cpu"]
    assert labels["org.gaplab.stack-digest"] == said["stack"]["lock"] == Stack("tabular").digest
    assert labels[manifest.DIGEST] == hashlib.sha256(manifest.encode(said)).hexdigest()


def test_a_name_without_its_digest_is_refused(pushed: str, home: Path) -> None:
    done = gaplab("share", "verify", pushed.partition("@")[0], home=home)
    assert done.returncode == 2
    assert "names an image without its digest" in done.stderr


def test_a_digest_that_the_registry_does_not_hold_is_refused(pushed: str, home: Path) -> None:
    done = gaplab("share", "pull", pushed.partition("@")[0] + "@sha256:" + "0" * 64, home=home)
    assert done.returncode == 2
    assert "could not be fetched" in done.stderr
    assert len(done.stderr.splitlines()) == 3


def test_a_push_that_nobody_answers_is_told(lab_image: str, home: Path) -> None:
    done = gaplab("share", "push", LAB, "127.0.0.1:1/me/intervals", home=home)
    assert done.returncode == 2
    assert "could not be pushed to 127.0.0.1:1/me/intervals" in done.stderr
    assert len(done.stderr.splitlines()) == 3


def test_a_lab_that_gives_other_numbers_is_told_with_exit_code_1(lab_image: str, tmp_path: Path, home: Path) -> None:
    """The image is in order; what is measured in it is still not what was recorded."""
    practice = (places.labs() / LAB / "practice.py").read_text()
    (tmp_path / "practice.py").write_text(practice.replace("default_rng(seed)", "default_rng(seed + 7)"))
    said = manifest_of(lab_image)
    said["files"][f"labs/{LAB}/practice.py"] = hashlib.sha256((tmp_path / "practice.py").read_bytes()).hexdigest()
    with altered(lab_image, tmp_path, f"COPY practice.py /gaplab/labs/{LAB}/", *lines_of(tmp_path, said)) as what:
        done = gaplab("share", "verify", what, "--json", home=home)
    assert done.returncode == 1, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert (told["image"], told["signed"], told["digest"]) == (what, "", True)
    assert {(claim["agreement"], claim["equal"]) for claim in told["claims"]} == {("different", 0)}


def test_a_lab_travels_in_one_file(tmp_path: Path, home: Path, keys: dict[str, Path]) -> None:
    """The fuller preset is run as well."""
    done = gaplab("share", "save", LAB, str(tmp_path / "lab.tar"), "--key", str(keys[ME]), home=home)
    assert done.returncode == 0, done.stderr
    what = done.stdout.splitlines()[0]
    assert what.startswith(f"{tmp_path}/lab.tar@sha256:")
    docker("image", "rm", making.tag_of(catalogue.pick([LAB])[0], Stack("tabular")))
    words = ("--preset", "full", "--signers", str(keys["signers"]))
    verified = gaplab("share", "verify", what, *words, home=home)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert verified.stdout.startswith(f"signed by {ME}; the very image of the digest given")
    assert "in 5 of 5 seeds" in verified.stdout


def test_a_preset_that_was_not_recorded_is_refused(lab_image: str, home: Path) -> None:
    what = docker("image", "inspect", "-f", "{{.Id}}", lab_image).stdout.strip()
    done = gaplab("share", "verify", what, "--preset", "gpu", home=home)
    assert done.returncode == 2
    assert "was recorded for full, quick, not for gpu" in done.stderr
