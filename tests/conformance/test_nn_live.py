"""Layers, losses, functions and data loading: the same lines run in the engine and in the installed PyTorch.

What a line gives, as text, and what it raises or warns must be the same; numbers may differ in the last digit shown.
"""

from __future__ import annotations

import math
import re
import warnings
from typing import Any

import pytest

import engine
import engine.nn.functional
import engine.utils.data

torch = pytest.importorskip("torch")
if "engine" in torch.__name__:
    pytest.skip("torch is the engine here", allow_module_level=True)
import torch.nn.functional  # noqa: E402
import torch.utils.data  # noqa: E402

SETUP = """
torch.manual_seed(0)
p = torch.tensor([.2, .7], requires_grad=True)
i = torch.tensor([1, 0])
d = torch.tensor([0., 1.]).double()
X = torch.randn(2, 3, requires_grad=True)
img = torch.randn(2, 3, 6, 5, requires_grad=True)
seq = torch.randn(2, 3, 7, requires_grad=True)
w2 = torch.randn(4, 3, 3, 2, requires_grad=True)
w1 = torch.randn(4, 3, 3, requires_grad=True)
b4 = torch.randn(4, requires_grad=True)
ds = D.TensorDataset(torch.arange(10.), torch.arange(10))
class Empty(nn.Module): pass
class Early(nn.Module):
    def __init__(self): self.l = nn.Linear(1, 1)
class EarlyParameter(nn.Module):
    def __init__(self): self.l = nn.Parameter(torch.ones(1))
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.l = nn.Linear(2, 3)
        self.w = nn.Parameter(torch.ones(2))
        self.register_buffer('b', torch.zeros(1))
        self.more = nn.ModuleList([nn.ReLU(), nn.ReLU(), nn.Sequential(nn.Linear(3, 1), nn.Dropout())])
    def forward(self, x): return self.more[2](self.l(x * self.w))
class Stream(D.IterableDataset):
    def __iter__(self): return iter(range(5))
net = Net()
def grads(f, *a):
    for v in a: v.grad = None
    y = f(*a)
    (y * torch.arange(y.numel()).reshape(y.shape).float().sin()).sum().backward()
    return [v.grad.clone() for v in a]
"""

MODULES = """
Empty()(1)
Early()
EarlyParameter()
Empty().foo
setattr(net, 'l', 3)
setattr(net, 'w', 3)
setattr(net, 'b', 3)
setattr(net, 'w', torch.ones(1))
setattr(net, 'l', torch.ones(1))
setattr(net, 'w', net.w * 2)
net.register_parameter('a.b', None)
net.register_parameter('', None)
net.register_parameter('z', torch.ones(1))
net.register_parameter(3, None)
net.register_parameter('forward', None)
net.register_buffer('w', torch.ones(1))
net.register_buffer('q', 3)
net.add_module('x', 3)
net.add_module('w', nn.ReLU())
net.add_module('a.b', nn.ReLU())
net.add_module('', nn.ReLU())
net.add_module(3, nn.ReLU())
net.load_state_dict({})
net.load_state_dict({'w': torch.ones(3), 'q': 1})
net.load_state_dict({'w': torch.ones(2)}, strict=False)
net.load_state_dict(3)
net.load_state_dict(net.state_dict())
net.load_state_dict({**net.state_dict(), 'w': 3})
net.get_parameter('l.weight').shape
net.get_submodule('l.x')
net.get_submodule('w')
net.get_parameter('l.q')
net.get_parameter('l')
net.train(3)
net.to('cuda')
net.to(torch.int32)
net.cuda()
net.state_dict()
net.state_dict()._metadata
list(net.named_buffers())
[name for name, _ in net.named_modules()]
[name for name, _ in net.named_parameters()]
[name for name, _ in net.named_children()]
net
net.eval().training, net.more[2][1].training
net.eval()(torch.ones(1, 2))
net.double().l.weight.dtype, net.b.dtype
net.half().w
net.requires_grad_(False).w
net.apply(lambda m: None) is net
net.zero_grad()
type(net.l), type(net.w), nn.Parameter
nn.Sequential(nn.ReLU(), 3)
nn.ModuleList([3])
nn.ModuleList(3)
nn.ModuleDict({'a': 3})
nn.ModuleDict([3])
nn.Sequential(nn.ReLU())['a']
nn.Sequential(), nn.ModuleList(), nn.ModuleDict()
nn.ModuleDict({'a': nn.ReLU()})
nn.ParameterList([torch.ones(2), nn.Parameter(torch.ones(1)), 3])
nn.Sequential(nn.Linear(1, 2), nn.ReLU())[0:1]
nn.Sequential(nn.ReLU())[-4]
nn.Sequential(nn.ReLU()).append(nn.Tanh())
nn.Sequential(nn.ReLU()) + nn.Sequential(nn.Tanh())
nn.Sequential(nn.ReLU()).insert(0, nn.Tanh())
nn.Sequential(nn.ReLU()) * 2
nn.Sequential({'a': nn.ReLU()})
nn.Module()
nn.Linear(2)
nn.Linear(0, 2).weight
nn.Linear(-1, 2)
nn.Linear(2, 3)('a')
nn.Linear(2, 3)()
nn.Parameter(torch.ones(2))
nn.Parameter(3)
nn.Parameter(torch.ones(2).int())
nn.Parameter()
nn.Parameter(torch.ones(2).int(), requires_grad=False)
type(nn.Parameter(torch.ones(2)) * 2)
nn.Parameter(torch.ones(2, requires_grad=True) * 2).is_leaf
nn.Linear(3, 2)(X).grad_fn.next_functions
nn.Linear(3, 2)(X[0])
nn.Linear(3, 2)(X[None])
nn.Linear(3, 2, bias=False)(X[None])
nn.Linear(3, 2, bias=False)(X[0])
nn.Linear(3, 2)(torch.ones(4, 5))
nn.Linear(3, 2)(X.double())
nn.Flatten()(torch.ones(2, 3, 4)).shape, nn.Flatten(0), nn.Unflatten(1, (2, 3))
nn.Softmax()(p)
nn.Dropout(2)
nn.Bilinear(2, 3, 4), nn.Bilinear(2, 3, 4)(torch.ones(5, 2), torch.ones(5, 3))
nn.Embedding(3, 4, padding_idx=0), nn.Embedding(3, 4, padding_idx=0)(i)
"""

REPRS = """
nn.L1Loss(), nn.MSELoss(), nn.BCELoss(), nn.BCEWithLogitsLoss(), nn.CrossEntropyLoss(), nn.NLLLoss(), nn.KLDivLoss()
nn.SmoothL1Loss(), nn.HuberLoss(), nn.ReLU(), nn.ReLU6(), nn.LeakyReLU(), nn.ELU(), nn.SELU(), nn.CELU(), nn.GELU()
nn.SiLU(), nn.Mish(), nn.Sigmoid(), nn.Tanh(), nn.Softplus(), nn.Softsign(), nn.LogSigmoid(), nn.Hardtanh()
nn.Hardsigmoid(), nn.Hardswish(), nn.Softmax(), nn.LogSoftmax(), nn.Softmin(), nn.Tanhshrink(), nn.PReLU(), nn.GLU()
nn.Dropout(), nn.Dropout1d(), nn.Dropout2d(0.2, True), nn.Identity(3, a=2), nn.ReLU(inplace=True), nn.Threshold(1, 2)
nn.LeakyReLU(0.2, True), nn.GELU('tanh'), nn.MSELoss(reduction='foo'), nn.Hardtanh(-2, 2), nn.PReLU(3)
nn.Softshrink(), nn.Hardshrink(), nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3, padding=1, stride=2, bias=False)
nn.Conv2d(4, 4, (3, 2), groups=2, dilation=2), nn.Conv1d(3, 4, 3), nn.Conv2d(3, 4, 3, padding='same')
nn.MaxPool2d(3, stride=2, padding=1), nn.MaxPool1d(2), nn.AvgPool2d(2), nn.AvgPool1d(2), nn.AdaptiveAvgPool2d((2, 3))
nn.LayerNorm(5), nn.LayerNorm((6, 5), eps=1e-3, elementwise_affine=False), nn.LayerNorm(5, bias=False)
nn.BatchNorm1d(3), nn.BatchNorm2d(3, momentum=None, affine=False)
"""

LOSSES = """
F.mse_loss(p, i)
F.mse_loss(p, d)
F.mse_loss(i, i)
F.mse_loss(p, torch.ones(2, 2))
F.mse_loss(p, torch.ones(3))
F.mse_loss(p, 3)
F.mse_loss(p, p.detach(), reduction='foo')
F.mse_loss(p, p.detach() * 2, reduction='none')
F.mse_loss(torch.ones(0), torch.ones(0))
F.l1_loss(p, i)
F.l1_loss(p, i.float(), reduction='none')
F.l1_loss(p, torch.ones(2, 2))
F.binary_cross_entropy(p, i)
F.binary_cross_entropy(p, d)
F.binary_cross_entropy(p, i.float())
F.binary_cross_entropy(p, i.float(), weight=torch.tensor([1., 3.]), reduction='none')
F.binary_cross_entropy(p, torch.ones(1))
F.binary_cross_entropy(p + 1, torch.ones(2))
F.binary_cross_entropy(p, torch.ones(2) + 1)
F.binary_cross_entropy(torch.tensor([0., 1.]), torch.tensor([1., 1.]))
F.binary_cross_entropy_with_logits(p, i)
F.binary_cross_entropy_with_logits(p, d)
F.binary_cross_entropy_with_logits(p, torch.ones(1))
F.binary_cross_entropy_with_logits(p * 100, i.float(), pos_weight=torch.tensor(2.))
F.cross_entropy(X, torch.tensor([0, 3]))
F.cross_entropy(X, torch.tensor([0, -1]))
F.cross_entropy(X, torch.tensor([0, 1, 2]))
F.cross_entropy(X, torch.tensor([0., 1.]))
F.cross_entropy(X, torch.tensor([0, 1], dtype=torch.int32))
F.cross_entropy(X[0], torch.tensor(1))
F.cross_entropy(X, i)
F.cross_entropy(X, i, label_smoothing=.1)
F.cross_entropy(X, i, label_smoothing=.1, weight=torch.tensor([1., 2., 3.]))
F.cross_entropy(X, torch.tensor([0, -100]), label_smoothing=.1, reduction='sum')
F.cross_entropy(X, i, weight=torch.ones(2))
F.cross_entropy(X, i, weight=torch.tensor([1., 2., 3.]))
F.cross_entropy(X, torch.tensor([0, -100]))
F.cross_entropy(X, torch.tensor([-100, -100]))
F.cross_entropy(seq, torch.zeros(2, 7).long())
F.cross_entropy(X, i, reduction='none')
F.cross_entropy(X, torch.tensor([True, False]))
F.nll_loss(X, i)
F.smooth_l1_loss(p * 5, i.float())
F.smooth_l1_loss(p, i.float(), beta=0)
F.smooth_l1_loss(p, i.float(), beta=-1)
F.huber_loss(p * 5, i.float(), delta=2.)
F.huber_loss(p, i.float(), delta=0)
F.kl_div(p.log(), torch.tensor([.5, .5]))
F.kl_div(p.log(), torch.tensor([.5, .5]), reduction='batchmean')
grads(lambda x: F.binary_cross_entropy(x, i.float()), p)
grads(lambda x: F.binary_cross_entropy_with_logits(x, i.float(), pos_weight=torch.tensor([2., 3.])), p)
grads(lambda x: F.cross_entropy(x, i, label_smoothing=.1), X)
grads(lambda x: F.cross_entropy(x, torch.softmax(X.detach(), 1)), X)
grads(lambda x: F.mse_loss(x, i.float()), p)
grads(lambda x: F.huber_loss(x * 3, i.float()), p)
grads(lambda x: F.smooth_l1_loss(x * 3, i.float()), p)
nn.BCELoss()(p, i.float())
nn.CrossEntropyLoss(weight=torch.tensor([1., 2., 3.])).state_dict()
"""

ACTIVATIONS = [
    "leaky_relu", "elu", "gelu", "silu", "selu", "celu", "mish", "softplus", "logsigmoid", "hardtanh", "relu6",
    "softsign", "tanhshrink", "hardsigmoid", "hardswish", "relu", "sigmoid", "tanh", "hardshrink", "softshrink",
]  # fmt: skip

FUNCTIONS = "\n".join(f"F.{name}(X)\nF.{name}(i)\ngrads(F.{name}, X)" for name in ACTIVATIONS)
FUNCTIONS += """
F.softmax(p, 0)
F.softmax(p, dim=3)
F.softmin(p, 0)
F.softmax(p)
F.log_softmax(p, 0, dtype=torch.float64)
F.gelu(p, approximate='tanh')
F.gelu(p, approximate='x')
F.relu(p.clone(), inplace=True)
F.relu(p, inplace=True)
F.threshold(p, .5, 9.)
F.prelu(p, torch.tensor([.25]))
grads(F.prelu, X, b4[:1].detach().requires_grad_())
F.glu(torch.ones(4))
F.dropout(X)
F.dropout(p, training=False) is p, F.dropout(p, 0.) is p
F.dropout(p, 1.)
F.dropout(i)
F.dropout(X.clone(), 0.2, inplace=True)
F.dropout2d(img)[0, :, 0, 0]
F.dropout(p, 1.5)
F.one_hot(torch.tensor([0, 2]))
F.one_hot(torch.tensor([0, 2]), 2)
F.one_hot(torch.tensor([-1]), 2)
F.one_hot(torch.tensor(1), 3)
F.one_hot(i.int(), 3)
F.normalize(X)
F.cosine_similarity(X, X)
F.embedding(i, X)
F.embedding(torch.tensor([0, 7]), X)
F.embedding(torch.tensor([0.]), X)
F.embedding([0], X)
grads(lambda x: F.embedding(torch.tensor([1, 1, 0]), x, padding_idx=0), X)
F.linear(p, torch.ones(3, 2), torch.ones(3))
F.linear(p, torch.ones(2))
F.linear(X, torch.ones(3))
F.linear(torch.tensor(1.), torch.ones(2, 2))
F.foo
nn.Foo
torch.optim.Foo
"""

VISION = """
F.conv2d(img, w2, b4)
F.conv2d(img, w2, stride=2, padding=1)
F.conv2d(img, w2, b4, stride=(1, 2), padding=(1, 0), dilation=(2, 1))
F.conv2d(img, torch.ones(3, 1, 2, 2), groups=3)
F.conv2d(img[0], w2, b4).shape
F.conv2d(img, w2[..., :1], padding='same').shape
F.conv2d(img, torch.ones(4, 2, 3, 3))
F.conv2d(img, torch.ones(4, 3, 9, 9))
F.conv1d(seq, w1, b4)
F.conv1d(seq, w1, padding=1, stride=2)
nn.Conv2d(3, 4, 2, groups=2)
nn.Conv2d(3, 4, 3)(img)
nn.Conv1d(3, 4, 3)(seq)
F.max_pool2d(img, 2)
F.max_pool2d(img, (3, 2), stride=1, padding=(1, 0))
F.max_pool2d(img, 9)
F.max_pool2d(img, 3, 2, 2)
F.max_pool1d(seq, 2).detach()
F.avg_pool2d(img, 2)
F.avg_pool2d(img, (3, 2), 1, (1, 1))
F.avg_pool1d(seq, 2).detach()
F.adaptive_avg_pool2d(img, 1)
F.layer_norm(img, (5,))
F.layer_norm(img, (6, 5), torch.ones(6, 5) * 2, torch.ones(6, 5))
F.layer_norm(img, (4,))
F.layer_norm(img, 5)
nn.LayerNorm([6, 5])(img).shape
nn.BatchNorm2d(3)(img)
nn.BatchNorm2d(3).eval()(img)[0, 0]
nn.BatchNorm1d(3)(img)
nn.BatchNorm2d(4)(img)
nn.BatchNorm1d(3)(torch.ones(1, 3))
(lambda m: (m(img), m(img * 2), m.running_mean, m.running_var, m.num_batches_tracked)[2:])(nn.BatchNorm2d(3))
(lambda m: (m(img), m(img * 2), m.running_mean)[2:])(nn.BatchNorm2d(3, momentum=None))
F.pad(seq[0], (1, 2))
F.pad(seq[0, 0], (1, 2), value=5.)
F.pad(seq[0, 0], (-1, -2))
F.pad(seq[0, 0], (1,))
grads(lambda x, w, b: F.conv2d(x, w, b, stride=2, padding=1), img, w2, b4)
grads(lambda x, w, b: F.conv2d(x, w, b, dilation=2), img, w2, b4)
grads(lambda x: F.conv2d(x, torch.ones(6, 1, 2, 2), groups=3, padding=1), img)
grads(lambda x, w, b: F.conv1d(x, w, b, stride=3), seq, w1, b4)
grads(lambda x: F.max_pool2d(x, 3, 2, 1), img)
grads(lambda x: F.avg_pool2d(x, 3, 2, 1), img)
grads(lambda x: F.layer_norm(x, (5,)), img)
grads(lambda x, w, b: F.batch_norm(x, None, None, w, b, True), img, b4[:3].detach().requires_grad_(), w1[0, 0].detach().requires_grad_())
grads(lambda x: F.batch_norm(x, torch.ones(3) * .2, torch.ones(3) * 2), img)
grads(lambda x: F.pad(x, (1, 2, 3, 4)), img)
"""

INIT = """
[nn.init.xavier_uniform_(torch.empty(3, 4)), nn.init.xavier_normal_(torch.empty(3, 4), gain=2.)]
[nn.init.kaiming_uniform_(torch.empty(3, 4)), nn.init.kaiming_normal_(torch.empty(3, 4), mode='fan_out', nonlinearity='relu')]
[nn.init.zeros_(torch.empty(2)), nn.init.ones_(torch.empty(2)), nn.init.constant_(torch.empty(2), 3.), nn.init.eye_(torch.empty(2, 3))]
[nn.init.calculate_gain(name) for name in ('linear', 'tanh', 'relu', 'selu', 'leaky_relu', 'sigmoid')]
nn.init.calculate_gain('foo')
nn.init.xavier_uniform_(torch.empty(3))
nn.init.kaiming_uniform_(torch.empty(3, 4), mode='foo')
nn.init.kaiming_uniform_(torch.empty(0, 4))
nn.init.normal_(nn.Parameter(torch.empty(3)), 1., 2.)
"""

DATA = """
D.TensorDataset(torch.ones(2), torch.ones(3))
ds[0], ds[2:4], len(ds)
ds[20]
list(D.DataLoader(ds, batch_size=4))
list(D.DataLoader(ds, batch_size=4, drop_last=True)), len(D.DataLoader(ds, batch_size=4))
list(D.DataLoader([1, 2.5, 3], batch_size=2))
list(D.DataLoader([(1, 'a'), (2, 'b')], batch_size=2))
list(D.DataLoader([{'a': 1, 'b': [1, 2]}, {'a': 2, 'b': [3, 4]}], batch_size=2))
list(D.DataLoader(torch.arange(3), batch_size=None))
list(D.DataLoader([torch.ones(2), torch.ones(3)], batch_size=2))
list(D.DataLoader([None, None], batch_size=2))
D.DataLoader(ds, batch_size=0)
D.DataLoader(ds, batch_size=2.5)
D.DataLoader(ds, num_workers=-1)
D.DataLoader(ds, sampler=[1], shuffle=True)
D.DataLoader(ds, batch_sampler=[[1]], batch_size=2)
D.DataLoader(ds, batch_size=None, drop_last=True)
list(D.DataLoader(ds, batch_sampler=[[1, 2], [0]]))
D.DataLoader([], shuffle=True)
list(D.DataLoader(5))
D.random_split(ds, [5, 4])
[list(s.indices) for s in D.random_split(ds, [7, 3])], [list(s.indices) for s in D.random_split(ds, [.55, .45])]
[len(s) for s in D.random_split(ds, [1., 0.])]
[[b[1].tolist() for b in D.DataLoader(ds, 3, shuffle=True)] for _ in range(2)], torch.rand(1)
[b[1].tolist() for b in D.DataLoader(ds, 3, shuffle=True, generator=torch.Generator().manual_seed(5))]
list(D.RandomSampler(ds, replacement=True, num_samples=50)), list(D.RandomSampler(ds, num_samples=15))
list(D.WeightedRandomSampler([1, 2, 3.], 4)), list(D.SubsetRandomSampler([3, 4, 5]))
list(D.BatchSampler(D.SequentialSampler(ds), 4, False))
D.RandomSampler(ds, num_samples=0)
D.BatchSampler([1], 0, False)
D.Subset(ds, [1, 2])[0], list(D.ConcatDataset([ds, ds]))[-1], (ds + ds)[12]
D.ConcatDataset([])
D.Dataset()[0]
list(D.DataLoader(Stream(), batch_size=2))
D.DataLoader(Stream(), shuffle=True)
D.default_collate([(1, 2), (3,)])
ds
"""

LINES = [
    line for block in (MODULES, REPRS, LOSSES, FUNCTIONS, VISION, INIT, DATA) for line in block.split("\n") if line
]


def outcome(library: Any, line: str, setup: str = SETUP) -> tuple[str, list[str]]:
    """What one line gives, or raises, after the setup; and what it warns."""
    names: dict[str, Any] = {
        "torch": library,
        "nn": library.nn,
        "F": library.nn.functional,
        "D": library.utils.data,
        "__name__": "__main__",
    }
    exec(setup, names)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            text = repr(eval(line, names))
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
    return re.sub(r"0x[0-9a-f]+", "0x", text), [str(warning.message) for warning in caught]


NUMBER = re.compile(r"(?<![\w.])[+-]?\d+\.\d*(?:e[+-]?\d+)?(?![\w])")


def same_text(mine: str, theirs: str) -> bool:
    """Equal but for the last shown digit of fractions."""
    if mine == theirs:
        return True
    ours, others = NUMBER.findall(mine), NUMBER.findall(theirs)
    if len(ours) != len(others) or re.sub(r"\s+", " ", NUMBER.sub("#", mine)) != re.sub(
        r"\s+", " ", NUMBER.sub("#", theirs)
    ):
        return False
    return all(
        math.isclose(float(a), float(b), rel_tol=2e-4, abs_tol=2.1e-4) for a, b in zip(ours, others, strict=True)
    )


@pytest.mark.parametrize("line", LINES)
def test_line(line: str) -> None:
    mine, theirs = outcome(engine, line), outcome(torch, line)
    assert same_text(mine[0], theirs[0]), f"\n{mine[0]}\n---\n{theirs[0]}"
    assert mine[1] == theirs[1]
