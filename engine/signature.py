"""What PyTorch says when a call does not fit: its argument parser, run only after a call has failed.

`signatures.txt` lists PyTorch's signatures. A call that raised is held against them: if no signature fits, the error
is the parser's (a missing argument, a wrong type, a list of what would have been right), in PyTorch's words. If one
fits, the call was right as a call, and the error it raised stands. Calls that succeed never come here.

The rules and texts are those of PyTorch's `python_arg_parser.cpp` and `invalid_arguments.cpp`, quirks included.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np

from engine.devices import device, layout
from engine.dtypes import DType
from engine.tensor import Tensor, type_name

#: What an error calls a parameter's type.
NAMES = {
    "Tensor": "Tensor",
    "Scalar": "Number",
    "int64_t": "int",
    "SymInt": "int",
    "double": "float",
    "complex": "complex",
    "bool": "bool",
    "IntArrayRef": "tuple of ints",
    "SymIntArrayRef": "tuple of ints",
    "ArrayRef<double>": "tuple of floats",
    "ArrayRef<Scalar>": "tuple of Scalars",
    "TensorList": "tuple of Tensors",
    "Generator": "torch.Generator",
    "ScalarType": "torch.dtype",
    "Layout": "torch.layout",
    "MemoryFormat": "torch.memory_format",
    "Device": "torch.device",
    "c10::string_view": "str",
    "std::string": "str",
    "PyObject*": "object",
    "Storage": "Storage",
}
#: Other names under which an argument may come, from NumPy.
ALIASES = {"dim": ("axis",), "keepdim": ("keepdims",), "input": ("x", "a", "x1"), "other": ("x2",)}
#: Methods that PyTorch itself writes in Python: Python's own errors are the right ones.
WRITTEN_IN_PYTHON = ("norm", "split", "unflatten", "unique", "unique_consecutive")
#: The functions whose tensor operands may be numbers.
NUMBERS_TOO = {
    f"{name}{end}"
    for name in ("add", "sub", "mul", "div", "subtract", "multiply", "divide", "true_divide", "floor_divide", "copy")
    for end in ("", "_")
}


@dataclass(frozen=True)
class Parameter:
    """One parameter: its type as in C++, its name, the text of its default (None when it must be given)."""

    kind: str
    name: str
    default: str | None
    keyword_only: bool
    allows_none: bool
    #: A list type that may also be a single number: IntArrayRef[1].
    single: bool

    @property
    def wanted(self) -> str:
        """Its type in an error."""
        return NAMES.get(self.kind, self.kind)

    def fits(self, value: Any, function: str, number: int) -> bool:
        """Whether a value may be passed for it; raises TypeError for a list of other things than tensors."""
        kind = self.kind
        if kind == "Tensor":
            return isinstance(value, Tensor) or (function in NUMBERS_TOO and is_number(value))
        if kind == "Scalar":
            return is_number(value) or is_plain_scalar(value)
        if kind == "double":
            return isinstance(value, int | float | np.number) or is_plain_scalar(value)
        if kind in ("int64_t", "SymInt"):
            return is_int(value) or (is_plain_scalar(value) and value._dtype.category == 1)
        if kind == "bool":
            return isinstance(value, bool | np.bool_)
        if kind in ("IntArrayRef", "SymIntArrayRef"):
            if isinstance(value, tuple | list):
                return not value or (hasattr(value[0], "__index__") and not isinstance(value[0], bool | float))
            return self.single and is_int(value)
        if kind == "TensorList":
            if not isinstance(value, tuple | list):
                return False
            for place, each in enumerate(value):
                if not isinstance(each, Tensor):
                    got = type_name(each)
                    raise TypeError(f"expected Tensor as element {place} in argument {number}, but got {got}")
            return True
        if kind in ("ArrayRef<double>", "ArrayRef<Scalar>"):
            return isinstance(value, tuple | list)
        if kind in ("c10::string_view", "std::string"):
            return isinstance(value, str)
        if kind == "ScalarType":
            return isinstance(value, DType) or value in (bool, int, float, complex)
        if kind == "Device":
            return isinstance(value, device | str) or is_int(value)
        if kind == "Layout":
            return isinstance(value, layout)
        return kind != "Generator" or type(value).__name__ == "Generator"

    def __str__(self) -> str:
        return f"{self.wanted} {self.name}" + ("" if self.default is None else f" = {self.default}")


def is_int(value: Any) -> bool:
    """A whole number that is no truth value."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """A number of Python's or NumPy's."""
    return isinstance(value, bool | int | float | complex | np.number | np.bool_)


def is_plain_scalar(value: Any) -> bool:
    """A 0-d tensor that needs no gradient, which may stand for a number."""
    return isinstance(value, Tensor) and value._array.ndim == 0 and value._edge is None


@dataclass(frozen=True)
class Signature:
    """One way to call a function."""

    function: str
    parameters: tuple[Parameter, ...]
    deprecated: bool = False

    @property
    def fewest(self) -> int:
        """How many arguments it needs."""
        return sum(each.default is None for each in self.parameters)

    @property
    def positional(self) -> int:
        """How many arguments it takes by position."""
        return sum(not each.keyword_only for each in self.parameters)

    def __str__(self) -> str:
        shown: list[str] = []
        for each in self.parameters:
            if each.keyword_only and "*" not in shown:
                shown.append("*")
            shown.append(str(each))
        return f"({', '.join(shown)})"

    def objection(self, args: tuple[Any, ...], named: dict[str, Any]) -> str | None:
        """Why the arguments do not fit, or None."""
        name = self.function
        spread = self.positional == 1 and self.parameters[0].wanted == "tuple of ints"
        spread = spread and bool(args) and (is_int(args[0]) or is_plain_scalar(args[0]))
        if len(args) > self.positional and not spread:
            return self.too_many(len(args))
        place = 0
        used = 0
        for number, parameter in enumerate(self.parameters):
            by_name = place >= len(args)
            if by_name:
                key = next((key for key in (parameter.name, *ALIASES.get(parameter.name, ())) if key in named), None)
                if key is None:
                    if parameter.default is None:
                        return self.missing(number)
                    continue
                value = named[key]
                used += 1
            elif parameter.keyword_only:
                return self.too_many(len(args))
            else:
                value = args[place]
            if value is None and parameter.allows_none:
                pass
            elif spread and place == 0 and not by_name and (is_int(value) or is_plain_scalar(value)):
                place = len(args)
                continue
            elif not parameter.fits(value, name, number):
                where = "" if by_name else f" (position {place + 1})"
                got = f"not {type_name(value)}"
                if isinstance(value, tuple | list) and value and parameter.wanted == "tuple of ints":
                    got = f"but found element of type {type_name(value[0])} at pos 0"
                return f"{name}(): argument '{parameter.name}'{where} must be {parameter.wanted}, {got}"
            if not by_name:
                place += 1
        if used < len(named):
            return self.unexpected(len(args), named)
        return None

    def foreign(self, args: tuple[Any, ...], named: dict[str, Any]) -> str | None:
        """What is wrong within a list of whole numbers, of which the parser itself looks at the first alone."""
        for place, parameter in enumerate(self.parameters):
            if parameter.wanted != "tuple of ints":
                continue
            spread = not place and args and not isinstance(args[0], tuple | list)
            value = args if spread else args[place] if place < len(args) else named.get(parameter.name)
            for number, each in enumerate(value if isinstance(value, tuple | list) else ()):
                if not hasattr(each, "__index__"):
                    return (
                        f"{self.function}(): argument '{parameter.name}' failed to unpack the object at pos "
                        f'{number + 1} with error "type must be tuple of ints,but got {type_name(each)}"'
                    )
        return None

    def too_many(self, given: int) -> str:
        """More arguments by position than there are places."""
        if self.fewest != self.positional:
            return (
                f"{self.function}() takes from {self.fewest} to {self.positional} positional arguments but {given} "
                "were given"
            )
        some = "" if self.positional == 1 else "s"
        was = "was" if given == 1 else "were"
        return f"{self.function}() takes {self.positional} positional argument{some} but {given} {was} given"

    def missing(self, number: int) -> str:
        """Arguments that must be given and are not, from a place on. The plural is PyTorch's."""
        names = [f'"{each.name}"' for each in self.parameters[number:] if each.default is None]
        some = "s" if len(names) == 1 else ""
        return f"{self.function}() missing {len(names)} required positional argument{some}: {', '.join(names)}"

    def unexpected(self, given: int, named: dict[str, Any]) -> str:
        """Keyword arguments that it does not know, or that came by position already."""
        places = {each.name: place for place, each in enumerate(self.parameters)}
        for key in named:
            if key not in places:
                return f"{self.function}() got an unexpected keyword argument '{key}'"
            if places[key] < given:
                return f"{self.function}() got multiple values for argument '{key}'"
        return "invalid keyword arguments"


# -- several signatures -------------------------------------------------------------------------------------------


def mismatch(signatures: tuple[Signature, ...], args: tuple[Any, ...], named: dict[str, Any]) -> str | None:
    """PyTorch's text for a call that fits none of the signatures; None if one fits."""
    if len(signatures) == 1:
        return signatures[0].objection(args, named) or signatures[0].foreign(args, named)
    for each in signatures:
        if each.objection(args, named) is None:
            return each.foreign(args, named)
    given = len(args) + len(named)
    options = [each for each in signatures if not each.deprecated]
    plausible = [each for each in options if each.fewest <= given <= len(each.parameters)]
    if len(plausible) == 1:
        return plausible[0].objection(args, named)
    text = f"{signatures[0].function}() received an invalid combination of arguments - got "
    if len(options) == 1:
        parts = listed(options[0])
        got = marked(parts, args, named) if len(parts) == given else described(args, named)
        return f"{text}{got}, but expected {options[0]}"
    text += f"{described(args, named)}, but expected one of:\n"
    for option in options:
        text += f" * {option}\n"
        parts = listed(option)
        if len(parts) == given:
            wrong = [
                key for key in reversed(named) if key not in [name for _, name in parts[len(parts) - len(named) :]]
            ]
            if wrong:
                text += f"      didn't match because some of the keywords were incorrect: {', '.join(wrong)}\n"
            else:
                text += "      didn't match because some of the arguments have invalid types: "
                text += f"{marked(parts, args, named)}\n"
    return text


def listed(option: Signature) -> list[tuple[str, str]]:
    """(type, name) of each parameter as PyTorch reads them back from its own text: by commas and last blanks.

    So the star counts as a parameter, and a default is taken for the name.
    """
    pieces = str(option)[1:-1].split(", ")
    return [(piece.rpartition(" ")[0], piece.rpartition(" ")[2]) for piece in pieces]


def described(args: tuple[Any, ...], named: dict[str, Any]) -> str:
    """The types of the arguments. Without positional ones a comma is left over, as in PyTorch."""
    text = "".join(f"{type_name(each)}, " for each in args)
    # PyTorch walks through a C++ hash map here, which gives back first what came last.
    text += "".join(f"{key}={type_name(named[key])}, " for key in reversed(named))
    return f"({text[:-2] if args else text})"


def marked(parts: list[tuple[str, str]], args: tuple[Any, ...], named: dict[str, Any]) -> str:
    """The types of the arguments, the wrong ones between exclamation marks."""
    text = ""
    for place, (wanted, name) in enumerate(parts):
        by_name = place >= len(args)
        value = named[name] if by_name else args[place]
        got = type_name(value)
        right = got == wanted or (wanted == "float" and got == "int")
        shown = f"{name}={spelled(value)}" if by_name else spelled(value)
        text += f"{shown}, " if right else f"!{shown}!, "
    return f"({text[:-2] if args else text})"


def spelled(value: Any) -> str:
    """A type, for a list or tuple with those of its elements."""
    if not isinstance(value, list | tuple):
        return type_name(value)
    inside = ", ".join(type_name(each) for each in value)
    if isinstance(value, list):
        return f"{type_name(value)} of [{inside}]"
    return f"{type_name(value)} of ({inside}{',' if len(value) == 1 else ''})"


# -- the table ----------------------------------------------------------------------------------------------------


def parsed(line: str) -> Signature:
    """A signature from PyTorch's notation: sum(Tensor input, *, ScalarType? dtype=None)."""
    deprecated = line.endswith("|deprecated")
    name, _, inside = line.removesuffix("|deprecated").partition("(")
    parameters: list[Parameter] = []
    keyword_only = False
    for piece in inside.removesuffix(")").split(", ") if inside != ")" else []:
        if piece == "*":
            keyword_only = True
            continue
        declared, _, default = piece.partition("=")
        kind, _, argument = declared.rpartition(" ")
        allows_none = kind.endswith("?") or default == "None"
        kind = kind.removesuffix("?")
        single = kind.endswith("]")
        parameters.append(
            Parameter(kind.partition("[")[0], argument, default or None, keyword_only, allows_none, single)
        )
    return Signature(name, tuple(parameters), deprecated)


@functools.cache
def table() -> dict[str, tuple[str, ...]]:
    """Lines by name; those of methods that do not follow from the function's have a dot before the name."""
    found: dict[str, tuple[str, ...]] = {}
    for line in (Path(__file__).parent / "signatures.txt").read_text(encoding="utf-8").splitlines():
        key = line[: line.index("(")]
        found[key] = (*found.get(key, ()), line)
    return found


def of_function(name: str) -> tuple[Signature, ...]:
    """The signatures of `torch.<name>`, () if it has none."""
    return tuple(parsed(line) for line in table().get(name, ()))


def of_method(name: str) -> tuple[Signature, ...]:
    """The signatures of `tensor.<name>`: the function's without `input` and `out`, unless the table says otherwise."""
    if name in WRITTEN_IN_PYTHON:
        return ()
    own = table().get(f".{name}")
    if own is not None:
        return tuple(parsed(line[1:]) for line in own)
    return tuple(as_method(each) for each in of_function(name))


def as_method(signature: Signature) -> Signature:
    """What is left of a function's signature for the method."""
    left = tuple(each for each in signature.parameters[1:] if each.name != "out")
    return Signature(signature.function, left, signature.deprecated)


# -- the check ----------------------------------------------------------------------------------------------------


def takes_too_much(made: Callable[..., Any], name: str) -> bool:
    """Whether `torch.flip(x, 0, 1)` would pass here, where PyTorch wants a tuple: the method's way of calling."""
    several = any(each.kind is each.VAR_POSITIONAL for each in inspect.signature(made).parameters.values())
    first = of_function(name)[0].parameters
    return several and len(first) > 1 and first[0].kind == "Tensor" and first[1].wanted == "tuple of ints"


def checked(made: Callable[..., Any], name: str, of_tensor: bool, before: bool = False) -> Callable[..., Any]:
    """A function (or method of Tensor) whose failed calls are held against PyTorch's signatures.

    `before`: every call is, because some that PyTorch refuses would succeed.
    """
    if before:

        @functools.wraps(made)
        def strict(*args: Any, **named: Any) -> Any:
            explain(name, of_tensor, args, named)
            return made(*args, **named)

        return strict

    @functools.wraps(made)
    def call(*args: Any, **named: Any) -> Any:
        try:
            return made(*args, **named)
        except Exception:
            explain(name, of_tensor, args, named)
            raise

    return call


def checks_itself(made: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a function that calls `explain` on its own, where the way through `checked` would be felt."""
    made.checks_itself = True  # type: ignore[attr-defined]
    return made


def check_calls(functions: dict[str, Callable[..., Any]], of_tensor: bool) -> None:
    """Put the check around every function of a namespace that has PyTorch's signature and no check of its own."""
    known = table()
    for name, made in functions.items():
        listed_too = name in known or (of_tensor and f".{name}" in known)
        if of_tensor and name in WRITTEN_IN_PYTHON:
            continue
        if listed_too and isinstance(made, FunctionType) and not hasattr(made, "checks_itself"):
            functions[name] = checked(made, name, of_tensor, not of_tensor and takes_too_much(made, name))


def explain(name: str, of_tensor: bool, args: tuple[Any, ...], named: dict[str, Any]) -> None:
    """Raise PyTorch's TypeError if the call fits no signature; return if it fits one or none is known."""
    signatures = of_method(name) if of_tensor else of_function(name)
    if not signatures:
        return
    if of_tensor:
        args = args[1:]
        if len(signatures) == 1 and not signatures[0].parameters:
            if named:
                raise TypeError(f"TensorBase.{name}() takes no keyword arguments") from None
            if args:
                raise TypeError(f"TensorBase.{name}() takes no arguments ({len(args)} given)") from None
            return
    text = mismatch(signatures, args, named)
    if text is not None:
        raise TypeError(text) from None
