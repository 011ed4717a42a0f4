"""Who may import whom. The table is the rule; the test only reads the imports."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STACK = {"torch", "trl", "transformers", "peft", "bitsandbytes", "datasets", "accelerate", "numba", "pebble"}
ARRAYS = {"numpy", "scipy", "pandas"}
SERVICES = {"mlflow", "streamlit", "dashboard"}

FORBIDDEN = {
    "labs/*/*/theory.py": STACK | SERVICES | {"labs.kit.policy", "labs.kit.trial"},
    "labs/*/*/practice.py": SERVICES | {"labs.kit.gap", "labs.kit.catalogue", "labs.kit.results", "labs.kit.reading"},
    "labs/kit/catalogue.py": STACK | SERVICES | ARRAYS,
    "labs/kit/reading.py": STACK | SERVICES | ARRAYS,
    "labs/kit/words.py": STACK | SERVICES | ARRAYS,
    "labs/kit/plan.py": STACK | SERVICES | ARRAYS,
    "labs/kit/gap.py": STACK | SERVICES | {"labs.kit.trial", "labs.kit.spool"},
    "labs/kit/results.py": STACK | {"streamlit", "dashboard", "pandas"},
    "labs/kit/trial.py": STACK | SERVICES | ARRAYS,
    "labs/kit/spool.py": STACK | SERVICES | ARRAYS | {"labs.kit.trial", "labs.kit.results"},
    "labs/kit/shipper.py": STACK | {"streamlit", "dashboard", "pandas", "labs.kit.trial"},
    "labs/kit/stack/*.py": STACK | SERVICES | ARRAYS,
    "labs/kit/mdp/*.py": STACK | SERVICES | {"labs.kit.trial", "labs.kit.gap"},
    "labs/kit/policy/*.py": SERVICES | {"labs.kit.trial", "labs.kit.gap", "labs.kit.results", "labs.kit.spool"},
    "labs/kit/engines/*.py": SERVICES | {"torch", "labs.kit.results", "labs.kit.gap"},
    "labs/kit/engines/inside/*.py": SERVICES | ARRAYS | {"docker", "labs.kit.containers", "labs.kit.engines.outside"},
    "labs/kit/engines/outside/*.py": STACK | SERVICES | ARRAYS | {"docker", "labs.kit.containers", "labs.kit.results"},
    "labs/kit/containers/*.py": STACK | SERVICES | ARRAYS | {"labs.kit.results", "labs.kit.gap", "labs.kit.trial"},
    "labs/kit/share/*.py": STACK | SERVICES | ARRAYS | {"labs.kit.trial", "labs.kit.policy"},
    "dashboard/**/*.py": STACK | {"mlflow", "labs.kit.trial", "labs.kit.policy", "labs.kit.shipper"},
}


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_in(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


@pytest.mark.parametrize("pattern", FORBIDDEN)
def test_layer(pattern: str) -> None:
    paths = list(ROOT.glob(pattern))
    assert paths, f"{pattern} matches no file: the rule would guard nothing"
    for path in paths:
        for name in _imports(path):
            assert not any(_is_in(name, no) for no in FORBIDDEN[pattern]), f"{path.relative_to(ROOT)} imports {name}"


def test_labs_do_not_import_each_other() -> None:
    for path in ROOT.glob("labs/*/*/*.py"):
        if path.parent.parent.name == "kit":
            continue
        own = f"labs.{path.parent.parent.name}.{path.parent.name}"
        for name in _imports(path):
            assert not _is_in(name, "labs") or _is_in(name, "labs.kit") or _is_in(name, own), f"{path}: {name}"


def test_theory_and_practice_share_no_code() -> None:
    """If one module computed both sides, they would agree about anything."""
    for path in ROOT.glob("labs/*/*/practice.py"):
        assert not any(name.endswith("theory") for name in _imports(path)), f"{path} imports its own theory"


def test_the_kit_imports_no_lab() -> None:
    labs = {".".join(path.parent.relative_to(ROOT).parts) for path in ROOT.glob("labs/*/*/lab.toml")}
    for path in ROOT.glob("labs/kit/**/*.py"):
        for name in _imports(path):
            assert not any(_is_in(name, lab) for lab in labs), f"{path.relative_to(ROOT)} imports {name}"


def test_no_import_cycles_in_the_kit() -> None:
    """Module-level imports only: a verb may import what it needs when it runs."""
    graph = {_name(path): set(_top_imports(path)) for path in ROOT.glob("labs/kit/**/*.py")}
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join((*trail, module))
        if module in done:
            return
        for name in graph.get(module, set()) & graph.keys():
            if name != module:
                visit(name, (*trail, module))
        done.add(module)

    for module in graph:
        visit(module, ())


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _top_imports(path: Path) -> Iterator[str]:
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module in ("labs.kit", "labs"):
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
            else:
                parts = (f"{node.module}.{alias.name}" for alias in node.names)
                yield from (
                    part if (ROOT / part.replace(".", "/")).with_suffix(".py").is_file() else node.module
                    for part in parts
                )
