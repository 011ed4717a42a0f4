"""Find the labs on disk and choose among them, without importing a lab or its stack."""

from collections.abc import Sequence
from fnmatch import fnmatch
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from labs.kit import places
from labs.kit.errors import LabError, near
from labs.kit.reading import read
from labs.kit.words import MECHANISMS, Claim, Lab, Preset, Value

__all__ = ["MECHANISMS", "Claim", "Lab", "Preset", "Value", "find", "in_order", "pick", "pick_claim", "read"]


def find(folder: Path | None = None) -> list[Lab]:
    """Every lab in the order to learn them in: the five mechanisms, and in each a lab after those that it needs.

    Raises LabError where a lab.toml cannot be read, or where labs need each other in a circle.
    """
    root = folder or places.labs()
    found = [read(path.parent) for name in MECHANISMS for path in sorted(root.glob(f"{name}/*/lab.toml"))]
    _refuse_twins(found)
    _refuse_needs(found)
    return in_order(found)


def pick(patterns: Sequence[str], among: Sequence[Lab] | None = None) -> list[Lab]:
    """The labs that the patterns name: a mechanism, mechanism/lab, a lab's bare name, or a glob; all for none.

    Raises LabError for a pattern that names nothing.
    """
    known = list(find() if among is None else among)
    chosen: dict[str, Lab] = {}
    for pattern in patterns or ["*"][: len(known)]:
        hits = [lab for lab in known if _named(lab, pattern.strip("/"))]
        if not hits:
            words = [*MECHANISMS, *(lab.id for lab in known), *(lab.name for lab in known)]
            raise LabError(
                f"No lab is called {pattern!r:.80}. {_short_hint(pattern, words)}".rstrip() + "\n"
                "Nothing was run, so that a misspelt name does not pass for a finished one.\n"
                "Type `gaplab list` to see every lab."
            )
        chosen.update({lab.id: lab for lab in hits})
    return [lab for lab in known if lab.id in chosen]


def pick_claim(name: str, among: Sequence[Lab] | None = None) -> tuple[Lab, Claim | None]:
    """The lab, and the claim if one is named: [mechanism/]lab[/claim]. Raises LabError for an unknown name."""
    known, name = list(find() if among is None else among), name.rstrip("/")
    for lab in known:
        for prefix in (lab.id, lab.name):
            if name == prefix:
                return lab, None
            if name.startswith(f"{prefix}/"):
                return lab, _claim_of(lab, name.removeprefix(f"{prefix}/"))
    found = pick([name], known)
    if len(found) > 1:
        raise LabError(
            f"{name!r:.80} names {len(found)} labs, and one lab is shown at a time.\n"
            "To show the first of them would pass for having shown them all.\n"
            f"Type `gaplab list '{name}'` to see them, then for example `gaplab show {found[0].id}`."
        )
    return found[0], None


def _claim_of(lab: Lab, name: str) -> Claim:
    if name not in lab.claims:
        raise LabError(
            f"{lab.id} makes no claim called {name!r}. {near(name, lab.claims)}\n"
            "A claim's name is its key in lab.toml, its function in theory.py and its metric in MLflow.\n"
            f"Type `gaplab show {lab.id}` to see all of them."
        )
    return lab.claims[name]


def _named(lab: Lab, pattern: str) -> bool:
    return pattern in (lab.mechanism, lab.id, lab.name) or fnmatch(lab.id, pattern) or fnmatch(lab.name, pattern)


def _short_hint(word: str, words: Sequence[str]) -> str:
    hint = near(word, words)
    return hint if hint.startswith("Is ") else ""


def _refuse_twins(labs: Sequence[Lab]) -> None:
    seen: dict[str, Lab] = {}
    for lab in labs:
        if lab.name in seen:
            raise LabError(
                f"Two labs are called {lab.name!r}: {seen[lab.name].id} and {lab.id}.\n"
                "A lab's name is its address on the command line and on the page, so it stands for one lab alone.\n"
                f"Rename one of the two folders, for example: git mv {lab.folder} {lab.folder}_2"
            )
        seen[lab.name] = lab


def in_order(labs: Sequence[Lab]) -> list[Lab]:
    """By mechanism, then by need, then as they came; a need that is not among them is waited for by nobody."""
    known, waiting, done = {lab.id for lab in labs}, list(labs), dict[str, Lab]()
    while waiting:
        ready = next((lab for lab in waiting if set(lab.needs) & known <= set(done)), waiting[0])
        waiting.remove(ready)
        done[ready.id] = ready
    return [lab for name in MECHANISMS for lab in done.values() if lab.mechanism == name]


def _refuse_needs(labs: Sequence[Lab]) -> None:
    """Each lab needs labs that are there, and none needs itself in the end."""
    known = {lab.id: lab for lab in labs}
    for lab in labs:
        for need in lab.needs:
            if need not in known:
                raise LabError(
                    f"{lab.folder}/lab.toml: needs names {need!r}, which is no lab. {near(need, known)}\n"
                    "The learning path is ordered by what each lab builds on.\nWrite it as mechanism/name."
                )
    try:
        TopologicalSorter({lab.id: lab.needs for lab in labs}).prepare()
    except CycleError as problem:
        raise LabError(
            f"These labs need each other in a circle: {', '.join(problem.args[1])}.\n"
            "Nobody could do any of them first.\nTake one out of `needs` in its lab.toml."
        ) from None
