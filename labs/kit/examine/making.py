"""What trials are made of: labs, stacks and the base model."""

from collections.abc import Iterator

from labs.kit import places, stack
from labs.kit.catalogue import find
from labs.kit.errors import LabError
from labs.kit.examine.finding import Finding, State


def making() -> Iterator[Finding]:
    """A finding for the labs, for each stack that they use or have left, and for the base model."""
    used = {one.name for one in stack.find() if one.for_labs}
    try:
        labs = find()
        used &= {name for lab in labs for name in lab.stacks}
        yield Finding("labs", State.WELL, f"{len(labs)}, all readable")
    except LabError as problem:
        yield Finding.of_error("labs", problem)
    yield from (_stack(one) for one in stack.find() if one.name in used)
    if left := stack.unused():
        names = ", ".join(path.name for path in left)
        yield Finding("old stacks", State.NOTE, f"made from locks that are gone: {names}", "gaplab clean stacks")
    yield _base()


def _stack(one: stack.Stack) -> Finding:
    what = f"stack {one.name}"
    if one.built:
        return Finding(what, State.WELL, f"built, {one.venv.name}")
    return Finding(what, State.NOTE, "not built yet", f"gaplab stack build {one.name}   ·   or make up")


def _base() -> Finding:
    made = sorted((places.home() / "base").glob("*/model.safetensors"))
    if made:
        return Finding("base model", State.WELL, f"made, {made[-1].parent.name}")
    return Finding("base model", State.NOTE, "not made yet; the labs that train a language model make it", "make up")
