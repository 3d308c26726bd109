"""Names as PyTorch shows them: of the module a class comes from, of the module that lacks something.

What PyTorch lacks too gets PyTorch's words. What PyTorch has and gradlens does not (`names.txt` lists PyTorch's public
names) is an AttributeError as well, so that `hasattr` tells the truth, but one that says so and what comes near.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from difflib import get_close_matches
from inspect import getattr_static
from pathlib import Path
from typing import Any, NoReturn


def belongs_to(module: str, *classes: type) -> None:
    """Let classes say that they come from a module of PyTorch: `<class 'torch.nn.modules.linear.Linear'>`."""
    for each in classes:
        each.__module__ = module


@functools.cache
def pytorch_names() -> dict[str, tuple[str, ...]]:
    """PyTorch's public names by namespace: "torch", "torch.Tensor", "torch.nn", …"""
    found: dict[str, tuple[str, ...]] = {}
    space = ""
    for line in (Path(__file__).parent / "names.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            space = line.strip("[]")
        elif not line.startswith("#"):
            found[space] = (*found.get(space, ()), *line.split())
    return found


def missing_from(module: str) -> Callable[[str], NoReturn]:
    """The `__getattr__` of a module: the error for a name it lacks, under the name that PyTorch gives the module."""

    def refuse(name: str) -> NoReturn:
        text = f"module '{module}' has no attribute '{name}'"
        raise AttributeError(text + lacking(module, name) if name in pytorch_names().get(module, ()) else text)

    return refuse


class Missing:
    """Stands on Tensor for a method or attribute that PyTorch's tensors have and ours do not.

    A `__getattr__` would do, but a class that has one pays for it at every access to every attribute.
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type) -> NoReturn:
        who = f"type object '{owner.__name__}'" if instance is None else f"'{type(instance).__name__}' object"
        text = f"{who} has no attribute '{self.name}'"
        raise AttributeError(
            text + lacking("torch.Tensor", self.name), name=self.name, obj=owner if instance is None else instance
        )


def mark_missing(tensor: type) -> None:
    """Put a `Missing` on the class for each of PyTorch's names that it lacks; `dir` does not list them."""
    marked = [name for name in pytorch_names()["torch.Tensor"] if not hasattr(tensor, name)]
    for name in marked:
        setattr(tensor, name, Missing(name))

    def listed(self: Any) -> list[str]:
        absent = {name for name in marked if isinstance(getattr_static(self, name), Missing)}
        return [name for name in object.__dir__(self) if name not in absent]

    tensor.__dir__ = listed  # type: ignore[assignment]


def lacking(space: str, name: str) -> str:
    """What an error adds: that PyTorch has the name, that gradlens does not, and what gradlens has that is like it."""
    near = nearby(space, name)
    hint = f" What comes near: {', '.join(near)}." if near else ""
    return f": PyTorch has {space}.{name}, gradlens does not.{hint}"


def nearby(space: str, name: str) -> list[str]:
    """At most three names with their namespaces.

    First the same name elsewhere, then names here that are spelled alike; where there are none of either, names that
    have a word in common.
    """
    everywhere = [(other, each) for other in (space, *pytorch_names()) for each in present(other)]
    found = [f"{other}.{each}" for other, each in everywhere if plain(each) == plain(name)]
    here = {plain(each): each for each in sorted(present(space), reverse=True)}
    found += [f"{space}.{here[each]}" for each in get_close_matches(plain(name), list(here), 3, 0.75)]
    words = {word for word in name.split("_") if len(word) > 2}
    found = found or [f"{other}.{each}" for other, each in everywhere if words & set(each.split("_"))]
    return list(dict.fromkeys(found))[:3]


def plain(name: str) -> str:
    """A name without what tells a class, a function and an in-place form apart."""
    return name.replace("_", "").lower()


def present(space: str) -> list[str]:
    """Those of PyTorch's names that the engine has in a namespace."""
    top = sys.modules[__name__.rpartition(".")[0]]
    place: Any = top.Tensor if space == "torch.Tensor" else sys.modules[top.__name__ + space.removeprefix("torch")]
    # Not `hasattr`: for what is missing it would come back here.
    own = vars(place)
    return [name for name in pytorch_names()[space] if name in own and type(own[name]) is not Missing]
