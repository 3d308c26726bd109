"""What is missing says so: in PyTorch's words where PyTorch lacks it too, else with what comes near."""

from __future__ import annotations

import copy

import pytest

import engine as torch
from engine import naming

MODULES = {
    space: torch if space == "torch" else __import__(f"engine{space.removeprefix('torch')}", fromlist=["_"])
    for space in naming.pytorch_names()
    if space != "torch.Tensor"
}


@pytest.mark.parametrize("space", MODULES)
def test_a_name_that_nobody_has_is_answered_in_pytorchs_words(space: str) -> None:
    with pytest.raises(AttributeError) as caught:
        MODULES[space].no_such_thing  # noqa: B018
    assert str(caught.value) == f"module '{space}' has no attribute 'no_such_thing'"


@pytest.mark.parametrize("space", MODULES)
def test_a_name_that_only_pytorch_has_is_named(space: str) -> None:
    absent = [name for name in naming.pytorch_names()[space] if not hasattr(MODULES[space], name)]
    for name in absent:
        with pytest.raises(AttributeError) as caught:
            getattr(MODULES[space], name)
        start = f"module '{space}' has no attribute '{name}': PyTorch has {space}.{name}, gradlens does not."
        assert str(caught.value).startswith(start)


def test_tensors_do_the_same() -> None:
    x = torch.ones(2)
    with pytest.raises(AttributeError, match=r"^'Tensor' object has no attribute 'foo'$"):
        x.foo  # noqa: B018
    absent = [name for name in naming.pytorch_names()["torch.Tensor"] if name not in dir(x)]
    assert absent, "then engine.naming.Missing is no longer needed"
    for name in absent:
        assert not hasattr(x, name)
        with pytest.raises(AttributeError, match=f"^'Parameter' object has no attribute '{name}': PyTorch has torch.T"):
            getattr(torch.nn.Parameter(x), name)
        with pytest.raises(AttributeError, match=f"^type object 'Tensor' has no attribute '{name}': PyTorch has"):
            getattr(torch.Tensor, name)
    setattr(x, absent[0], 3)  # what a learner hangs on a tensor is there, as on PyTorch's
    assert (getattr(x, absent[0]), absent[0] in dir(x)) == (3, True)
    assert copy.deepcopy(x).tolist() == [1, 1]


def test_a_subclass_may_have_what_tensors_lack() -> None:
    class Own(torch.nn.Parameter):
        def stft(self) -> str:
            return "own"

    made = Own(torch.ones(2))
    assert (made.stft(), "stft" in dir(made)) == ("own", True)


def test_what_comes_near() -> None:
    assert naming.nearby("torch", "mse_loss") == ["torch.nn.MSELoss", "torch.nn.functional.mse_loss"]
    assert naming.nearby("torch.nn", "LazyLinear") == ["torch.nn.Linear"]
    assert naming.nearby("torch.Tensor", "lu_solve") == ["torch.linalg.solve"]
    assert naming.nearby("torch", "zzzz") == []
