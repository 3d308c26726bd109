"""autograd.Function: operations of the learner's own, and what PyTorch says when they are wrong."""

from __future__ import annotations

from typing import Any

import pytest

import engine as torch

Function = torch.autograd.Function


def leaf(value: object) -> torch.Tensor:
    return torch.tensor(value, requires_grad=True)


class Scale(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, factor: float) -> Any:
        ctx.factor = factor
        ctx.save_for_backward(x)
        return x * factor

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        assert not torch.is_grad_enabled()
        assert ctx.needs_input_grad == (True, False)
        return grad * ctx.factor, None


def test_forward_and_backward() -> None:
    x = leaf([1.0, 2.0])
    y = Scale.apply(x, 3.0)
    assert repr(y) == "tensor([3., 6.], grad_fn=<ScaleBackward>)"
    assert y.grad_fn.saved_tensors[0] is x
    y.sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        _ = y.grad_fn.saved_tensors


def test_forward_runs_without_recording() -> None:
    class Quiet(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            assert not torch.is_grad_enabled()
            return (x * 2).exp()

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            return grad

    y = Quiet.apply(leaf(0.0))
    assert [edge.name() for edge, _ in y.grad_fn.next_functions] == ["torch::autograd::AccumulateGrad"]
    assert not Quiet.apply(torch.tensor(0.0)).requires_grad


def test_double_backward_differentiates_the_backward() -> None:
    class Cube(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            (x,) = ctx.saved_tensors
            return 3 * x**2 * grad

    x = leaf(2.0)
    (g,) = torch.autograd.grad(Cube.apply(x), x, create_graph=True)
    assert (g.item(), torch.autograd.grad(g, x)[0].item()) == (12.0, 12.0)


def test_several_inputs_and_outputs() -> None:
    class SumAndProduct(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            ctx.save_for_backward(x, y)
            return x + y, x * y

        @staticmethod
        def backward(ctx: Any, grad_sum: Any, grad_product: Any) -> Any:
            x, y = ctx.saved_tensors
            return grad_sum + grad_product * y, grad_sum + grad_product * x

    x, y = leaf(2.0), leaf(3.0)
    total, product = SumAndProduct.apply(x, y)
    assert (total.output_nr, product.output_nr) == (0, 1)
    (total + 10 * product).backward()
    assert (x.grad.item(), y.grad.item()) == (31.0, 21.0)
    x.grad = None
    SumAndProduct.apply(x, y)[1].backward()  # the other output's gradient comes as zeros
    assert x.grad.item() == 3.0


def test_gradients_that_do_not_come() -> None:
    seen: list[Any] = []

    class Two(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.set_materialize_grads(False)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx: Any, first: Any, second: Any) -> Any:
            seen.append((first, second))
            return second * 3

    x = leaf(1.0)
    Two.apply(x)[1].backward()
    assert seen[0][0] is None
    assert x.grad.item() == 3.0


def test_outputs_without_a_derivative() -> None:
    class Parts(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            sign = x > 0
            size = x * 1
            ctx.mark_non_differentiable(sign)
            return size, sign

        @staticmethod
        def backward(ctx: Any, grad: Any, nothing: Any) -> Any:
            return grad

    size, sign = Parts.apply(leaf([1.0, -1.0]))
    assert (size.requires_grad, sign.requires_grad) == (True, False)


def test_setup_context() -> None:
    class Square(Function):
        @staticmethod
        def forward(x: Any) -> Any:
            return x**2

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            return 2 * ctx.saved_tensors[0] * grad

    x = leaf(3.0)
    Square.apply(x).backward()
    assert x.grad.item() == 6.0


def returning(answer: Any) -> Any:
    """A Function of one input whose backward returns this."""

    class Odd(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 1

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            return answer

    return Odd


def test_wrong_numbers_of_gradients() -> None:
    message = r"function OddBackward returned an incorrect number of gradients \(expected 1, got 2\)"
    with pytest.raises(RuntimeError, match=message):
        returning((torch.ones(2), torch.ones(2))).apply(leaf([1.0, 2.0])).sum().backward()


def test_gradients_of_a_wrong_shape() -> None:
    message = (
        r"Function OddBackward returned an invalid gradient at index 0 - got \[3\] but expected shape compatible with "
        r"\[2\]"
    )
    with pytest.raises(RuntimeError, match=message):
        returning(torch.ones(3)).apply(leaf([1.0, 2.0])).sum().backward()


def test_gradients_that_are_no_tensors() -> None:
    with pytest.raises(RuntimeError, match=r"expected Variable or None \(got float\)"):
        returning(1.0).apply(leaf([1.0, 2.0])).sum().backward()


def test_no_gradient_at_all() -> None:
    x = leaf([1.0, 2.0])
    returning(None).apply(x).sum().backward()
    assert x.grad is None


def test_a_saved_value_that_was_overwritten() -> None:
    h = leaf([1.0, 2.0]) * 1
    y = Scale.apply(h, 3.0)
    h.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        _ = y.grad_fn.saved_tensors


def test_missing_pieces() -> None:
    class Half(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 1

    y = Half.apply(leaf(1.0))
    with pytest.raises(NotImplementedError, match="You must implement either the backward or vjp method"):
        y.backward()

    class Nothing(Function):
        pass

    with pytest.raises(NotImplementedError, match="You must implement the forward function for custom"):
        Nothing.apply(leaf(1.0))
