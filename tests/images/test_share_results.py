"""Results that others attach to a lab's image: they are read as strictly as the image itself."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labs.kit import catalogue, reference
from labs.kit.containers.daemon import daemon
from labs.kit.share import attached, manifest, quarantine, signature, telling
from tests.images.conftest import LAB
from tests.images.sharing import altered, manifest_of, new_key, refusal

pytestmark = [pytest.mark.container, pytest.mark.usefixtures("home")]

Change = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module")
def result(lab_image: str) -> dict[str, Any]:
    """The recorded trials, as somebody attaches them who measured the same numbers."""
    told = reference.load(catalogue.pick([LAB])[0])
    assert told
    said = manifest_of(lab_image)
    made: dict[str, Any] = json.loads(attached.encoded(said, "quick", manifest.rows_of(told, "quick")[:0]))
    rows = [row for row in manifest.rows_of(told, "quick") if row.seed < said["seeds"]["quick"]]
    made["trials"] = [{"variant": row.variant, "seed": row.seed, "numbers": dict(row.numbers)} for row in rows]
    return made


def _lines(folder: Path, told: object, name: str = "") -> list[str]:
    content = json.dumps(told).encode()
    name = name or f"{hashlib.sha256(content).hexdigest()}.json"
    (folder / name).write_bytes(content)
    return [f"COPY {name} /opt/gaplab/results/"]


def _shifted(result: dict[str, Any], by: float) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(json.dumps(result))
    for entry in told["trials"]:
        if "t_coverage" in entry["numbers"]:
            entry["numbers"]["t_coverage"] += by
    return told


def test_numbers_from_another_kind_of_machine_are_held_within_the_intervals(
    lab_image: str, result: dict[str, Any], tmp_path: Path
) -> None:
    """Slightly others are no difference there, and are one on the machine's own kind."""
    other = _shifted(result, 1e-9)
    other["cpu"] = {"model": "Another \x1b[2K", "machine": "x86_64"}
    with altered(lab_image, tmp_path, *_lines(tmp_path, other)) as what, quarantine.taken_in(what) as guest:
        lines = list(telling.shown(guest))
    head = next(line for line in lines if line.startswith("attached"))
    assert head == f"attached {result['day']}, unsigned: quick on Another ?[2K (x86_64)"
    assert any("same verdict (holds), within the intervals, equal to the last bit in 0 of 3" in line for line in lines)


def test_the_same_image_takes_one_result_after_another(lab_image: str, result: dict[str, Any], tmp_path: Path) -> None:
    """Signed by two, one of whom the reader knows; the image's own labels and command stay."""
    me, signers = new_key(tmp_path, "me@example.org")
    stranger, _ = new_key(tmp_path, "stranger@example.org")
    image = daemon().images.get(lab_image)
    first = manifest.encode(result)
    second = manifest.encode({**result, "day": "2001-01-01"})
    with attached.image_with(image, first, me) as one, attached.image_with(one, second, stranger) as two:
        assert two.labels == image.labels
        assert manifest_of(two.id) == manifest_of(lab_image)
        with quarantine.taken_in(two.id) as guest:
            assert all(found.signer.startswith("by SHA256:") for found in guest.results)
        path = tmp_path / "manifest.json"
        path.write_bytes(manifest.encode(guest.said))
        signature.sign(path, me)
        line = "COPY manifest.json.sig /opt/gaplab/"
        with altered(two.tags[0], tmp_path, line) as what, quarantine.taken_in(what, signers) as guest:
            told = {found.day: found.signer for found in guest.results}
    assert told[result["day"]] == "by me@example.org"
    assert told["2001-01-01"].endswith(f"whom {signers} does not name")


def test_other_numbers_are_told_as_different(lab_image: str, result: dict[str, Any], tmp_path: Path) -> None:
    with (
        altered(lab_image, tmp_path, *_lines(tmp_path, _shifted(result, -0.5))) as what,
        quarantine.taken_in(what) as guest,
    ):
        lines = list(telling.shown(guest))
    assert any("t_coverage t_5" in line and "was holds, is gap, different" in line for line in lines)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda told: told.update(manifest="0" * 64), "is of another image"),
        (lambda told: told.update(preset="gpu"), "its files cannot be read"),
        (lambda told: told["trials"].pop(), "does not hold each trial of quick once"),
        (lambda told: told["trials"].append(told["trials"][0]), "does not hold each trial of quick once"),
        (lambda told: told["trials"][0].update(numbers="many"), "its files cannot be read"),
        (lambda told: told.pop("cpu"), "its files cannot be read"),
    ],
    ids=["image", "preset", "hole", "twice", "numbers", "machine"],
)
def test_a_result_that_is_none_is_refused(
    lab_image: str, result: dict[str, Any], tmp_path: Path, change: Change, why: str
) -> None:
    told = json.loads(json.dumps(result))
    change(told)
    with altered(lab_image, tmp_path, *_lines(tmp_path, told)) as what:
        assert why in refusal(what).splitlines()[0]


def test_a_result_that_was_changed_afterwards_is_refused(
    lab_image: str, result: dict[str, Any], tmp_path: Path
) -> None:
    """By its name, which is its digest; and by its signature, where it was given a name that fits."""
    with altered(lab_image, tmp_path, *_lines(tmp_path, result, f"{'0' * 64}.json")) as what:
        assert "is not what its name says" in refusal(what).splitlines()[0]
    key, _ = new_key(tmp_path, "me@example.org")
    lines = _lines(tmp_path, result)
    name = lines[0].split()[1]
    (tmp_path / "before.json").write_text(json.dumps({**result, "day": "2001-01-01"}))
    signature.sign(tmp_path / "before.json", key)
    (tmp_path / "before.json.sig").rename(tmp_path / f"{name}.sig")
    with altered(lab_image, tmp_path, *lines, f"COPY {name}.sig /opt/gaplab/results/") as what:
        assert "altered: its signature does not fit" in refusal(what).splitlines()[0]
