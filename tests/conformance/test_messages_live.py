"""Texts of errors, compared with what the installed PyTorch says on the same mistake."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from engine import dtypes, messages

torch = pytest.importorskip("torch")
if "engine" in torch.__name__:
    pytest.skip("torch is the engine here", allow_module_level=True)

F32, F64, I64 = dtypes.float32, dtypes.float64, dtypes.int64


def zeros(*shape: int, **options: Any) -> Any:
    return torch.zeros(shape, **options)


def leaf(*shape: int, dtype: Any = torch.float32) -> Any:
    return torch.ones(shape, dtype=dtype, requires_grad=True)


def twice() -> None:
    loss = (leaf(2) ** 2).sum()
    loss.backward()
    loss.backward()


def overwritten(node: bool) -> None:
    x, w = leaf(2), zeros(2)
    saved = x.exp() if node else w
    product = x * saved
    saved.add_(1)
    product.sum().backward()


def no_grad_view() -> None:
    x = leaf(2)
    with torch.no_grad():
        view = x[:1]
    view += 1


def inference() -> Any:
    with torch.inference_mode():
        return zeros(2)


CASES: list[tuple[str, Callable[[], Any]]] = [
    (messages.broadcast([2, 1, 3], [4, 2]), lambda: zeros(2, 1, 3) + zeros(4, 2)),
    (messages.broadcast([0], [2]), lambda: zeros(0) + zeros(2)),
    (messages.output_broadcast([3], [2, 3]), lambda: zeros(3).add_(zeros(2, 3))),
    (messages.expanded_size([4, 3], [2, 3]), lambda: zeros(2, 3).expand(4, 3)),
    (messages.expanded_size([2, 2], [3]), lambda: zeros(3).expand(2, 2)),
    (messages.expanded_leading(1), lambda: zeros(3).expand(2, -1, 3)),
    (messages.expanded_rank("torch.FloatTensor", [2], []), lambda: zeros(3).__setitem__(0, zeros(2))),
    (messages.dimension_out_of_range(2, 2), lambda: zeros(2, 3).sum(dim=2)),
    (messages.dimension_out_of_range(1, 0), lambda: torch.tensor(1.0).sum(dim=1)),
    (messages.no_dimensions(0), lambda: torch.tensor(1.0).size(0)),
    (messages.invalid_shape([4, -1], 6), lambda: zeros(6).view(4, -1)),
    (messages.ambiguous_shape([-1, 0]), lambda: zeros(0).view(-1, 0)),
    (messages.one_inferred(), lambda: zeros(6).view(-1, -1)),
    (messages.view_not_compatible(), lambda: zeros(2, 6).t().view(3, 4)),
    (messages.permute_rank(2, 1), lambda: zeros(2, 3).permute(0)),
    (messages.t_rank(3), lambda: zeros(2, 3, 4).t()),
    (messages.overlapping_write(), lambda: zeros(1).expand(3).add_(1)),
    (messages.cat_size(0, 2, 3, 1), lambda: torch.cat([zeros(2, 2), zeros(2, 3)])),
    (messages.cat_rank(2, 1), lambda: torch.cat([zeros(2, 2), zeros(2)])),
    (messages.cat_zero_dim(0), lambda: torch.cat([torch.tensor(1), torch.tensor(2)])),
    (messages.stack_size([2], [3], 1), lambda: torch.stack([zeros(2), zeros(3)])),
    (messages.index_out_of_bounds(5, 1, 3), lambda: zeros(2, 3)[0, 5]),
    (messages.too_many_indices(2), lambda: zeros(2, 3)[0, 0, 0]),
    (messages.zero_dim_index(), lambda: torch.tensor(1)[0]),
    (messages.index_kind(2.0), lambda: zeros(2)[2.0]),
    (messages.index_dtype(), lambda: zeros(2, 3)[torch.tensor([1.0])]),
    (messages.mask_shape([3], [2, 3], 0), lambda: zeros(2, 3)[torch.tensor([True, False, True])]),
    (messages.assigned_shape([3], [2]), lambda: zeros(3).__setitem__([0, 1], zeros(3))),
    (messages.matmul_shapes([2, 3], [2, 3]), lambda: zeros(2, 3) @ zeros(2, 3)),
    (messages.matmul_dtype(F64, F32), lambda: zeros(2, 3).double() @ zeros(3, 2)),
    (messages.matmul_dtype(I64, dtypes.float16), lambda: zeros(2, 3).long() @ zeros(3, 2).half()),
    (messages.linear_dtype(F64, F32), lambda: torch.nn.Linear(3, 2)(zeros(2, 3).double())),
    (messages.matmul_vector_dtype(F32, F64), lambda: zeros(2, 3) @ zeros(3).double()),
    (messages.matmul_batch([2, 4], [2, 3]), lambda: torch.bmm(zeros(2, 3, 4), zeros(2, 3, 4))),
    (messages.matmul_zero_dim(0, 1), lambda: torch.tensor(1.0) @ zeros(3)),
    (messages.dot_size(3, 4), lambda: torch.dot(zeros(3), zeros(4))),
    (messages.dot_dtype(F32, F64), lambda: zeros(3) @ zeros(3).double()),
    (messages.result_cast(F32, I64), lambda: zeros(2).long().add_(1.5)),
    (messages.not_implemented("bitwise_and_cpu", F32), lambda: zeros(1) & zeros(1)),
    (messages.mean_dtype(I64), lambda: zeros(2).long().mean()),
    (messages.negation(), lambda: -torch.tensor([True])),
    (messages.not_scalar_item(3), lambda: zeros(3).item()),
    (messages.ambiguous_truth(2), lambda: bool(zeros(2))),
    (messages.ambiguous_truth(0), lambda: bool(zeros(0))),
    (messages.empty_reduction("max"), lambda: zeros(0).max()),
    (messages.argument_type("sin", "input", 1, "Tensor", 1.0), lambda: torch.sin(1.0)),
    (messages.argument_type("tensor", "dtype", None, "torch.dtype", "x"), lambda: torch.tensor([1], dtype="x")),
    (messages.freed(), twice),
    (messages.modified_in_place("torch.FloatTensor", [2], 0, "AddBackward0", 1, 0), lambda: overwritten(True)),
    (messages.modified_in_place("torch.FloatTensor", [2], 0, None, 1, 0), lambda: overwritten(False)),
    (messages.leaf_in_place(), lambda: leaf(2).zero_()),
    (messages.leaf_in_place(view=True), lambda: leaf(2)[:1].zero_()),
    (messages.no_grad_view_in_place(), no_grad_view),
    (messages.several_views_in_place(0, "Unbind"), lambda: (leaf(2) * 1).unbind()[0].add_(1)),
    (messages.not_scalar(), lambda: (leaf(2) * 2).backward()),
    (messages.not_real_scalar(dtypes.complex64), lambda: leaf(1, dtype=torch.cfloat).sum().backward()),
    (messages.no_grad_fn(0), lambda: zeros(1).backward()),
    (messages.unused_input(1), lambda: torch.autograd.grad((x := leaf(1)) * 2, [x, leaf(1)])),
    (messages.gradient_shape(0, [1], [2]), lambda: (leaf(2) * 2).backward(zeros(1))),
    (messages.gradient_complex(0, dtypes.complex64, F32), lambda: leaf(2).exp().backward(zeros(2).cfloat())),
    (messages.grad_dtype(I64, F32), lambda: setattr(zeros(2), "grad", zeros(2).long())),
    (messages.grad_size([3], [2]), lambda: setattr(zeros(2), "grad", zeros(3))),
    (messages.cannot_change_requires_grad(False), lambda: setattr(leaf(2) * 2, "requires_grad", False)),
    (messages.cannot_change_requires_grad(True), lambda: (leaf(2) * 2).requires_grad_(False)),
    (messages.numpy_requires_grad(), lambda: leaf(2).numpy()),
    (messages.inference_saved(), lambda: inference() * leaf(2)),
    (messages.inference_requires_grad(), lambda: inference().requires_grad_()),
    (messages.inference_in_place(), lambda: inference().add_(1)),
    (messages.deepcopy_non_leaf(), lambda: copy.deepcopy(leaf(2) * 2)),
]


@pytest.mark.parametrize(("text", "mistake"), CASES, ids=[text[:40] for text, _ in CASES])
def test_text(text: str, mistake: Callable[[], Any]) -> None:
    with pytest.raises(Exception) as raised:
        mistake()
    assert text == str(raised.value)


@pytest.mark.parametrize(("a", "b"), [(True, True), (True, False), (False, True)])
def test_subtraction_of_masks(a: bool, b: bool) -> None:
    masks = [torch.tensor([True]) if is_mask else torch.tensor([1]) for is_mask in (a, b)]
    with pytest.raises(RuntimeError) as theirs:
        masks[0] - masks[1]
    with pytest.raises(RuntimeError) as ours:
        messages.check_subtraction(*[dtypes.bool_ if is_mask else I64 for is_mask in (a, b)])
    assert str(ours.value) == str(theirs.value)


def test_warning_on_the_gradient_of_an_intermediate_result() -> None:
    with warnings.catch_warnings(record=True) as theirs:
        warnings.simplefilter("always")
        (leaf(2) * 2).grad  # noqa: B018
    with pytest.warns(UserWarning) as ours:
        messages.warn_non_leaf_grad()
    assert str(ours[0].message) == str(theirs[0].message)
