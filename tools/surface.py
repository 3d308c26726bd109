"""Writes docs/engine-surface.md from the engine itself: `python tools/surface.py`.

Every public name with its signature and what it does, the nodes that it leaves in the graph, every derivative with what
it saves, and which names of a first course (`first_course.txt`) are still missing.
"""

from __future__ import annotations

import inspect
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType, MemberDescriptorType, ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import engine  # noqa: E402
from engine import naming, op, signature  # noqa: E402
from engine.dtypes import DType  # noqa: E402
from engine.tensor import Tensor  # noqa: E402

PAGE = ROOT / "docs" / "engine-surface.md"
#: The files of what whole families inherit.
INHERITED = ("engine/nn/module.py", "engine/tensor.py", "typing.py", "enum.py")
FIRST_COURSE = Path(__file__).with_name("first_course.txt")

INTRODUCTION = """\
# What the engine has

`tools/surface.py` wrote this page from the code; a test compares. Names are grouped by the file that they are written
in. A name of PyTorch's public namespace that stands nowhere here raises an error that says so.

**Graph** names the nodes that a function's own operations can leave in the graph, with the values that each saves for
the backward pass; for a function that only calls others, theirs. It is read off the code, which a call may use only in
part. Where it is empty, the result has no gradient or is put together by operators. A name with `_` after a comma is
the form that works in place.
"""


# -- what there is ------------------------------------------------------------------------------------------------


def holder(space: str) -> Any:
    """The module or class behind "torch.nn": what its names are looked up on."""
    if space == "torch.Tensor":
        return Tensor
    return sys.modules[engine.__name__ + space.removeprefix("torch")]


def public(space: str) -> dict[str, Any]:
    """The names of PyTorch's that a namespace has, without the modules in it and the types of annotations."""
    values = {name: vars(holder(space))[name] for name in naming.present(space)}
    foreign = ("typing", "collections", "enum", "functools")
    return {
        name: value
        for name, value in values.items()
        if not isinstance(value, ModuleType) and not str(getattr(value, "__module__", "")).startswith(foreign)
    }


def function_of(value: Any) -> Any:
    """The Python function behind a function, method, property or class; None where there is none."""
    if isinstance(value, property):
        value = value.fget
    if isinstance(value, classmethod | staticmethod):
        value = value.__func__
    if not callable(value) or isinstance(value, DType):
        return None
    if isinstance(value, type):
        # A class without methods is told by its base or its kind; what all modules and tensors inherit tells nothing.
        bases = (*inspect.getmro(value), *inspect.getmro(type(value)))
        own = [getattr(each, "__func__", each) for base in bases for each in vars(base).values()]
        functions = [each for each in own if isinstance(each, FunctionType)]
        return next((each for each in functions if not each.__code__.co_filename.endswith(INHERITED)), None)
    value = inspect.unwrap(value)
    return value if isinstance(value, FunctionType) else function_of(type(value))


@cache
def file_of(space: str, name: str) -> Path:
    """The file that a name is written in; for a generated function the one that declares its operation."""
    value = public(space)[name]
    function = function_of(value)
    home = Path(function.__code__.co_filename) if function else Path(holder_file(space))
    operations = [] if function is None else mentioned(function)[0]
    if home.name == "functions.py" and operations:
        home = Path(sys.modules[operations[0].__module__].__file__ or "")
    return home if home.is_relative_to(ROOT / "engine") else Path(holder_file(space))


def holder_file(space: str) -> str:
    """The file of a namespace."""
    return str(sys.modules["engine.tensor" if space == "torch.Tensor" else holder(space).__name__].__file__)


# -- what a call leaves -------------------------------------------------------------------------------------------


def operations_of(value: Any, callers: frozenset[FunctionType] = frozenset()) -> list[type[op.Op]]:
    """The differentiable operations that a function applies; for one that only calls public ones, what those apply."""
    function = function_of(value)
    if function is None or isinstance(value, type) or function.__name__.startswith("arg"):
        return []  # argsort calls sort, but places have no gradient
    direct, helpers = mentioned(function)
    found = list(direct)
    for helper in reach(helpers):
        # A helper may serve several functions: of what it applies, that counts which is called like the function.
        applied = mentioned(helper)[0]
        stem = naming.plain(function.__name__).rstrip("123d")
        found += [each for each in applied if naming.plain(each.__name__).startswith(stem)] or applied
    if not found:
        callers |= {function}
        public_ones = [each for helper in [function, *reach(helpers)] for each in mentioned(helper)[1]]
        for each in public_ones:
            found += operations_of(each, callers) if each in published() and each not in callers else []
    return [each for each in dict.fromkeys(found) if op.OPERATIONS.get(each.__name__) is each]


def reach(helpers: list[FunctionType]) -> list[FunctionType]:
    """Private helpers, and theirs in turn: public functions answer for themselves."""
    reached: list[FunctionType] = []
    waiting = list(helpers)
    while waiting:
        helper = waiting.pop(0)
        if helper not in reached and helper not in published():
            reached.append(helper)
            waiting += mentioned(helper)[1]
    return reached


@cache
def mentioned(function: FunctionType) -> tuple[list[type[op.Op]], list[FunctionType]]:
    """Operations and functions of operations' files among the names and closed-over variables of a function."""
    values: list[Any] = []
    for cell in function.__closure__ or ():
        try:
            values.append(cell.cell_contents)
        except ValueError:  # not filled: the function has not been called
            continue
    names = list(names_in(function.__code__))
    for name in names:
        found = function.__globals__.get(name)
        values += [vars(found).get(other) for other in names] if isinstance(found, ModuleType) else [found]
    owners = [getattr(value, "__self__", value) for value in values]  # `Mul.apply`, closed over, is Mul
    operations = [each for each in owners if isinstance(each, type) and issubclass(each, op.Op)]
    functions = [inspect.unwrap(value) for value in values if isinstance(value, FunctionType)]
    home = function.__code__.co_filename
    near = [each for each in functions if each.__code__.co_filename == home or "/ops/" in each.__code__.co_filename]
    return [each for each in operations if hasattr(each, "forward")], near


@cache
def published() -> set[FunctionType]:
    """The functions behind all public names."""
    values = [value for space in naming.pytorch_names() for value in public(space).values()]
    return {function for value in values if not isinstance(value, type) and (function := function_of(value))}


def names_in(code: CodeType) -> Iterator[str]:
    """Global names and attributes that a function's code mentions, inner functions included."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from names_in(constant)


def node_text(operation: type[op.Op]) -> str:
    """A node and what it saves: `PowBackward0` (self)."""
    saved = f" ({', '.join(operation.saved_names)})" if operation.saved_names else ""
    return f"`{operation.Node.__name__}`{saved}"


# -- how it is written --------------------------------------------------------------------------------------------


def call_text(space: str, name: str, value: Any) -> str:
    """How it is called, by PyTorch's list of signatures where that has it, else by the function's own."""
    if space in ("torch", "torch.Tensor") and callable(value) and not isinstance(value, type):
        listed = signature.of_function(name) if space == "torch" else signature.of_method(name)
        ways = [each for each in listed if not each.deprecated]
        if ways:
            # A number in the place of a tensor is a signature of its own, but not another way to call.
            calls = [f"`{name}{parameters(way)}`" for way in ways if not any(covers(other, way) for other in ways)]
            return "<br>".join(dict.fromkeys(calls))
    if not callable(value):
        return f"`{name}`"
    try:
        own = inspect.signature(value)
    except (TypeError, ValueError):  # a class of Python's own making: an exception
        return f"`{name}`"
    shown = [each.replace(annotation=inspect.Parameter.empty) for each in own.parameters.values()]
    shown = [each.replace(default=Default(each.default)) if each.default is not each.empty else each for each in shown]
    if space == "torch.Tensor":
        shown = shown[1:]
    return f"`{name}{inspect.Signature(shown)}`".replace("|", r"\|")


class Default:
    """A default as a reader of signatures wants it: no addresses of objects."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        if isinstance(self.value, FunctionType | type):
            return self.value.__name__
        return "…" if " object at 0x" in repr(self.value) or self.value is Ellipsis else repr(self.value)


def covers(wide: signature.Signature, narrow: signature.Signature) -> bool:
    """Whether a signature only adds optional parameters to another."""
    has = {named_argument(each.name) for each in narrow.parameters}
    added = [each for each in wide.parameters if named_argument(each.name) not in has]
    return len(added) + len(has) == len(wide.parameters) > len(has) and all(each.default for each in added)


def parameters(of: signature.Signature) -> str:
    """The parameters of one signature in Python's notation, without types."""
    shown: list[str] = []
    for each in of.parameters:
        if each.keyword_only and "*" not in shown:
            shown.append("*")
        argument = named_argument(each.name)
        shown.append(argument if each.default is None else f"{argument}={each.default}")
    return f"({', '.join(shown)})"


def is_constant(value: Any) -> bool:
    """Whether there is nothing to call and nothing written about it: numbers, dtypes, slots."""
    return isinstance(value, DType | MemberDescriptorType) or not (callable(value) or first_line(value))


def named_argument(name: str) -> str:
    """A parameter's name; the first operand is `input`, also where a number may stand for it."""
    return "input" if name == "self" else name


def first_line(value: Any) -> str:
    """The first line of a docstring, fit for a table; empty for values that are no functions or classes."""
    text = (getattr(value, "__doc__", None) or "").strip()
    documented = callable(value) or isinstance(value, property | classmethod | staticmethod)
    return text.splitlines()[0].strip().replace("|", r"\|") if text and documented else ""


def title_of(file: Path) -> str:
    """What a file says of itself, in its first line."""
    text = file.read_text(encoding="utf-8").removeprefix('"""').partition('"""')[0].strip()
    return text.splitlines()[0].rstrip(".")


def link(file: Path) -> str:
    """A link from the page to a source file."""
    inside = file.relative_to(ROOT).as_posix()
    return f"[`{inside}`](../{inside})"


def is_in_place(name: str, values: dict[str, Any]) -> bool:
    """Whether a name is another function's, working in place: `add_`."""
    return name.endswith("_") and callable(values.get(name[:-1]))


def wrapped(names: Iterable[str]) -> str:
    """Names as one paragraph."""
    return ", ".join(f"`{name}`" for name in names)


def tables(space: str) -> Iterator[str]:
    """A namespace: constants, what it shares with `torch`, then a table for each file."""
    values = public(space)
    values = {name: value for name, value in values.items() if not is_in_place(name, values)}
    in_place = {name for name in public(space) if name not in values}
    yield f"\n## {space}\n"
    constants = [name for name, value in values.items() if is_constant(value)]
    if constants:
        yield f"{'Attributes' if space == 'torch.Tensor' else 'Constants'}: {wrapped(constants)}.\n"
    shared = [name for name in values if space == "torch.Tensor" and name in public("torch") and callable(values[name])]
    if shared:
        text = wrapped(f"{name}`, `{name}_" if f"{name}_" in in_place else name for name in shared)
        yield f"Methods that do what the function of `torch` does, with the tensor as its first argument: {text}.\n"
    files: dict[Path, list[str]] = defaultdict(list)
    for name in values:
        if name not in constants and name not in shared:
            files[file_of(space, name)].append(name)
    for file, names in sorted(files.items()):
        yield f"\n### {title_of(file)} · {link(file)}\n"
        yield "| call | what it does | graph |\n| --- | --- | --- |"
        for name in names:
            value = values[name]
            call = call_text(space, name, value) + (f", `{name}_`" if f"{name}_" in in_place else "")
            nodes = "<br>".join(dict.fromkeys(node_text(each) for each in operations_of(value)))
            yield f"| {call} | {first_line(value)} | {nodes} |"


def derivatives() -> Iterator[str]:
    """Every operation that has a derivative: by which operands, and what its node keeps."""
    files: dict[Path, list[type[op.Op]]] = defaultdict(list)
    for each in op.OPERATIONS.values():
        if each.__module__.startswith("engine."):
            files[Path(str(sys.modules[each.__module__].__file__))].append(each)
    yield f"\n## Derivatives\n\n{sum(map(len, files.values()))} operations have derivatives of their own.\n"
    for file, operations in sorted(files.items()):
        yield f"\n### Derivatives: {title_of(file)} · {link(file)}\n"
        yield "| operation | node | by | saves | notes |\n| --- | --- | --- | --- | --- |"
        for each in operations:
            by = [name for name, derivative in zip(each.tensors, each.derivatives, strict=False) if derivative]
            cells = [wrapped(part) for part in (by, each.saved_names, each.attribute_names)]
            yield f"| {each.__name__} | `{each.Node.__name__}` | {' | '.join(cells)} |"


def first_course() -> dict[str, list[str]]:
    """The names that a first course uses, by namespace."""
    found: dict[str, list[str]] = {}
    space = ""
    for line in FIRST_COURSE.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            space = line.strip("[]")
        elif not line.startswith("#"):
            found[space] = list(dict.fromkeys([*found.get(space, ()), *line.split()]))
    return found


def available(space: str, name: str) -> bool:
    """Whether the engine has a name, and not only to say that it does not work."""
    value = getattr(holder(space), name, None)
    return hasattr(holder(space), name) and not (getattr(value, "__doc__", None) or "").startswith("Not available")


def missing() -> Iterator[str]:
    """What a first course uses and the engine lacks."""
    yield "\n## Missing\n\nOf the names that a first course uses (`tools/first_course.txt`):\n"
    yield "| namespace | has | of | lacks |\n| --- | --- | --- | --- |"
    has = of = 0
    for space, names in first_course().items():
        lacks = [name for name in names if not available(space, name)]
        has, of = has + len(names) - len(lacks), of + len(names)
        yield f"| {space} | {len(names) - len(lacks)} | {len(names)} | {wrapped(lacks)} |"
    yield f"| together | {has} | {of} | |"


def page() -> str:
    """The whole page."""
    parts = [INTRODUCTION, *missing()]
    for space in naming.pytorch_names():
        parts += tables(space)
    return "\n".join([*parts, *derivatives()]) + "\n"


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
