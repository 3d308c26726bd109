"""Imports point downwards only: every import statement is read and held against the floors of docs/architecture.md."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def engine(names: str) -> set[str]:
    """The engine's modules of these names."""
    return {f"engine.{name}" for name in names.split()}


#: Floors from the ground up. A module may import from its own floor and from those below. A name stands for the
#: module and all inside it; the longest name that fits decides.
APP_FLOORS: list[set[str]] = [
    {"app", "app.config", "app.resources"},
    {"app.kernels", "app.lessons"},
    {"app.sessions"},
    {"app.web"},
    {"app.main", "app.serving", "app.cli", "app.__main__"},
]
ENGINE_FLOORS: list[set[str]] = [
    # Numbers, memory and the record of history: no derivative.
    engine(
        "analysis arrays boxmuller creation cuda device_random devices dtypes formula legacy memory memory_format "
        "messages modes naming node output printing random return_types signature size state storage tensor view"
    ),
    # How an operation is declared.
    engine("op elementwise"),
    # The operations, and how they are written to the namespace.
    engine("ops nn.ops inplace functions linalg sampling special"),
    # What walks the graph they leave, and the methods of a tensor.
    engine("backward hooking reach autograd func methods"),
    engine("nn optim utils serialization"),
    engine("trace"),
    {"engine"},
]
#: Neighbours on one floor that do not know each other.
STRANGERS = [("app.kernels", "app.lessons")]

#: What the engine may use besides the standard library.
ENGINE_NEEDS = {"numpy"}
#: The only module that imports CuPy, when a program first asks for 'cuda'.
CUDA_DOOR = "engine.devices"
#: The modules of `app` that may name the engine: they run inside the confined process.
ENGINE_DOORS = {"app.kernels.worker", "app.kernels.torch_alias"}
#: The only module that imports real PyTorch, in a process of its own.
TORCH_DOORS = {"app.lessons.record_child"}

#: Import names that differ from their distribution's.
DISTRIBUTIONS = {
    "IPython": "ipython",
    "PIL": "matplotlib",
    "cupy": "cupy-cuda12x",
    "cupyx": "cupy-cuda12x",
    "jsonschema_rs": "jsonschema-rs",
    "markdown_it": "markdown-it-py",
    "matplotlib_inline": "matplotlib-inline",
    "mdit_py_plugins": "mdit-py-plugins",
    "prometheus_client": "prometheus-client",
    "pydantic": "fastapi",
    "starlette": "fastapi",
    "traitlets": "ipython",
    "yaml": "pyyaml",
}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for package in ("app", "engine") for path in sorted((ROOT / package).rglob("*.py"))}


def imports(module: str) -> Iterator[str]:
    """The modules that `module` imports when it runs, wherever the statement stands."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    yield from _imports(tree, module, MODULES[module].name == "__init__.py")


def _imports(node: ast.AST, module: str, is_package: bool) -> Iterator[str]:
    within: list[ast.AST] = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        # Names for the type checker; nothing is imported.
        within = list(node.orelse)
    elif isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            parts = module.split(".")
            parts = parts[: len(parts) - node.level + (1 if is_package else 0)]
            base = ".".join([*parts, base] if base else parts)
        for alias in node.names:
            inner = f"{base}.{alias.name}"
            yield inner if inner in MODULES else base
    for child in within:
        yield from _imports(child, module, is_package)


def floor(module: str, floors: list[set[str]]) -> int | None:
    """The floor of `module`; None when nobody has decided."""
    name = module
    while name:
        for height, names in enumerate(floors):
            # The bare package holds its __init__ alone: its modules must be placed by name.
            if name in names and (name == module or name not in ("app", "engine")):
                return height
        name = name.rpartition(".")[0]
    return None


def test_every_module_stands_on_a_floor() -> None:
    homeless = [name for name in MODULES if floor(name, APP_FLOORS + ENGINE_FLOORS) is None]
    assert homeless == [], "say in this file on which floor they stand"


@pytest.mark.parametrize("floors", [APP_FLOORS, ENGINE_FLOORS], ids=["app", "engine"])
def test_imports_point_downwards(floors: list[set[str]]) -> None:
    arrows = []
    for module in MODULES:
        here = floor(module, floors)
        if here is None:
            continue
        for target in imports(module):
            there = floor(target, floors)
            if there is not None and there > here:
                arrows.append(f"{module} → {target}")
    assert arrows == []


@pytest.mark.parametrize(("one", "other"), STRANGERS)
def test_strangers_stay_strangers(one: str, other: str) -> None:
    met = [name for name in MODULES if name.startswith(one) for target in imports(name) if target.startswith(other)]
    assert met == []


def test_the_engine_needs_numpy_alone() -> None:
    allowed = ENGINE_NEEDS | sys.stdlib_module_names | {"engine"}
    foreign = {
        f"{module} → {target}"
        for module in MODULES
        if module.split(".")[0] == "engine"
        for target in imports(module)
        if target.split(".")[0] not in allowed | ({"cupy", "cupyx"} if module == CUDA_DOOR else set())
    }
    assert foreign == set()


def test_only_the_worker_knows_the_engine() -> None:
    arrows = {
        module
        for module in MODULES
        if module.split(".")[0] == "app"
        for target in imports(module)
        if target.split(".")[0] == "engine"
    }
    assert arrows <= ENGINE_DOORS


def test_only_the_recorder_knows_real_pytorch() -> None:
    arrows = {module for module in MODULES for target in imports(module) if target.split(".")[0] == "torch"}
    assert arrows <= TORCH_DOORS


def test_the_server_process_loads_neither_engine_nor_pytorch_nor_ipython() -> None:
    code = "import sys, app.main, app.cli, app.__main__; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {"engine", "torch", "IPython", "matplotlib"} & set(loaded.split()) == set()


def test_what_the_app_imports_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    needs = [*project["dependencies"], *extras["plot"], *extras["cuda"]]
    declared = {re.match(r"[\w-]+", need)[0].lower() for need in needs}  # type: ignore[index]
    own = sys.stdlib_module_names | {"app", "engine", "torch"}
    used = {target.split(".")[0] for module in MODULES for target in imports(module)} - own
    assert {DISTRIBUTIONS.get(name, name) for name in used} - declared == set()


def test_the_reader_of_imports_reads_them_all() -> None:
    source = (
        "import a.b\nfrom c import d\nif TYPE_CHECKING:\n    import hidden\nelse:\n    import e\n"
        "def f():\n    from . import g\n    try:\n        from .h import i\n    except ImportError:\n        import j\n"
    )
    found = list(_imports(ast.parse(source), "app.web.api", False))
    assert found == ["a.b", "c", "e", "app.web", "app.web.h", "j"]
