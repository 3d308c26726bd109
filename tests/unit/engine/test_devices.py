"""'cuda' with an array module that stands in for CuPy: where tensors are, what refuses to mix, the same numbers."""

from __future__ import annotations

import copy
import pickle
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import engine as torch
from engine import devices
from engine.nn import functional as F
from engine.trace import Recorder
from tests.unit.engine.stand_in import StandIn, special

# -- without a GPU ------------------------------------------------------------------------------------------------


def test_without_a_gpu_the_questions_have_answers(no_cuda: None) -> None:
    assert torch.cuda.is_available() is False
    assert torch.cuda.device_count() == 0
    assert torch.cuda.is_initialized() is False
    torch.cuda.manual_seed(0)
    torch.cuda.empty_cache()
    assert torch.cuda.memory_allocated() == 0


@pytest.mark.parametrize(
    "ask",
    [
        lambda: torch.ones(2).cuda(),
        lambda: torch.ones(2).to("cuda"),
        lambda: torch.zeros(2, device="cuda:0"),
        lambda: torch.rand(2, device="cuda"),
        lambda: torch.nn.Linear(1, 1).to("cuda"),
        lambda: torch.nn.Linear(1, 1, device="cuda"),
        torch.cuda.synchronize,
        torch.cuda.current_device,
        torch.cuda.get_device_name,
    ],
)
def test_without_a_gpu_all_else_says_so(no_cuda: None, ask: Any) -> None:
    with pytest.raises(AssertionError, match="^Torch not compiled with CUDA enabled$"):
        ask()


def test_cupy_is_looked_for_once_and_only_when_asked(no_cuda: None, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        raise RuntimeError("cudaErrorInsufficientDriver")

    broken = SimpleNamespace(cuda=SimpleNamespace(runtime=SimpleNamespace(getDeviceCount=count)))
    monkeypatch.setitem(sys.modules, "cupy", broken)
    monkeypatch.setattr(devices, "find_spec", lambda name: object())
    monkeypatch.setattr(devices, "_probed", False)
    assert torch.ones(2, device="cpu").is_cpu and counted == 0
    assert not torch.cuda.is_available() and not torch.cuda.is_available()
    assert counted == 1


def test_cupy_with_a_gpu_is_used(no_cuda: None, monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = StandIn()
    module.cuda = SimpleNamespace(runtime=SimpleNamespace(getDeviceCount=lambda: 1))
    monkeypatch.setitem(sys.modules, "cupy", module)
    monkeypatch.setitem(sys.modules, "cupyx", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "cupyx.scipy", SimpleNamespace(special=special))
    monkeypatch.setattr(devices, "find_spec", lambda name: object())
    monkeypatch.setattr(devices, "_probed", False)
    assert torch.cuda.is_available()
    assert torch.ones(2, device="cuda").erf().is_cuda


@pytest.mark.parametrize("ask", [lambda: torch.device(0), lambda: torch.ones(2).to(0), lambda: torch.eye(2).cuda(0)])
def test_without_a_gpu_a_number_is_no_device(no_cuda: None, ask: Any) -> None:
    with pytest.raises(RuntimeError, match="^Cannot access accelerator device when none is available.$"):
        ask()


# -- where tensors are --------------------------------------------------------------------------------------------


def test_transfers(cuda: None) -> None:
    x = torch.arange(6.0).reshape(2, 3)
    y = x.to("cuda")
    assert (str(y.device), y.is_cuda, y.is_cpu, y.get_device()) == ("cuda:0", True, False, 0)
    assert y.to("cuda") is y and y.cuda() is y and x.cpu() is x and x.to("cpu") is x
    assert y.cpu().tolist() == x.tolist() and y.cpu().device == torch.device("cpu")
    assert y.to(torch.float64).device == torch.device("cuda", 0)
    assert y.to("cpu", torch.float64).dtype is torch.float64
    assert x.to(y).is_cuda and x.type_as(y).is_cuda
    z = x.cuda()
    z[0, 0] = 9.0
    assert x[0, 0].item() == 0.0 and z[0, 0].item() == 9.0


@pytest.mark.parametrize(
    "make",
    [
        lambda **o: torch.tensor([1.0, 2.0], **o),
        lambda **o: torch.tensor(3.0, **o),
        lambda **o: torch.as_tensor([1.0], **o),
        lambda **o: torch.as_tensor(np.ones(2), **o),
        lambda **o: torch.zeros(2, 3, **o),
        lambda **o: torch.ones(2, **o),
        lambda **o: torch.empty(2, **o),
        lambda **o: torch.full((2,), 7, **o),
        lambda **o: torch.arange(4, **o),
        lambda **o: torch.linspace(0, 1, 5, **o),
        lambda **o: torch.logspace(0, 1, 5, **o),
        lambda **o: torch.eye(3, **o),
        lambda **o: torch.zeros_like(torch.ones(2), **o),
        lambda **o: torch.rand(2, 3, **o),
        lambda **o: torch.randn(2, 3, **o),
        lambda **o: torch.randint(0, 9, (4,), **o),
        lambda **o: torch.randperm(5, **o),
        lambda **o: torch.normal(0.0, 1.0, (3,), **o),
        lambda **o: torch.rand_like(torch.ones(3), **o),
        lambda **o: torch.ones(2).new_zeros(3, **o),
        lambda **o: torch.ones(2).new_tensor([1.0], **o),
    ],
)
def test_creation(cuda: None, make: Any) -> None:
    there, here = make(device="cuda"), make()
    assert there.is_cuda and there.dtype is here.dtype and there.shape == here.shape
    assert make(device="cpu").is_cpu and make(device=torch.device("cuda:0")).is_cuda


def test_what_is_made_like_a_tensor_is_where_it_is(cuda: None) -> None:
    x = torch.ones(2, 3, device="cuda")
    for made in (
        torch.zeros_like(x), torch.ones_like(x), torch.full_like(x, 3), torch.empty_like(x), torch.rand_like(x),
        torch.randn_like(x), torch.randint_like(x, 5), x.new_zeros(2), x.new_ones(2), x.new_full((2,), 1.0),
        x.new_tensor([1.0]), x.clone(), x.detach(), x.data, x[0], x.t(), x.bernoulli(0.5), copy.deepcopy(x),
        pickle.loads(pickle.dumps(x)), torch.tensor(3.0, device="cuda") + 1,
    ):  # fmt: skip
        assert made.is_cuda
    assert torch.zeros_like(x, device="cpu").is_cpu


def test_questions_about_the_gpu(cuda: None) -> None:
    assert torch.cuda.is_available() and torch.cuda.is_initialized() and torch.cuda.device_count() == 1
    assert torch.cuda.current_device() == 0
    assert torch.cuda.get_device_name() == "Stand-in" == torch.cuda.get_device_name("cuda:0")
    torch.cuda.synchronize()
    with pytest.raises(RuntimeError, match="invalid device ordinal"):
        torch.ones(2, device="cuda:1")


def test_a_default_device(cuda: None) -> None:
    assert torch.get_default_device() == torch.device("cpu")
    torch.set_default_device("cuda")
    try:
        assert torch.get_default_device() == torch.device("cuda:0")
        for made in (
            torch.tensor([1.0]), torch.zeros(2), torch.arange(3), torch.rand(2), torch.randperm(3),
            torch.as_tensor([1]), torch.full((2,), 1.0), torch.nn.Linear(1, 1).weight,
        ):  # fmt: skip
            assert made.is_cuda
        here = torch.ones(2, device="cpu")
        for made in (here, torch.zeros_like(here), torch.rand_like(here), here.new_ones(2), here + 1, here.clone()):
            assert made.is_cpu
        with torch.device("cpu"):
            assert torch.ones(1).is_cpu
        assert torch.ones(1).is_cuda
    finally:
        torch.set_default_device(None)
    with torch.device("cuda"):
        assert torch.ones(1).is_cuda
    assert torch.ones(1).is_cpu


def test_naming_a_device(cuda: None) -> None:
    assert repr(torch.device(0)) == "device(type='cuda', index=0)"
    for wrong, error, text in (
        ("cuda:", RuntimeError, "Invalid device string: 'cuda:'"),
        ("cuda:-1", RuntimeError, "Invalid device string: 'cuda:-1'"),
        (1.5, TypeError, "device() received an invalid combination of arguments - got (float)"),
    ):
        with pytest.raises(error) as raised:
            torch.device(wrong)
        assert str(raised.value).startswith(text)
    with pytest.raises(RuntimeError, match="must not include an index because index was passed explicitly: cuda:0"):
        torch.device("cuda:0", 1)


def test_printing(cuda: None) -> None:
    x = torch.tensor([1.0, 2.0], device="cuda", requires_grad=True)
    assert repr(x) == "tensor([1., 2.], device='cuda:0', requires_grad=True)"
    assert repr(x * 2) == "tensor([2., 4.], device='cuda:0', grad_fn=<MulBackward0>)"
    assert repr(torch.tensor(3, device="cuda")) == "tensor(3, device='cuda:0')"
    assert repr(torch.zeros(0, 2, device="cuda")) == "tensor([], device='cuda:0', size=(0, 2))"
    assert (
        repr(torch.zeros(1, dtype=torch.float64, device="cuda")) == "tensor([0.], device='cuda:0', dtype=torch.float64)"
    )
    assert f"{torch.tensor(1.5, device='cuda'):.2f}" == "1.50"


def test_numpy_needs_a_copy_on_the_cpu(cuda: None) -> None:
    x = torch.ones(2, device="cuda")
    text = "can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory first."
    for ask in (x.numpy, lambda: np.asarray(x)):
        with pytest.raises(TypeError) as raised:
            ask()
        assert str(raised.value) == text
    assert x.numpy(force=True).tolist() == [1.0, 1.0]
    assert x.tolist() == [1.0, 1.0] and x.sum().item() == 2.0 and bool(x[0]) and float(x[0]) == 1.0


# -- mixing -------------------------------------------------------------------------------------------------------

MIXES = {
    "add": lambda a, b: a + b,
    "mul": lambda a, b: a * b,
    "integers": lambda a, b: a.long() + b.long(),
    "comparison": lambda a, b: a < b,
    "in place": lambda a, b: a.clone().add_(b),
    "matmul": lambda a, b: a @ b.t(),
    "mm": lambda a, b: torch.mm(a, b.t()),
    "cat": lambda a, b: torch.cat([a, b]),
    "stack": lambda a, b: torch.stack([a, b]),
    "where": lambda a, b: torch.where(a > 0, a, b),
    "maximum": torch.maximum,
    "linear": lambda a, b: F.linear(a, b),
    "mse_loss": lambda a, b: F.mse_loss(a, b),
    "cross_entropy": lambda a, b: F.cross_entropy(a, b.argmax(1)),
    "embedding": lambda a, b: F.embedding(b.argmax(1), a),
    "batch_norm": lambda a, b: F.batch_norm(a, b[0], b[1], training=True),
    "layer_norm": lambda a, b: F.layer_norm(a, (3,), b[0]),
    "gather": lambda a, b: a.gather(0, b.long()),
    "index_select": lambda a, b: a.index_select(0, b[0].long()),
    "take": lambda a, b: a.take(b.long()),
    "scatter": lambda a, b: a.scatter(0, b.long(), 0.0),
    "scatter_add": lambda a, b: a.scatter_add(0, b.long(), a),
    "index_add": lambda a, b: a.index_add(0, b[0].long(), a),
    "einsum": lambda a, b: torch.einsum("ij,jk", a, b),
    "equal": torch.equal,
    "allclose": torch.allclose,
    "masked_fill": lambda a, b: a.masked_fill(b > 0, 0.0),
    "lerp": lambda a, b: a.lerp(b, 0.5),
}


@pytest.mark.parametrize("name", MIXES)
@pytest.mark.parametrize("order", [0, 1])
def test_devices_do_not_mix(cuda: None, name: str, order: int) -> None:
    operands = [torch.ones(3, 3), torch.ones(3, 3, device="cuda")]
    with pytest.raises(RuntimeError) as raised:
        MIXES[name](operands[order], operands[1 - order])
    assert str(raised.value).startswith("Expected all tensors to be on the same device, but found at least two devices")


def test_a_number_on_the_cpu_goes_with_the_gpu(cuda: None) -> None:
    x = torch.tensor([1.0, 2.0], device="cuda", requires_grad=True)
    for w in (torch.tensor(3.0, requires_grad=True), torch.ones(2)[0].clone().detach_().fill_(3.0).requires_grad_()):
        x.grad = None
        y = (w * x + w - x / w).sum()
        assert y.is_cuda
        y.backward()
        assert w.grad.is_cpu and w.grad.item() == pytest.approx(3 + 2 + 3 / 9)
        assert x.grad.is_cuda and x.grad.tolist() == pytest.approx([3 - 1 / 3] * 2)
    (slope,) = torch.autograd.grad(w * torch.tensor(2.0, device="cuda"), w, create_graph=True)
    assert slope.is_cpu and slope.item() == 2.0


def test_a_gradient_has_to_be_where_its_tensor_is(cuda: None) -> None:
    x = torch.ones(2, device="cuda", requires_grad=True)
    with pytest.raises(RuntimeError, match="^invalid gradient at index 0 - expected device cuda:0 but got cpu$"):
        (x * 2).backward(torch.ones(2))
    with pytest.raises(RuntimeError, match="different device"):
        x.grad = torch.ones(2)


# -- programs -----------------------------------------------------------------------------------------------------


def test_gradients_pass_through_a_transfer(cuda: None) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x.cuda()
    (y * y).sum().backward()
    assert y.grad_fn.name() == "ToCopyBackward0"
    assert x.grad.is_cpu and x.grad.tolist() == [2.0, 4.0]


def test_leaves_do_not_share_a_gradient(cuda: None) -> None:
    a, b = (torch.ones(2, device="cuda", requires_grad=True) for _ in range(2))
    (a + b).sum().backward()
    a.grad.zero_()
    assert b.grad.tolist() == [1.0, 1.0]
    c = a + b
    c.backward(torch.ones(2, device="cuda"))
    c.sum().backward()
    assert a.grad.tolist() == [2.0, 2.0] and b.grad.tolist() == [3.0, 3.0] and b.grad.is_cuda


def test_fitting_a_line_by_hand(cuda: None) -> None:
    def fitted(device: str) -> list[float]:
        x = torch.linspace(-1, 1, 20, device=device)
        y = 3 * x + 2
        w = torch.zeros(1, requires_grad=True, device=device)
        b = torch.zeros((), requires_grad=True, device=device)
        for _ in range(30):
            loss = ((w * x + b - y) ** 2).mean()
            loss.backward()
            with torch.no_grad():
                w -= 0.1 * w.grad
                b -= 0.1 * b.grad
            w.grad.zero_()
            b.grad = None
        assert w.device.type == loss.device.type == device
        return [w.item(), b.item(), loss.item()]

    assert fitted("cuda") == fitted("cpu")


OPTIMIZERS = {
    "SGD": lambda p: torch.optim.SGD(p, lr=0.1),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01, nesterov=True),
    "Adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "amsgrad": lambda p: torch.optim.Adam(p, lr=0.01, amsgrad=True, weight_decay=0.1),
    "AdamW": lambda p: torch.optim.AdamW(p, lr=0.01),
    "RMSprop": lambda p: torch.optim.RMSprop(p, lr=0.01, momentum=0.5, centered=True),
    "Adagrad": lambda p: torch.optim.Adagrad(p, lr=0.01),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_a_network(cuda: None, name: str) -> None:
    def trained(device: str) -> tuple[list[float], Any]:
        torch.manual_seed(0)
        model = torch.nn.Sequential(
            torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.BatchNorm1d(8), torch.nn.Tanh(), torch.nn.Linear(8, 3)
        )
        inputs, labels = torch.randn(10, 4), torch.randint(0, 3, (10,))
        model.to(device)
        optimizer = OPTIMIZERS[name](model.parameters())
        losses = []
        for _ in range(4):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(inputs.to(device)), labels.to(device))
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
        assert all(p.device.type == p.grad.device.type == device for p in model.parameters())
        return losses, model

    (losses, model), (expected, reference) = trained("cuda"), trained("cpu")
    assert losses == pytest.approx(expected, rel=1e-6)
    for one, other in zip(model.cpu().state_dict().values(), reference.state_dict().values(), strict=True):
        assert one.is_cpu
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-5, atol=1e-7)


def test_batches_go_to_the_gpu(cuda: None) -> None:
    from engine.utils.data import DataLoader, TensorDataset

    data = TensorDataset(torch.arange(6.0), torch.arange(6))
    for x, y in DataLoader(data, batch_size=3):
        assert x.is_cpu and x.to("cuda").is_cuda and y.cuda().dtype is torch.int64


def test_random_numbers_follow_the_seed(cuda: None) -> None:
    def drawn() -> list[Any]:
        x = torch.empty(5, device="cuda")
        return [
            torch.rand(3, device="cuda").tolist(), torch.randn(20, device="cuda").tolist(),
            x.uniform_(-1, 1).tolist(), x.normal_(2, 3).tolist(), torch.randperm(6, device="cuda").tolist(),
            x.exponential_().tolist(), x.bernoulli_(0.5).tolist(), x.random_(0, 9).tolist(),
            torch.bernoulli(torch.full((4,), 0.5, device="cuda")).tolist(),
            torch.multinomial(torch.ones(4, device="cuda"), 2).tolist(),
            F.dropout(torch.ones(8, device="cuda")).tolist(),
        ]  # fmt: skip

    torch.manual_seed(1)
    first, again = drawn(), drawn()
    torch.manual_seed(1)
    assert drawn() == first != again
    torch.cuda.manual_seed(2)
    other = drawn()
    torch.cuda.manual_seed(2)
    assert drawn() == other != first
    assert torch.rand(100, device="cuda").max().item() < 1


# -- writing, saving, recording ------------------------------------------------------------------------------------


def test_assignment(cuda: None) -> None:
    for device in ("cpu", "cuda"):
        x = torch.zeros(3, 4, device=device)
        x[0] = 1.0
        x[1, 2:] = torch.ones(2, device=device) * 2
        x[x == 0] = 7.0
        x[torch.tensor([2, 2]), torch.tensor([0, 1])] = torch.tensor([5.0, 6.0], device=device)
        x[:, 3] += 1
        x.view(12)[4] = -1.0
        x[2].zero_()
        assert x.device.type == device
        assert x.tolist() == [[1.0, 1.0, 1.0, 2.0], [-1.0, 7.0, 2.0, 3.0], [0.0, 0.0, 0.0, 0.0]]


def test_a_tensor_on_the_cpu_is_not_indexed_from_the_gpu(cuda: None) -> None:
    with pytest.raises(RuntimeError) as raised:
        torch.ones(3)[torch.tensor([0], device="cuda")]
    assert str(raised.value) == "indices should be either on cpu or on the same device as the indexed tensor (cpu)"


def test_writing_over_a_stretched_tensor_is_refused(cuda: None) -> None:
    with pytest.raises(RuntimeError, match="more than one element of the written-to tensor refers to a single memory"):
        torch.ones(1, 2, device="cuda").expand(3, 2).add_(1)


def test_a_function_of_ones_own(cuda: None) -> None:
    class Twice(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            assert grad.is_cuda
            return grad * 2 * ctx.saved_tensors[0]

    x = torch.tensor([1.0, 3.0], device="cuda", requires_grad=True)
    Twice.apply(x).sum().backward()
    assert x.grad.is_cuda and x.grad.tolist() == [2.0, 6.0]


def test_saving_and_loading(cuda: None, tmp_path: Any) -> None:
    torch.save({"x": torch.arange(3.0, device="cuda")}, tmp_path / "x.pt")
    assert torch.load(tmp_path / "x.pt")["x"].is_cuda
    assert torch.load(tmp_path / "x.pt", map_location="cpu")["x"].tolist() == [0.0, 1.0, 2.0]
    devices.use_array_module(None)
    devices._probed = True
    with pytest.raises(RuntimeError, match="^Attempting to deserialize object on a CUDA device"):
        torch.load(tmp_path / "x.pt")


def test_a_state_goes_from_device_to_device(cuda: None) -> None:
    here, there = torch.nn.Linear(2, 3), torch.nn.Linear(2, 3).cuda()
    there.load_state_dict(here.state_dict())
    assert there.weight.is_cuda and isinstance(there.weight, torch.nn.Parameter) and there.weight.is_leaf
    assert there.weight.tolist() == here.weight.tolist()
    assert copy.deepcopy(there).weight.is_cuda
    torch.nn.init.xavier_uniform_(there.weight)
    torch.nn.init.zeros_(there.bias)
    assert there.weight.is_cuda and there.bias.tolist() == [0.0] * 3
    there.to("cpu", torch.float64)
    assert there.weight.is_cpu and there.weight.dtype is torch.float64


def test_a_recorded_run_shows_the_numbers(cuda: None) -> None:
    recorder = Recorder()
    x = torch.tensor([1.0, 2.0], device="cuda", requires_grad=True)
    with recorder.recording(cell="c1", source="(x * x).sum().backward()", filename="<cell 1>", namespace={"x": x}):
        (x * x).sum().backward()
    document = recorder.document()
    assert document is not None
    assert [1.0, 4.0] in [node["value"]["numbers"] for node in document["nodes"] if node["kind"] == "tensor"]
