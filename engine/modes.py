"""no_grad, enable_grad, set_grad_enabled, inference_mode: switches that work as context managers and decorators."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import TracebackType
from typing import Any

from engine.state import state


class _Switch:
    """A context manager that can also decorate functions and generator functions."""

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def generator(*args: Any, **kwargs: Any) -> Any:
                inner = function(*args, **kwargs)
                sent: Any = None
                while True:
                    try:
                        with self.again():
                            item = inner.send(sent)
                    except StopIteration as stop:
                        return stop.value
                    sent = yield item

            return generator

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with self.again():
                return function(*args, **kwargs)

        return wrapped

    def again(self) -> _Switch:
        """A fresh switch of the same kind: a decorated function may call itself."""
        return type(self)()

    def __enter__(self) -> None:
        raise NotImplementedError

    def __exit__(self, kind: type[BaseException] | None, value: Any, trace: TracebackType | None) -> None:
        raise NotImplementedError


class _GradSwitch(_Switch):
    """Sets the gradient mode on entry and puts the former one back on exit."""

    mode: bool = False

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        made = super().__new__(cls)
        if function is not None:  # used as a bare decorator: @no_grad
            made.__init__()  # type: ignore[misc]
            return made(function)
        return made

    def __init__(self, function: Callable[..., Any] | None = None) -> None:
        self.before = True

    def __enter__(self) -> None:
        self.before = state.grad_enabled
        state.grad_enabled = self.mode

    def __exit__(self, kind: type[BaseException] | None, value: Any, trace: TracebackType | None) -> None:
        state.grad_enabled = self.before


class no_grad(_GradSwitch):
    """Operations inside are not recorded."""

    mode = False


class enable_grad(_GradSwitch):
    """Operations inside are recorded, also within `no_grad`."""

    mode = True


class set_grad_enabled(_Switch):
    """Switch recording at once; as a context manager, put it back at the end."""

    def __init__(self, mode: bool) -> None:
        self.before = state.grad_enabled
        self.mode = mode
        state.grad_enabled = mode

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        state.grad_enabled = self.before
        return super().__call__(function)

    def again(self) -> _Switch:
        return set_grad_enabled(self.mode)

    def __enter__(self) -> None:
        state.grad_enabled = self.mode

    def __exit__(self, kind: type[BaseException] | None, value: Any, trace: TracebackType | None) -> None:
        state.grad_enabled = self.before

    def __repr__(self) -> str:
        return f"set_grad_enabled(mode={self.mode})"


class inference_mode(_Switch):
    """Like no_grad, and its results may never enter a recorded computation."""

    def __new__(cls, mode: bool | Callable[..., Any] = True) -> Any:
        made = super().__new__(cls)
        if callable(mode):
            made.__init__()  # type: ignore[misc]
            return made(mode)
        return made

    def __init__(self, mode: bool = True) -> None:
        self.mode = mode
        self.before = (False, True)

    def again(self) -> _Switch:
        made: _Switch = inference_mode(self.mode)
        return made

    def __enter__(self) -> None:
        self.before = (state.inference, state.grad_enabled)
        state.inference = self.mode
        state.grad_enabled = not self.mode

    def __exit__(self, kind: type[BaseException] | None, value: Any, trace: TracebackType | None) -> None:
        state.inference, state.grad_enabled = self.before


def is_grad_enabled() -> bool:
    """Whether operations are being recorded."""
    return state.grad_enabled


def is_inference_mode_enabled() -> bool:
    """Whether inference mode is on."""
    return state.inference


for _mode in (no_grad, enable_grad, set_grad_enabled, inference_mode):
    _mode.__module__ = "torch.autograd.grad_mode"
