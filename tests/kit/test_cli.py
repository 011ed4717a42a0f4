"""What a mistyped command gets: the near name, why nothing was done, what to type; and exit code 2."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from labs.kit import catalogue, cli, places, reference
from labs.kit.clean import WHAT
from tests.kit.folders import write_lab

NOTHING = '{"format": 1, "stack": {"name": "tabular", "lock": ""}, "cpu": {}, "recipes": {}, "trials": []}'
"""A reference of no trials."""


@pytest.fixture
def labs(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two labs, foundations/coin and foundations/dice, and nothing recorded."""
    monkeypatch.setenv("GAPLAB_LABS", str(home / "labs"))
    write_lab(home / "labs")
    write_lab(home / "labs", "foundations/dice")
    return home / "labs"


def _typed(line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """The exit code, and what stands on stderr."""
    monkeypatch.setattr(sys, "argv", ["gaplab", *line.split()])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0), capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "near"),
    [
        ("show coim", "Is 'coin' meant?"),
        ("show coin/mean_rewart", "Is 'mean_reward' meant?"),
        ("check foundation/coin", "Is 'foundations/coin' meant?"),
        ("run coin --variant lossi", "Is 'lossy' meant?"),
        ("run coin --preset quik", "Is 'quick' meant?"),
        ("run coin --engine proces", "Is 'process' meant?"),
        ("verify coim", "Is 'coin' meant?"),
        ("record coim", "Is 'coin' meant?"),
        ("new foundation/urn", "Is 'foundations' meant?"),
        ("stack build tabula", "Is 'tabular' meant?"),
        ("clean trails", "Is 'trials' meant?"),
        ("gaps --mechanism foundation", "Is 'foundations' meant?"),
        ("show found*", "names 2 labs"),
        ("new foundations/class", "no word of Python's own"),
        (f"new foundations/{'x' * 300}", "is not a name for a lab"),
        (f"run {'x' * 5000}", "No lab is called"),
    ],
)
def test_a_misspelt_name_gets_the_near_one_and_nothing_is_done(
    line: str, near: str, labs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = _typed(line, monkeypatch, capsys)
    assert code == 2
    assert said.startswith("gaplab: ")
    assert near in said
    assert "Traceback" not in said
    assert len(said) < 1000
    assert not places.trials().exists()


def test_a_misspelt_verb_gets_the_near_one(
    labs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = _typed("shwo coin", monkeypatch, capsys)
    assert code == 2
    assert "Did you mean 'show'?" in said
    assert "Traceback" not in said


def test_files_that_are_no_text_are_told_and_hide_no_other_lab(
    labs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A broken link where the new lab should stand; then a reference and a README of mere bytes."""
    (labs / "foundations/urn").symlink_to("/nowhere")
    assert _typed("new foundations/urn", monkeypatch, capsys)[0] == 2
    for name in ("reference.json", "README.md"):
        (labs / "foundations/coin" / name).write_bytes(b"\xff\xfe")
    cli.app(["list"], standalone_mode=False)
    assert "foundations/dice" in capsys.readouterr().out
    code, said = _typed("show coin", monkeypatch, capsys)
    assert (code, "reference.json: cannot be read" in said) == (2, True)
    (labs / "foundations/coin/reference.json").unlink()
    assert "Traceback" not in _typed("check coin", monkeypatch, capsys)[1]


def test_a_folder_that_python_cannot_import_is_no_lab(
    labs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a file manager's copy is: its notebook could not import it."""
    (labs / "foundations/dice").rename(labs / "foundations/dice (copy)")
    code, said = _typed("list", monkeypatch, capsys)
    assert code == 2
    assert "dice (copy): no lab can have that name" in said


def test_seeds_without_end_are_refused_before_any_trial_is_planned(
    labs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A thousand million of them would fill the memory before the first trial began."""
    code, said = _typed("run coin --seeds 1000000000", monkeypatch, capsys)
    assert code == 2
    assert "10000" in said


def test_a_verification_that_was_stopped_says_that_it_begins_anew(
    labs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its trials lie in a folder of their own, which goes with it: to promise more would be untrue."""

    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("labs.kit.verify.run", stopped)
    reference.path(catalogue.read(labs / "foundations/coin")).write_text(NOTHING)
    code, said = _typed("verify coin", monkeypatch, capsys)
    assert code == 130
    assert "begins anew" in said
    assert "Nothing is lost" not in said
    assert not list(places.home().glob("verify-*"))


def test_a_device_that_nobody_has_is_told_with_those_there_are(
    labs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GAPLAB_DEVICE", "tpu")
    for line in ("run coin", "show coin"):
        code, said = _typed(line, monkeypatch, capsys)
        assert code == 2
        assert "tpu" in said
        assert "GAPLAB_DEVICE to cpu or gpu" in said


@pytest.mark.parametrize("line", ["up coin", "verify coin"])
def test_a_home_that_cannot_be_made_is_told_in_three_sentences(
    line: str, labs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GAPLAB_HOME", "/proc/gaplab")
    reference.path(catalogue.read(labs / "foundations/coin")).write_text(NOTHING)
    code, said = _typed(line, monkeypatch, capsys)
    assert code == 2
    assert "/proc/gaplab cannot be written" in said
    assert len(said.strip().splitlines()) == 3


def test_who_only_looks_writes_nothing(
    labs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a home that can only be read, verdicts and services are shown all the same."""
    monkeypatch.setenv("GAPLAB_HOME", "/proc/gaplab")
    for words in (["show", "coin/mean_reward"], ["status"]):
        monkeypatch.setattr(sys, "argv", ["gaplab", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert not ended.value.code
    assert "/claim?claim=foundations/coin/mean_reward" in capsys.readouterr().out


def test_a_file_that_is_missing_is_named(
    labs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (labs / "foundations/coin/practice.py").unlink()
    code, said = _typed("show coin", monkeypatch, capsys)
    assert code == 2
    assert "practice.py: cannot be read: " in said


def test_without_any_lab_the_list_says_how_to_begin(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GAPLAB_LABS", str(home / "nothing"))
    cli.app(["list"], standalone_mode=False)
    assert "Type: gaplab new foundations/coin_flips" in capsys.readouterr().out


def test_the_list_imports_nothing_that_takes_longer_than_itself() -> None:
    code = (
        "import sys; from labs.kit import cli; sys.argv = ['gaplab', 'list', '--json']\n"
        "try: cli.main()\n"
        "finally: print([name for name in ('mlflow', 'numpy', 'pydantic') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], cwd=places.ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.splitlines()[-1] == "[]"


def test_a_claim_is_followed_by_what_to_type_and_where_to_look(
    labs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whole, in one line: what a terminal breaks cannot be copied."""
    monkeypatch.setenv("GAPLAB_DASHBOARD_PORT", "8599")
    cli.app(["show", "coin/mean_reward"], standalone_mode=False)
    assert capsys.readouterr().out.splitlines()[-1] == (
        "Run it yourself: gaplab run foundations/coin --variant fair   ·   "
        "http://127.0.0.1:8599/claim?claim=foundations/coin/mean_reward"
    )


def test_every_command_that_a_message_names_can_be_typed() -> None:
    """Verbs and options that messages of the kit and of the page tell a reader to type."""
    known = get_command(cli.app)
    stacks = known.commands["stack"]  # type: ignore[attr-defined]
    sources = [*places.ROOT.glob("labs/kit/**/*.py"), *places.ROOT.glob("dashboard/**/*.py")]
    found = [line for path in sources for line in re.findall(r"`gaplab ([a-z][^`]*)`", path.read_text())]
    assert len(found) > 30
    for line in found:
        verb, *rest = line.split()
        command = known.commands[verb]  # type: ignore[attr-defined]
        if verb == "stack" and rest:
            command = stacks.commands[rest[0]]
        options = {name for parameter in command.params for name in parameter.opts}
        assert {word for word in rest if word.startswith("--")} <= options, line
        assert verb != "clean" or set(rest) <= {*WHAT, "{name:<11}", "{why}"}, line
