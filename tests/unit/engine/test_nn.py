"""Networks: what a Module knows of its parts, PyTorch's own starting weights, training."""

from __future__ import annotations

import copy
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest

import engine as torch
from engine import nn, optim
from engine.nn import functional as F


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(2))
        self.hidden = nn.Linear(2, 3)
        self.rest = nn.ModuleList([nn.ReLU(), nn.Linear(3, 1)])
        self.register_buffer("mean", torch.zeros(2))

    def forward(self, x: Any) -> Any:
        return self.rest[1](self.rest[0](self.hidden((x - self.mean) * self.scale)))


def test_linear_starts_with_pytorchs_numbers() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(2, 3)
    assert layer.weight.tolist() == [
        [-0.005293981172144413, 0.37932288646698],
        [-0.5819807648658752, -0.5203874707221985],
        [-0.27234524488449097, 0.1896158903837204],
    ]
    assert layer.bias.tolist() == [-0.014010033570230007, 0.5606575012207031, -0.06275151669979095]


def test_convolution_and_dropout_draw_pytorchs_numbers() -> None:
    torch.manual_seed(0)
    assert F.dropout(torch.ones(6), 0.5).tolist() == [0.0, 0.0, 2.0, 0.0, 0.0, 0.0]
    layer = nn.Conv2d(1, 1, 2)
    assert layer.weight.flatten().tolist() == [
        -0.4776742458343506, -0.33114105463027954, -0.20611155033111572, 0.018521785736083984,
    ]  # fmt: skip
    assert layer.bias.tolist() == [0.19766759872436523]


def test_names_and_order() -> None:
    net = Net()
    assert [name for name, _ in net.named_parameters()] == [
        "scale", "hidden.weight", "hidden.bias", "rest.1.weight", "rest.1.bias",
    ]  # fmt: skip
    assert [name for name, _ in net.named_modules()] == ["", "hidden", "rest", "rest.0", "rest.1"]
    assert list(net.state_dict()) == [
        "scale", "mean", "hidden.weight", "hidden.bias", "rest.1.weight", "rest.1.bias",
    ]  # fmt: skip
    assert sum(parameter.numel() for parameter in net.parameters()) == 2 + 6 + 3 + 3 + 1


def test_a_shared_parameter_is_listed_once() -> None:
    layer = nn.Linear(2, 2)
    assert len(list(nn.Sequential(layer, layer).parameters())) == 2


def test_state_travels_to_another_network() -> None:
    first, second = Net(), Net()
    x = torch.ones(4, 2)
    assert first(x).tolist() != second(x).tolist()
    assert repr(second.load_state_dict(first.state_dict())) == "<All keys matched successfully>"
    assert first(x).tolist() == second(x).tolist()
    assert copy.deepcopy(first)(x).tolist() == first(x).tolist()


def test_a_copy_is_independent() -> None:
    net = Net()
    twin = copy.deepcopy(net)
    with torch.no_grad():
        twin.scale.mul_(2)
    assert net.scale.tolist() == [1.0, 1.0]


def test_loading_lists_everything_that_does_not_fit() -> None:
    with pytest.raises(RuntimeError) as raised:
        nn.Linear(2, 1).load_state_dict(OrderedDict(weight=torch.ones(1, 3), other=torch.ones(1)))
    assert str(raised.value) == (
        'Error(s) in loading state_dict for Linear:\n\tMissing key(s) in state_dict: "bias". \n\t'
        'Unexpected key(s) in state_dict: "other". \n\tsize mismatch for weight: copying a param with shape '
        "torch.Size([1, 3]) from checkpoint, the shape in current model is torch.Size([1, 2])."
    )


def test_train_and_eval_reach_every_part() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Dropout(0.9)))
    x = torch.ones(8, 2)
    net.eval()
    assert not net[1][0].training
    assert net(x).tolist() == net[0](x).tolist()


def test_hooks_see_and_change() -> None:
    layer = nn.Linear(1, 1, bias=False)
    nn.init.constant_(layer.weight, 3.0)
    seen: list[tuple[float, float]] = []
    before = layer.register_forward_pre_hook(lambda module, args: (args[0] * 2,))
    after = layer.register_forward_hook(lambda module, args, out: seen.append((args[0].item(), out.item())))
    assert layer(torch.ones(1)).item() == 6.0
    assert seen == [(2.0, 6.0)]
    before.remove()
    after.remove()
    assert layer(torch.ones(1)).item() == 3.0
    assert len(seen) == 1


def test_attributes_are_guarded() -> None:
    class Early(nn.Module):
        def __init__(self) -> None:
            self.layer = nn.Linear(1, 1)

    with pytest.raises(AttributeError, match=r"^cannot assign module before Module.__init__\(\) call$"):
        Early()
    net = Net()
    with pytest.raises(
        TypeError, match=r"^cannot assign 'torch.FloatTensor' as parameter 'scale' \(torch.nn.Parameter"
    ):
        net.scale = torch.ones(2)
    del net.hidden
    with pytest.raises(AttributeError, match=r"^'Net' object has no attribute 'hidden'$"):
        net.hidden  # noqa: B018


def test_texts() -> None:
    assert repr(nn.Sequential(nn.Linear(2, 3), nn.ReLU())) == (
        "Sequential(\n  (0): Linear(in_features=2, out_features=3, bias=True)\n  (1): ReLU()\n)"
    )
    assert repr(nn.ModuleList([nn.ReLU(), nn.ReLU(), nn.Tanh()])) == (
        "ModuleList(\n  (0-1): 2 x ReLU()\n  (2): Tanh()\n)"
    )
    assert repr(nn.Linear) == "<class 'torch.nn.modules.linear.Linear'>"
    with pytest.raises(AttributeError, match=r"^module 'torch.nn' has no attribute 'BCE'$"):
        nn.BCE  # noqa: B018


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda params: optim.SGD(params, lr=0.5, momentum=0.9), 0.6916117668151855),
        (lambda params: optim.Adam(params, lr=0.1), None),
    ],
)
def test_training_follows_pytorch(make: Any, expected: float | None) -> None:
    torch.manual_seed(1)
    net = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
    x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    y = torch.tensor([[0.0], [1.0], [1.0], [0.0]])
    optimizer = make(net.parameters())
    first = loss = F.binary_cross_entropy_with_logits(net(x), y)
    for _ in range(20):
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(net(x), y)
        loss.backward()
        optimizer.step()
    assert loss.item() < first.item()
    if expected is not None:
        assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_cross_entropy_equals_its_definition() -> None:
    scores = torch.tensor([[1.0, 2.0, 0.5], [0.1, -1.0, 3.0]])
    target = torch.tensor([1, 0])
    shares = np.exp(scores.numpy()) / np.exp(scores.numpy()).sum(1, keepdims=True)
    expected = -np.log(shares[[0, 1], [1, 0]])
    np.testing.assert_allclose(F.cross_entropy(scores, target, reduction="none").numpy(), expected, rtol=1e-6)
    assert F.cross_entropy(scores, target).item() == pytest.approx(expected.mean(), rel=1e-6)


def test_logits_stay_finite_where_probabilities_do_not() -> None:
    scores = torch.tensor([1000.0, -1000.0], requires_grad=True)
    loss = F.binary_cross_entropy_with_logits(scores, torch.tensor([0.0, 1.0]))
    loss.backward()
    assert loss.item() == 1000.0
    assert scores.grad.tolist() == [0.5, -0.5]


def test_gradients_are_clipped_together() -> None:
    a, b = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))
    a.grad, b.grad = torch.tensor([3.0]), torch.tensor([4.0])
    assert nn.utils.clip_grad_norm_([a, b], 1.0).item() == 5.0
    assert [a.grad.item(), b.grad.item()] == pytest.approx([0.6, 0.8], rel=1e-5)
