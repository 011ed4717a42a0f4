"""Reading a lab: what is right is read, what is wrong is named with its place, a reason and a remedy."""

from pathlib import Path

import pytest

from labs.kit import catalogue
from labs.kit.errors import LabError
from labs.kit.plan import recipes
from tests.kit.folders import THEORY, TOML, write_lab

BROKEN = {
    "syntax error": (TOML.replace("seeds = 5", "seeds = = 5"), "is not TOML"),
    "unknown key of a lab": (TOML.replace("seeds = 5", "sedes = 5"), "Is 'seeds' meant?"),
    "unknown key of a claim": (TOML.replace("within =", "witihn ="), "Is 'within' meant?"),
    "missing key": (TOML.replace('unit = "reward"\n', ""), "lacks 'unit'"),
    "no claim": (TOML.partition("[claims.")[0], "lacks '[claims.…]'"),
    "missing control": (TOML.replace('control = "lossy"', 'control = "none"'), "names the control 'none'"),
    "no control at all": (TOML.replace('control = "lossy"\n', ""), "lacks 'control'"),
    "within of nothing": (TOML.replace("within = 0.05", "within = 0"), "is not a positive number"),
    "negative within": (TOML.replace("within = 0.05", 'within = "-2%"'), "is not a positive number"),
    "relation nobody knows": (TOML.replace('"equals"', '"equal"'), "is not one of: equals"),
    "number of the wrong type": (TOML.replace("seeds = 5", 'seeds = "five"'), "is not one of: int"),
    "variant with a stranger's number": (TOML.replace("lost = 0.5", "lots = 0.5"), "Is 'lost' meant?"),
    "headline that is no variant": (TOML + 'variant = "fiar"\n', "Is 'fair' meant?"),
    "preset with a variant nobody has": (TOML.replace("seeds = 2", 'seeds = 2\nvariants = ["x"]'), "is not a variant"),
    "difference from itself": (TOML + 'against = "fair"\n', "does not differ from itself"),
    "number where a table belongs": (TOML.replace("[variants.fair]", "[variants]\nfair = 3"), "is not a table but 3"),
    "text where a table belongs": (
        TOML.replace("[setting]", '[claims]\nodd = "x"\n\n[setting]'),
        "not a table but 'x'",
    ),
    "text where a list belongs": (
        TOML.replace("seeds = 5", 'seeds = 5\nneeds = "urn"'),
        "is not one of: a list of str",
    ),
    "seeds of a preset in words": (TOML.replace("seeds = 2", 'seeds = "two"'), "[presets.quick] seeds = 'two'"),
    "number that is none": (TOML.replace("rate = 0.3", "rate = nan"), "is neither a finite number"),
    "table in the setting": (TOML.replace("rate = 0.3", "rate = {a = 1}"), "is neither a finite number"),
    "day in the setting": (TOML.replace("rate = 0.3", "rate = 2020-01-01"), "is neither a finite number"),
    "stack that is no text": (TOML.replace('stack = "tabular"', "stack = 3"), "is not one of: a list of str"),
    "variant that climbs out": (TOML.replace("[variants.fair]", '[variants."../x"]'), "that name cannot be used"),
    "endless seeds": (TOML.replace("seeds = 5", "seeds = 1000000000"), "10000 at most"),
    "within of everything": (TOML.replace("within = 0.05", "within = inf"), "is not a positive number"),
    "timeout of no number": (TOML.replace("seeds = 5", "seeds = 5\ntimeout = nan"), "must be positive"),
    "figure of nothing": (
        TOML + '\n[figures.x]\ntitle = "t"\nx = "x"\ny = "y"\nclaims = []\nvariants = ["fair"]\n',
        "needs a claim",
    ),
    "no seeds": (TOML.replace("seeds = 5", "seeds = 0"), "must be positive"),
}


def test_a_lab_is_read_whole(tmp_path: Path) -> None:
    lab = catalogue.read(write_lab(tmp_path))
    assert lab.id == "foundations/coin"
    assert lab.setting_of("lossy", "quick") == {"rate": 0.3, "flips": 1000, "lost": 0.5}
    assert lab.presets["full"].seeds == 5
    assert lab.claims["mean_reward"].variant == "fair"
    assert lab.claims["mean_reward"].variants == ("fair", "lossy")


@pytest.mark.parametrize(("toml", "said"), BROKEN.values(), ids=BROKEN)
def test_a_mistake_in_lab_toml_is_named(toml: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(LabError) as problem:
        catalogue.read(write_lab(tmp_path, toml=toml))
    assert said in str(problem.value)
    assert "lab.toml" in str(problem.value)
    assert len(str(problem.value).splitlines()) >= 3, "what and where, why it matters, what to type"


def test_a_number_with_a_point_in_one_place_has_one_in_all(tmp_path: Path) -> None:
    """Else an array made of the whole number cuts off what is added to it; seeds and flips stay what they are."""
    toml = (
        TOML.replace("lost = 0.0", "lost = 0")
        .replace("rate = 0.3", "rate = 1")
        .replace("seeds = 2", "seeds = 2\nrate = 0.5")
    )
    lab = catalogue.read(write_lab(tmp_path, toml=toml))
    told = {preset: lab.setting_of("fair", preset) for preset in lab.presets}
    assert [[value.__class__ for value in of.values()] for of in told.values()] == [[float, int, float]] * 2
    assert lab.presets["quick"].seeds.__class__ is int


def test_marks_and_line_ends_of_other_editors_change_nothing(tmp_path: Path) -> None:
    """A byte order mark, and lines that end as on Windows: read as the same lab, of the same recipe."""
    plain = catalogue.read(write_lab(tmp_path / "a"))
    folder = write_lab(tmp_path / "b")
    for name in ("lab.toml", "theory.py", "practice.py"):
        text = (folder / name).read_text()
        (folder / name).write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    other = catalogue.read(folder)
    assert other.claims == plain.claims
    assert recipes(other, "fair") == recipes(plain, "fair")


def test_a_claim_without_a_function_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="claim 'mean_reward' has no prediction"):
        catalogue.read(write_lab(tmp_path, theory=THEORY.replace("def mean_reward", "def mean_rewards")))


def test_a_function_without_a_claim_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"variance\(\) predicts no claim"):
        catalogue.read(write_lab(tmp_path, theory=THEORY + "\n\ndef variance() -> float:\n    return 1.0\n"))


def test_two_labs_of_one_name_are_refused(tmp_path: Path) -> None:
    write_lab(tmp_path)
    write_lab(tmp_path, name="validation/coin")
    with pytest.raises(LabError, match="Two labs are called 'coin'"):
        catalogue.find(tmp_path)


def test_labs_are_picked_by_mechanism_name_and_glob(tmp_path: Path) -> None:
    for name in ("foundations/coin", "foundations/die", "validation/urn"):
        write_lab(tmp_path, name=name)
    labs = catalogue.find(tmp_path)
    assert [lab.name for lab in catalogue.pick(["foundations"], labs)] == ["coin", "die"]
    assert [lab.name for lab in catalogue.pick(["urn", "*/c*"], labs)] == ["coin", "urn"]
    assert [lab.name for lab in catalogue.pick([], labs)] == ["coin", "die", "urn"]


def test_an_unknown_lab_or_claim_gets_the_near_name(tmp_path: Path) -> None:
    write_lab(tmp_path)
    labs = catalogue.find(tmp_path)
    with pytest.raises(LabError, match="Is 'coin' meant"):
        catalogue.pick(["cion"], labs)
    with pytest.raises(LabError, match="Is 'mean_reward' meant"):
        catalogue.pick_claim("coin/mean_rewrd", labs)


NEEDS = TOML.replace("seeds = 5", 'seeds = 5\nneeds = ["{}"]')


def test_a_lab_comes_after_those_that_it_needs(tmp_path: Path) -> None:
    """The learning path: without needs it is the alphabet that decides."""
    write_lab(tmp_path, name="foundations/arrival", toml=NEEDS.format("foundations/coin"))
    write_lab(tmp_path, name="foundations/coin")
    write_lab(tmp_path, name="foundations/dice")
    assert [lab.name for lab in catalogue.find(tmp_path)] == ["coin", "arrival", "dice"]


@pytest.mark.parametrize(("need", "said"), [("foundations/con", "Is 'foundations/coin' meant?"), ("{}", "in a circle")])
def test_needs_that_cannot_be_met_are_named(need: str, said: str, tmp_path: Path) -> None:
    write_lab(tmp_path, toml=NEEDS.format("foundations/dice"))
    write_lab(tmp_path, name="foundations/dice", toml=NEEDS.format(need.format("foundations/coin")))
    with pytest.raises(LabError, match=said):
        catalogue.find(tmp_path)


FIGURE = """
[figures.path]
title = "How it goes."
claims = ["mean_reward"]
variants = ["fair"]
x = "flips"
y = "reward"
along = "rate"
scale = "log-x"
window = [0, 300]
"""


def test_a_figure_is_read_whole(tmp_path: Path) -> None:
    figure = catalogue.read(write_lab(tmp_path, toml=TOML + FIGURE)).figures["path"]
    assert (figure.claims, figure.along, figure.scale, figure.window) == (("mean_reward",), "rate", "log-x", (0, 300))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("mean_reward", "mean_rewrad", "Is 'mean_reward' meant?"),
        ("fair", "fiar", "Is 'fair' meant?"),
        ('"rate"', '"rat"', "Is 'rate' meant?"),
        ("log-x", "log-z", "is not one of: linear"),
        ("[0, 300]", '["a"]', "is not one of"),
    ],
)
def test_a_mistake_in_a_figure_is_named(before: str, after: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(LabError) as problem:
        catalogue.read(write_lab(tmp_path, toml=TOML + FIGURE.replace(before, after)))
    assert said in str(problem.value)


def test_a_theory_that_cannot_be_parsed_is_named_by_whoever_needs_more_than_its_names(tmp_path: Path) -> None:
    """A list of all labs reads names alone, so that it takes no time; a recipe needs the code."""
    lab = catalogue.read(write_lab(tmp_path, theory=THEORY + "\n\nreturn (\n"))
    with pytest.raises(LabError, match=r"theory\.py: cannot be read"):
        recipes(lab, "fair")
