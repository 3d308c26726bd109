"""Einstein's summation: products over named dimensions, by permuting and one product of stacks for each pair."""

from __future__ import annotations

import math
import string
from collections.abc import Sequence
from typing import Any

from engine.functions import function
from engine.ops.matmul import bmm
from engine.ops.shape import permute, reshaped
from engine.ops.views import Diagonal, Permute, Unsqueeze
from engine.tensor import Tensor, type_name

#: In the lists of labels the dimensions that `...` stands for are numbers, counted from the last: -1, -2, …
Label = str | int


def fail(text: str) -> None:
    """Raise PyTorch's error with its usual beginning."""
    raise RuntimeError(f"einsum(): {text}")


@function
def einsum(*args: Any) -> Tensor:
    """Sums of products over named dimensions: `einsum('ij,jk->ik', a, b)` is `a @ b`.

    Letters name dimensions, `...` stands for any number of them; what is missing after `->` is summed over. Raises
    RuntimeError for an equation that does not fit the operands.
    """
    if len(args) < 2:
        raise ValueError("einsum(): must specify the equation string and at least one operand, or at least one operand")
    if isinstance(args[0], str):
        equation, operands = args[0], args[1:]
    else:
        equation, operands = from_lists(args)
    if len(operands) == 1 and isinstance(operands[0], tuple | list):
        operands = tuple(operands[0])
    for place, operand in enumerate(operands):
        if not isinstance(operand, Tensor):
            raise TypeError(f"expected Tensor as element {place} in argument 1, but got {type_name(operand)}")
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) < len(operands):
        fail("more operands were provided than specified in the equation")
    if len(terms) > len(operands):
        fail("fewer operands were provided than specified in the equation")
    labels = [
        labels_of(term, operand._array.ndim, place)
        for place, (term, operand) in enumerate(zip(terms, operands, strict=True))
    ]
    check_sizes(labels, operands)
    output = output_labels(right, labels) if arrow else implied_output(labels)
    return contracted(list(operands), labels, output)


def from_lists(args: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
    """The form `einsum(a, [0, 1], b, [1, 2], [0, 2])` as an equation and its operands."""
    operands, subscripts = args[0 : len(args) // 2 * 2 : 2], args[1::2]
    letters = string.ascii_uppercase + string.ascii_lowercase

    def term(places: Any) -> str:
        return "".join("..." if place is Ellipsis else letters[place] for place in places)

    equation = ",".join(term(places) for places in subscripts)
    return (f"{equation}->{term(args[-1])}" if len(args) % 2 else equation), tuple(operands)


def labels_of(term: str, ndim: int, place: int) -> list[Label]:
    """The label of every dimension of one operand."""
    before, dots, after = term.partition("...")
    for letter in before + after:
        if letter not in string.ascii_letters:
            fail(
                f"invalid subscript given at index {term.index(letter)} in the equation string, subscripts must be in "
                "[a-zA-Z]"
            )
    count = len(before) + len(after)
    if not dots and count != ndim:
        fail(
            f"the number of subscripts in the equation ({count}) does not match the number of dimensions ({ndim}) for "
            f"operand {place} and no ellipsis was given"
        )
    if count > ndim:
        fail(
            f"the number of subscripts in the equation ({count}) is more than the number of dimensions ({ndim}) for "
            f"operand {place}"
        )
    return [*before, *range(count - ndim, 0), *after]


def check_sizes(labels: list[list[Label]], operands: Sequence[Tensor]) -> None:
    """Raise unless a label has one length everywhere; 1 broadcasts."""
    sizes: dict[Label, int] = {}
    for place, (own, operand) in enumerate(zip(labels, operands, strict=True)):
        for label, size in zip(own, operand._array.shape, strict=True):
            known = sizes.setdefault(label, size)
            if known == 1:
                sizes[label] = size
            elif size not in (known, 1):
                fail(
                    f"subscript {label} has size {size} for operand {place} which does not broadcast with previously "
                    f"seen size {known}"
                )


def implied_output(labels: list[list[Label]]) -> list[Label]:
    """Without an arrow: the broadcast dimensions, then the letters that occur once, in alphabetical order."""
    every = [label for own in labels for label in own]
    once = sorted(label for label in set(every) if isinstance(label, str) and every.count(label) == 1)
    return [*sorted({label for label in every if isinstance(label, int)}), *once]


def output_labels(term: str, labels: list[list[Label]]) -> list[Label]:
    """The labels after the arrow, each of which has to occur before it."""
    before, dots, after = term.partition("...")
    known = {label for own in labels for label in own}
    for letter in before + after:
        if letter not in known:
            fail(f"output subscript {letter} does not appear in the equation for any input operand")
        if (before + after).count(letter) > 1:
            fail(f"output subscript {letter} appears more than once in the output")
    broadcast = sorted(label for label in known if isinstance(label, int)) if dots else []
    return [*before, *broadcast, *after]


def contracted(operands: list[Tensor], labels: list[list[Label]], output: list[Label]) -> Tensor:
    """Bring all operands to one order of labels, then multiply and sum pair by pair."""
    summed = sorted({label for own in labels for label in own if label not in output}, key=str)
    order: list[Label] = [*output, *summed]
    aligned = [in_order(operand, own, order) for operand, own in zip(operands, labels, strict=True)]
    result = aligned[0]
    last = len(aligned) - 1
    rest = set(range(len(output), len(order)))
    if not last:
        return result.sum(sorted(rest)) if rest else result
    for place, operand in enumerate(aligned[1:], 1):
        # A dimension can be summed as soon as no later operand has it.
        done = {dim for dim in rest if all(later._array.shape[dim] == 1 for later in aligned[place + 1 :])}
        result = sum_of_products(result, operand, done)
    # What was summed stayed behind as dimensions of length 1.
    return reshaped(result, result._array.shape[: len(output)]) if rest else result


def in_order(operand: Tensor, own: list[Label], order: list[Label]) -> Tensor:
    """The operand with one dimension for each label of `order`, length 1 where it has none."""
    while len(set(own)) < len(own):
        first = next(place for place, label in enumerate(own) if label in own[place + 1 :])
        second = own.index(own[first], first + 1)
        operand = Diagonal.apply(operand, 0, first, second)
        own = [label for place, label in enumerate(own) if place not in (first, second)] + [own[first]]
    present = [label for label in order if label in own]
    operand = Permute.apply(operand, tuple(own.index(label) for label in present))
    for place, label in enumerate(order):
        if label not in own:
            operand = Unsqueeze.apply(operand, place)
    return operand


def sum_of_products(left: Tensor, right: Tensor, dims: set[int]) -> Tensor:
    """left * right summed over `dims`, which stay with length 1: one product of stacks of matrices."""
    x, y = left._array.shape, right._array.shape
    lonely_left = [dim for dim in sorted(dims) if y[dim] == 1 and x[dim] != 1]
    lonely_right = [dim for dim in sorted(dims) if x[dim] == 1 and y[dim] != 1]
    if lonely_left:
        left = left.sum(lonely_left, True)
    if lonely_right:
        right = right.sum(lonely_right, True)
    x, y = left._array.shape, right._array.shape
    inner = [dim for dim in sorted(dims) if x[dim] != 1 and y[dim] != 1]
    if not inner:
        return left * right
    others = [dim for dim in range(len(x)) if dim not in inner]
    shared = [dim for dim in others if x[dim] != 1 and y[dim] != 1]
    only_left = [dim for dim in others if x[dim] != 1 and y[dim] == 1]
    only_right = [dim for dim in others if x[dim] == 1 and y[dim] != 1]
    ones = [dim for dim in others if x[dim] == 1 and y[dim] == 1]

    def size(shape: tuple[int, ...], of: list[int]) -> int:
        return math.prod(shape[dim] for dim in of)

    first = permute(left, *shared, *only_left, *inner, *only_right, *ones)
    second = permute(right, *shared, *inner, *only_right, *only_left, *ones)
    batch, depth = size(x, shared), size(x, inner)
    product = bmm(
        reshaped(first, (batch, size(x, only_left), depth)), reshaped(second, (batch, depth, size(y, only_right)))
    )
    lengths = [
        *[x[dim] for dim in (*shared, *only_left)],
        *[y[dim] for dim in only_right],
        *([1] * (len(inner) + len(ones))),
    ]
    places = [*shared, *only_left, *only_right, *inner, *ones]
    back = tuple(places.index(dim) for dim in range(len(x)))
    return Permute.apply(reshaped(product, tuple(lengths)), back)
