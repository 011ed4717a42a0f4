"""What can be said of a lab folder without running it: words, files, formulas, doctests, controls. Needs no stack."""

import ast
import doctest
import inspect
import json
import re
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from labs.kit import reference
from labs.kit.errors import LabError
from labs.kit.gap import tolerance_of
from labs.kit.recipe import parsed
from labs.kit.results import pairs
from labs.kit.words import Claim, Lab

FILES = ("README.md", "lab.toml", "theory.py", "practice.py", "notebook.ipynb")


def check(lab: Lab) -> list[str]:
    """Everything amiss, one sentence each with its place; an empty list where the lab is fit to run."""
    try:
        return [
            *_files(lab),
            *_words(lab),
            *_practice(lab),
            *_theory(lab),
            *(problem for claim in lab.claims.values() for problem in _control(lab, claim)),
        ]
    except LabError as problem:  # a file that cannot be read: nothing else can be said of the lab
        return [str(problem)]


def formula(lab: Lab, claim: str) -> str:
    r"""The TeX between $$ and $$ in the docstring of the claim's function, read as text; empty where there is none."""
    tree = parsed(lab.folder / "theory.py")
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == claim:
            found = re.search(r"\$\$(.+?)\$\$", ast.get_docstring(node) or "", re.DOTALL)
            return found.group(1).strip() if found else ""
    return ""


def _files(lab: Lab) -> Iterator[str]:
    for name in FILES:
        if not (lab.folder / name).is_file():
            yield f"{lab.folder}/{name} is missing: every lab folder has it."
    if (notebook := lab.folder / "notebook.ipynb").is_file():
        try:
            cells = json.loads(notebook.read_text())["cells"]
        except (ValueError, KeyError, TypeError) as problem:
            yield f"{notebook} is no notebook: {type(problem).__name__}: {problem}."
            return
        if any(cell.get("outputs") or cell.get("execution_count") for cell in cells):
            yield f"{notebook} is stored with outputs: clear them, they belong to a machine."


def _words(lab: Lab) -> Iterator[str]:
    readme = (lab.folder / "README.md").read_text(errors="replace") if (lab.folder / "README.md").is_file() else ""
    for claim in lab.claims.values():
        place = f"{lab.folder}/lab.toml: claim {claim.name!r}"
        if not claim.statement.strip().endswith("."):
            yield f"{place}: the statement is not a sentence that ends with a full stop."
        if not claim.source.strip():
            yield f"{place}: the source is empty."
        if not claim.unit.strip():
            yield f"{place}: the unit is empty."
        if claim.name not in readme:
            yield f"{lab.folder}/README.md does not name the claim {claim.name!r}."
        if not formula(lab, claim.name):
            yield f"{lab.folder}/theory.py: {claim.name}() has no formula between $$ and $$ in its docstring."


def _practice(lab: Lab) -> Iterator[str]:
    tree = parsed(lab.folder / "practice.py")
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "trial"]
    if not found:
        yield f"{lab.folder}/practice.py has no function trial(seed, log, *, …)."
        return
    asked = {argument.arg for argument in found[0].args.kwonlyargs}
    for name in sorted(asked ^ set(lab.setting)):
        side = "[setting] of lab.toml" if name in asked else "trial() in practice.py"
        yield f"{lab.folder}: {name!r} is missing in {side}; the two must name the same numbers."


def _theory(lab: Lab) -> Iterator[str]:
    path = lab.folder / "theory.py"
    try:
        module = load_theory(lab)
    except Exception as problem:
        yield f"{path} cannot be imported: {type(problem).__name__}: {problem}."
        return
    tests = {test.name.split(".")[-1]: test for test in doctest.DocTestFinder().find(module, "theory") if test.examples}
    for name in lab.claims:
        if name not in tests:
            yield f"{path}: {name}() has no doctest with an answer that can be worked out by hand."
    for name, test in tests.items():
        said: list[str] = []
        if doctest.DocTestRunner(verbose=False).run(test, out=said.append).failed:
            yield f"{path}: the doctest of {name}() fails:\n{''.join(said)}"


def load_theory(lab: Lab) -> ModuleType:
    """Import theory.py by its path; it needs NumPy and SciPy alone."""
    spec = spec_from_file_location(f"theory_of_{lab.name}", lab.folder / "theory.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _control(lab: Lab, claim: Claim) -> Iterator[str]:
    """A control breaks the mechanism: theory must not follow it, and must have room to see it."""
    place = f"{lab.folder}/lab.toml: the control {claim.control!r} of claim {claim.name!r}"
    if claim.control == claim.variant:
        yield f"{place} is its own headline."
        return
    for preset in lab.presets:
        plain, broken = (lab.setting_of(name, preset) for name in (claim.sound or claim.variant, claim.control))
        changed = {key for key in plain if plain[key] != broken[key]}
        followed = sorted(changed & _asked(lab, claim))
        if not changed:
            yield f"{place} changes nothing."
            return
        if followed:
            yield f"{place} changes {', '.join(followed)}, which {claim.name}() asks for, so theory would follow it."
            return
    yield from _ruler(lab, claim, place)


def _ruler(lab: Lab, claim: Claim, place: str) -> Iterator[str]:
    """`within` is at most half of the control's gap, as the reference recorded it."""
    found = pairs(claim, claim.control, reference.read(lab))
    if found:
        size = abs(sum(m - p for p, m in found.values()) / len(found))
        allowed = tolerance_of(claim, sum(p for p, _ in found.values()) / len(found))
        if allowed > size / 2:
            yield f"{place} has a gap of {size:.3g}, so `within` may be {size / 2:.3g} at most; it is {allowed:.3g}."


def _asked(lab: Lab, claim: Claim) -> set[str]:
    try:
        return set(inspect.signature(getattr(load_theory(lab), claim.name)).parameters)
    except Exception:  # said once, by _theory()
        return set()


def notebook_kernel(path: Path) -> str:
    """The kernel that a notebook asks for."""
    return str(json.loads(path.read_text())["metadata"]["kernelspec"]["name"])
