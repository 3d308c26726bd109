"""backward and autograd.grad: accumulation, freeing, orders, unused inputs, what is refused, as in PyTorch."""

from __future__ import annotations

import pytest

import engine as torch


def leaf(value: object) -> torch.Tensor:
    return torch.tensor(value, requires_grad=True)


def test_gradients_accumulate_until_they_are_cleared() -> None:
    x = leaf(3.0)
    for expected in (6.0, 12.0, 18.0):
        (x**2).backward()
        assert x.grad.item() == expected
    x.grad = None
    (x**2).backward()
    assert x.grad.item() == 6.0


def test_accumulation_writes_into_the_same_gradient() -> None:
    x = leaf([1.0, 2.0])
    (x * 2).sum().backward()
    first = x.grad
    (x * 3).sum().backward()
    assert x.grad is first
    assert first.tolist() == [5.0, 5.0]


def test_two_leaves_never_share_a_gradient() -> None:
    x, y = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    (x + y).sum().backward()
    x.grad.mul_(10)
    assert y.grad.tolist() == [1.0, 1.0]


def test_leaves_with_views_of_one_gradient() -> None:
    x, y = leaf([[1.0, 2.0]]), leaf([3.0, 4.0])
    (x.view(2) * 1 + y * 1).sum().backward()
    x.grad.zero_()
    assert y.grad.tolist() == [1.0, 1.0]


def test_the_given_gradient_is_not_kept() -> None:
    x = leaf([1.0, 2.0])
    weight = torch.tensor([1.0, 2.0])
    x.backward(weight)
    weight.zero_()
    assert x.grad.tolist() == [1.0, 2.0]


def test_a_second_pass_needs_retain_graph() -> None:
    x = leaf(3.0)
    y = x**2
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.item() == 12.0
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        y.backward()
    assert x.grad.item() == 12.0


def test_a_graph_that_saved_nothing_can_run_again() -> None:
    x = leaf(3.0)
    y = x + 1
    y.backward()
    y.backward()
    assert x.grad.item() == 2.0


def test_freed_values_cannot_be_read() -> None:
    x = leaf(3.0)
    y = x**2
    assert y.grad_fn._saved_self is x
    y.backward()
    with pytest.raises(RuntimeError, match="already been freed"):
        _ = y.grad_fn._saved_self
    assert y.grad_fn.next_functions[0][0].variable is x


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: torch.tensor(1.0).backward(), "element 0 of tensors does not require grad and does not have a grad"),
        (lambda: (leaf([1.0, 2.0]) * 2).backward(), "grad can be implicitly created only for scalar outputs"),
        (lambda: (leaf([1.0, 2.0]) * 2).backward(torch.ones(3)), r"Mismatch in shape: grad_output\[0\] has a shape of"),
        (lambda: torch.autograd.grad(leaf(1.0) * 2, leaf(1.0)), "appears to not have been used in the graph"),
        (lambda: torch.autograd.grad(leaf(1.0) * 2, torch.tensor(1.0)), "does not require grad"),
        (lambda: leaf(1.0).backward(inputs=[]), "cannot be empty"),
        (lambda: torch.tensor([1], requires_grad=True), "Only Tensors of floating point and complex dtype"),
    ],
)
def test_what_is_refused(make: object, error: str) -> None:
    with pytest.raises(RuntimeError, match=error):
        make()  # type: ignore[operator]


def test_grad_returns_and_leaves_alone() -> None:
    x, y = leaf(2.0), leaf(3.0)
    assert [g.item() for g in torch.autograd.grad(x * y, (x, y))] == [3.0, 2.0]
    assert x.grad is None


def test_grad_of_an_intermediate_result() -> None:
    x = leaf(2.0)
    h = x * 3
    (g,) = torch.autograd.grad(h**2, h)
    assert g.item() == 12.0


def test_unused_inputs() -> None:
    x, y = leaf(2.0), leaf([1.0, 2.0])
    assert torch.autograd.grad(x * 2, (x, y), allow_unused=True)[1] is None
    filled = torch.autograd.grad(x * 2, (x, y), materialize_grads=True)[1]
    assert filled.tolist() == [0.0, 0.0]
    with pytest.raises(ValueError, match="Expected allow_unused to be True or not passed"):
        torch.autograd.grad(x * 2, (x, y), allow_unused=False, materialize_grads=True)


def test_several_outputs_are_weighed() -> None:
    x = leaf(2.0)
    (g,) = torch.autograd.grad((x**2, x**3), x, (torch.tensor(1.0), torch.tensor(10.0)))
    assert g.item() == 124.0


def test_backward_for_some_inputs_only() -> None:
    x, y = leaf(2.0), leaf(3.0)
    h = x * y
    (h**2).backward(inputs=[x, h])
    assert (x.grad.item(), y.grad, h.grad.item()) == (36.0, None, 12.0)


def test_derivatives_up_to_the_fifth() -> None:
    x = leaf(2.0)
    g = x**4
    found = []
    for _ in range(4):
        (g,) = torch.autograd.grad(g, x, create_graph=True)
        found.append(g.item())
    assert found == [32.0, 48.0, 48.0, 24.0]
    with pytest.raises(RuntimeError):
        for _ in range(3):
            (g,) = torch.autograd.grad(g, x, create_graph=True)


def test_create_graph_in_backward_leaves_a_gradient_with_history() -> None:
    x = leaf(3.0)
    (x**3).backward(create_graph=True)
    assert x.grad.requires_grad
    (g,) = torch.autograd.grad(x.grad, x)
    assert g.item() == 18.0


def test_mixed_second_derivatives() -> None:
    x, y = leaf(2.0), leaf(3.0)
    f = x**2 * y**3
    gx, gy = torch.autograd.grad(f, (x, y), create_graph=True)
    assert torch.autograd.grad(gx, y, retain_graph=True)[0].item() == 2 * 2 * 3 * 9
    assert torch.autograd.grad(gy, x)[0].item() == 3 * 9 * 2 * 2


def test_a_tensor_used_twice_in_one_operation() -> None:
    x = leaf(3.0)
    y = x * x
    assert [edge for edge, _ in y.grad_fn.next_functions] == [y.grad_fn.next_functions[0][0]] * 2
    y.backward()
    assert x.grad.item() == 6.0


def test_a_deep_chain_needs_no_deep_stack() -> None:
    x = leaf(1.0)
    y = x
    for _ in range(20_000):
        y = y + 1
    y.backward()
    assert x.grad.item() == 1.0
    (g,) = torch.autograd.grad(y, x)
    assert g.item() == 1.0


def test_a_diamond_runs_each_node_once() -> None:
    x = leaf(1.0)
    h = x * 1
    ran = []
    h.grad_fn.register_hook(lambda inputs, outputs: ran.append(outputs[0].item()))
    y = h
    for _ in range(20):
        y = y + y
    y.backward()
    assert ran == [2.0**20]


def test_gradients_of_half_precision_keep_their_dtype() -> None:
    x = torch.tensor([1.0, 2.0], dtype=torch.float16, requires_grad=True)
    y = torch.tensor([3.0, 4.0], requires_grad=True)
    (x * y).sum().backward()
    assert (x.grad.dtype, y.grad.dtype) == (torch.float16, torch.float32)


def test_broadcast_operands_get_gradients_of_their_own_shape() -> None:
    x, y = torch.ones(3, 1, requires_grad=True), torch.ones(4, requires_grad=True)
    (x * y).sum().backward()
    assert (x.grad.shape, y.grad.shape) == ((3, 1), (4,))
    assert x.grad.tolist() == [[4.0]] * 3


def test_the_gradient_can_be_assigned_with_care() -> None:
    x = leaf([1.0, 2.0])
    x.grad = torch.ones(2)
    with pytest.raises(RuntimeError, match=r"attempting to assign a gradient of size '\[3\]' to a tensor"):
        x.grad = torch.ones(3)
    with pytest.raises(TypeError, match="assigned grad expected to be a Tensor or None but got"):
        x.grad = 3.0
    with pytest.raises(RuntimeError, match="can't assign Variable as its own grad"):
        x.grad = x
    assert x.grad.tolist() == [1.0, 1.0]


def test_reading_the_gradient_of_a_result_warns() -> None:
    h = leaf(2.0) * 2
    with pytest.warns(UserWarning, match="The .grad attribute of a Tensor that is not a leaf"):
        assert h.grad is None


# -- autograd.functional and gradcheck ------------------------------------------------------------------------------

X = [1.0, 2.0, 3.0]


def cubes(x: torch.Tensor) -> torch.Tensor:
    return x**3


def test_jacobian_and_hessian() -> None:
    x = torch.tensor(X)
    jacobian = torch.autograd.functional.jacobian(cubes, x)
    assert jacobian.tolist() == [[3.0, 0.0, 0.0], [0.0, 12.0, 0.0], [0.0, 0.0, 27.0]]
    hessian = torch.autograd.functional.hessian(lambda x: cubes(x).sum(), x)
    assert hessian.tolist() == [[6.0, 0.0, 0.0], [0.0, 12.0, 0.0], [0.0, 0.0, 18.0]]
    assert not hessian.requires_grad


def test_products_with_vectors() -> None:
    functional = torch.autograd.functional
    x, v = torch.tensor(X), torch.tensor([1.0, 10.0, 100.0])
    assert functional.vjp(cubes, x, v)[1].tolist() == [3.0, 120.0, 2700.0]
    assert functional.jvp(cubes, x, v)[1].tolist() == [3.0, 120.0, 2700.0]
    for product in (functional.hvp, functional.vhp):
        assert product(lambda x: cubes(x).sum(), x, v)[1].tolist() == [6.0, 120.0, 1800.0]


def test_jacobian_of_several_inputs() -> None:
    points = (torch.tensor([1.0, 2.0]), torch.tensor(3.0))
    jacobian = torch.autograd.functional.jacobian(lambda x, y: x * y, points)
    assert [part.tolist() for part in jacobian] == [[[3.0, 0.0], [0.0, 3.0]], [1.0, 2.0]]


def test_gradcheck_tells_right_from_wrong() -> None:
    x = torch.tensor(X, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(cubes, (x,))
    assert torch.autograd.gradgradcheck(cubes, (x,))

    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(ctx: object, x: torch.Tensor) -> torch.Tensor:
            return x * 2

        @staticmethod
        def backward(ctx: object, grad: torch.Tensor) -> torch.Tensor:
            return grad * 3

    with pytest.raises(RuntimeError, match="Jacobian mismatch for output 0 with respect to input 0"):
        torch.autograd.gradcheck(Wrong.apply, (x,))
    assert torch.autograd.gradcheck(Wrong.apply, (x,), raise_exception=False) is False
