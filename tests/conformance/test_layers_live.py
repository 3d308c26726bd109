"""Recurrent layers, attention, resampling, normalization, margins, hooks: as in `test_nn_live`, beside PyTorch."""

from __future__ import annotations

import pytest

import engine
from tests.conformance.test_nn_live import outcome, same_text, torch

SETUP = """
torch.manual_seed(0)
x = torch.randn(5, 2, 3, requires_grad=True)
q = torch.randn(2, 3, 4, 5, requires_grad=True)
e = torch.randn(3, 2, 8, requires_grad=True)
v = torch.randn(4, 5, requires_grad=True)
img = torch.randn(2, 4, 6, 5, requires_grad=True)
seq = torch.randn(2, 4, 7, requires_grad=True)
vol = torch.randn(1, 2, 3, 4, 5, requires_grad=True)
t = torch.tensor([1., -1., 1., -1.])
c = torch.tensor([0, 2, 4, 1])
said = []
def grads(f, *a):
    for each in a: each.grad = None
    y = f(*a)
    (y * torch.arange(y.numel()).reshape(y.shape).float().sin()).sum().backward()
    return [each.grad.clone() for each in a]
def learned(m, *a):
    y = m(*a)
    y = y[0] if isinstance(y, tuple) else y
    (y * torch.arange(y.numel()).reshape(y.shape).float().sin()).sum().backward()
    return [p.grad for p in m.parameters()]
"""

RECURRENT = "\n".join(
    f"""
nn.{kind}(3, 4)
nn.{kind}(3, 4)(x)
nn.{kind}(3, 4, 2, bidirectional=True, batch_first=True)(x)
nn.{kind}(3, 4, num_layers=2, dropout=.5)(x)
nn.{kind}(3, 4, bias=False)(x[:, 0])
learned(nn.{kind}(3, 4, 2, bidirectional=True), x)
grads(lambda x: nn.{kind}(3, 4)(x)[0], x)
nn.{kind}(3, 4, dropout=.5)
nn.{kind}(3, 4, batch_first=True, num_layers=3, bias=False)
nn.{kind}(0, 4)
nn.{kind}(3.5, 4)
nn.{kind}(3, 4)(x[..., :2])
nn.{kind}(3, 4)(x[0, 0])
nn.{kind}(3, 4)(x.double())
list(nn.{kind}(2, 2).state_dict())
nn.{kind}Cell(3, 4), nn.{kind}Cell(3, 4, bias=False)
nn.{kind}Cell(3, 4)(x[0])
nn.{kind}Cell(3, 4)(x[0, 0])
nn.{kind}Cell(3, 4)(x)
nn.{kind}Cell(3, 4)(x[0, :, :2])
learned(nn.{kind}Cell(3, 4), x[0])
"""
    for kind in ("RNN", "LSTM", "GRU")
)
RECURRENT += """
nn.RNN(3, 4, nonlinearity='relu')(x)
nn.RNN(3, 4, nonlinearity='foo')
nn.RNN(3, 4)(x, torch.zeros(1, 3, 4))
nn.RNN(3, 4)(x, torch.zeros(1, 4))
nn.GRU(3, 4)(x, torch.ones(1, 2, 4))
nn.LSTM(3, 4)(x, (torch.ones(1, 2, 4), torch.zeros(1, 2, 4)))
nn.LSTM(3, 4)(x, (torch.ones(1, 2, 5), torch.zeros(1, 2, 4)))
nn.LSTM(3, 4)(x, (torch.ones(1, 4), torch.zeros(1, 4)))
nn.LSTMCell(3, 4)(x[0], (torch.ones(2, 4), torch.zeros(2, 4)))
nn.RNNCell(3, 4)(x[0], torch.ones(2, 5))
nn.RNNCell(3, 4, nonlinearity='relu')
"""

ATTENTION = """
F.scaled_dot_product_attention(q, q, q)
F.scaled_dot_product_attention(q, q, q, is_causal=True)
F.scaled_dot_product_attention(q, q, q, attn_mask=torch.ones(4, 4).tril().bool())
F.scaled_dot_product_attention(q, q, q, attn_mask=torch.arange(16.).reshape(4, 4))
F.scaled_dot_product_attention(q, q, q, attn_mask=torch.tensor([True, False, True, True]).expand(4, 4), scale=.5)
F.scaled_dot_product_attention(q, q, q, attn_mask=torch.zeros(4, 4).bool())
F.scaled_dot_product_attention(q, q, q, attn_mask=torch.zeros(4, 4).bool(), is_causal=True)
F.scaled_dot_product_attention(q, q, q, dropout_p=.3)
F.scaled_dot_product_attention(q[0, 0], q[0, 0], q[0, 0])
F.scaled_dot_product_attention(q, q.double(), q)
F.scaled_dot_product_attention(q[0, 0, 0], q, q)
grads(lambda q: F.scaled_dot_product_attention(q, q, q * 2, is_causal=True), q)
grads(lambda q: F.scaled_dot_product_attention(q, q + 1, q * 2, attn_mask=torch.arange(16.).reshape(4, 4)), q)
grads(lambda q: F.scaled_dot_product_attention(q[0], q[0], q[0], attn_mask=torch.zeros(4, 4).bool()), q)
F.scaled_dot_product_attention(q, q, q, attn_mask=torch.zeros(4, 4, requires_grad=True), is_causal=True)
nn.MultiheadAttention(8, 2)
nn.MultiheadAttention(8, 2)(e, e, e)
nn.MultiheadAttention(8, 2)(e, e, e, need_weights=False)
nn.MultiheadAttention(8, 2, batch_first=True)(e, e, e)
nn.MultiheadAttention(8, 2, dropout=.3)(e, e, e)
nn.MultiheadAttention(8, 2, bias=False)(e[:, 0], e[:, 0], e[:, 0])
nn.MultiheadAttention(8, 2)(e, e[:2], e[:2], average_attn_weights=False)
nn.MultiheadAttention(8, 2, kdim=3, vdim=5)(e, torch.ones(4, 2, 3), torch.ones(4, 2, 5))
nn.MultiheadAttention(8, 2, add_bias_kv=True, add_zero_attn=True)(e, e, e)
nn.MultiheadAttention(8, 2)(e, e, e, key_padding_mask=torch.tensor([[False, True, False], [True, False, False]]))
nn.MultiheadAttention(8, 2)(e, e, e, attn_mask=torch.ones(3, 3).triu(1).bool(), need_weights=False, is_causal=True)
nn.MultiheadAttention(8, 2)(e, e, e, attn_mask=torch.ones(3, 3).triu(1) * -9)
nn.MultiheadAttention(8, 2)(e, e, e, attn_mask=torch.ones(2, 3))
nn.MultiheadAttention(8, 2)(e, e, e, is_causal=True)
nn.MultiheadAttention(8, 3)
nn.MultiheadAttention(8, 2)(e[..., :4], e[..., :4], e[..., :4])
nn.MultiheadAttention(8, 2)(e, e[0], e)
learned(nn.MultiheadAttention(8, 2), e, e, e)
nn.TransformerEncoderLayer(8, 2, 16)
nn.TransformerEncoderLayer(8, 2, 16)(e)
nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, norm_first=True, activation='gelu')(e)
nn.TransformerEncoderLayer(8, 2, 16, activation='foo')
nn.TransformerEncoderLayer(8, 2, 16, 0.)(e, src_mask=nn.Transformer.generate_square_subsequent_mask(3))
learned(nn.TransformerEncoderLayer(8, 2, 16, 0., batch_first=True), e)
nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2)(e)
nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), 2, nn.LayerNorm(8))
nn.TransformerDecoderLayer(8, 2, 16)(e, e + 1)
nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2, 16, norm_first=True), 2)(e, e)
nn.Transformer(8, 2, 1, 1, 16, 0.)(e, e[:2])
nn.Transformer.generate_square_subsequent_mask(3)
"""

GRIDS = """
nn.ConvTranspose2d(4, 3, 2), nn.ConvTranspose1d(4, 2, 3, 2, 1, 1, bias=False, dilation=2), nn.Conv3d(1, 2, 3)
nn.ConvTranspose2d(4, 3, 2)(img)
nn.ConvTranspose2d(4, 4, 3, stride=2, padding=1, output_padding=1, groups=2)(img)
nn.ConvTranspose2d(4, 3, 3, stride=2)(img, output_size=(14, 12)).shape
nn.ConvTranspose2d(4, 3, 3, stride=2)(img, output_size=(20, 12)).shape
nn.ConvTranspose1d(4, 3, 3)(seq)
nn.ConvTranspose1d(4, 3, 3)(seq[0]).shape
nn.ConvTranspose2d(3, 3, 3)(img)
learned(nn.ConvTranspose2d(4, 4, 3, stride=2, padding=1, groups=2), img)
grads(lambda i, w: F.conv_transpose2d(i, w, stride=2, padding=1), img, torch.randn(4, 2, 3, 3, requires_grad=True))
nn.Conv2d(4, 2, 3, padding=1, padding_mode='reflect'), nn.Conv2d(4, 2, 3, padding=1, padding_mode='circular')(img)
nn.Conv2d(4, 2, 3, padding='same', padding_mode='replicate')(img)
nn.Conv3d(2, 2, 2)(vol)
F.pad(img, (1, 2, 2, 1), mode='reflect')
F.pad(img, (1, 2, 2, 1), mode='replicate')
F.pad(img, (1, 2, 2, 1), mode='circular').detach()
F.pad(seq, (2, 1), mode='reflect')
F.pad(seq, (9, 1), mode='reflect')
F.pad(seq, (9, 1), mode='circular')
F.pad(img, (1, 1), mode='reflect')
F.pad(img, (1, 1), mode='foo')
[grads(lambda i: F.pad(i, (1, 2, 2, 1), mode=m), img) for m in ('reflect', 'replicate', 'circular')]
nn.ReflectionPad2d(1), nn.ZeroPad2d((1, 2, 0, 1)), nn.ConstantPad1d(2, 3.5), nn.CircularPad1d(1), nn.ReplicationPad1d(2)
nn.ConstantPad1d(2, 3.5)(seq)
F.interpolate(img, scale_factor=2)
F.interpolate(img, size=(4, 7))
F.interpolate(seq, scale_factor=1.5)
F.interpolate(img, size=(4, 7), mode='nearest-exact').detach()
F.interpolate(img, scale_factor=2, mode='bilinear')
F.interpolate(img, scale_factor=(1.5, .7), mode='bilinear')
F.interpolate(img, size=(9, 4), mode='bilinear', align_corners=True)
F.interpolate(img, size=(9, 4), mode='bicubic')
F.interpolate(img, size=(9, 4), mode='bicubic', align_corners=True)
F.interpolate(seq, size=5, mode='linear')
F.interpolate(img, size=(4, 3), mode='area')
F.interpolate(vol, scale_factor=2, mode='trilinear')
F.interpolate(img)
F.interpolate(img, 3, 2)
F.interpolate(img, size=(3, 3, 3))
F.interpolate(img, scale_factor=2, mode='nearest', align_corners=True)
[grads(lambda i: F.interpolate(i, size=(9, 4), mode=m), img) for m in ('nearest', 'bilinear', 'bicubic', 'area')]
nn.Upsample(scale_factor=2), nn.Upsample(size=(3, 3), mode='bilinear'), nn.UpsamplingNearest2d(scale_factor=2)
nn.Upsample(scale_factor=2, mode='bilinear', align_corners=True)(img)
F.max_pool2d(img, 2, ceil_mode=True)
F.max_pool2d(img, 3, 2, 1, ceil_mode=True, return_indices=True)
F.avg_pool2d(img, 2, ceil_mode=True)
F.avg_pool2d(img, 3, 2, 1, ceil_mode=True, count_include_pad=False)
F.avg_pool2d(img, 3, 2, 1, divisor_override=4)
F.max_pool3d(vol, 2)
F.avg_pool3d(vol, 2)
F.adaptive_avg_pool2d(img, (4, 3))
F.adaptive_avg_pool2d(img, (None, 3))
F.adaptive_avg_pool1d(seq, 3)
F.adaptive_max_pool2d(img, (4, 3))
F.adaptive_max_pool2d(img, (4, 3), return_indices=True)
F.adaptive_max_pool1d(seq, 3)
F.lp_pool2d(img.abs(), 2, 2)
grads(lambda i: F.max_pool2d(i, 3, 2, 1, ceil_mode=True), img)
grads(lambda i: F.avg_pool2d(i, 3, 2, 1, ceil_mode=True, count_include_pad=False), img)
grads(lambda i: F.adaptive_avg_pool2d(i, (4, 3)), img)
grads(lambda i: F.adaptive_max_pool2d(i, (4, 3)), img)
nn.AdaptiveMaxPool2d(3), nn.AdaptiveAvgPool1d(3), nn.LPPool2d(2, 3), nn.MaxPool2d(2, ceil_mode=True), nn.AvgPool3d(2)
F.unfold(img, 2), F.fold(torch.ones(1, 8, 6), (3, 4), 2)
F.unfold(img, (3, 2), dilation=2, padding=1, stride=2)
F.fold(torch.ones(1, 9, 6), (3, 4), 2)
F.fold(torch.ones(1, 8, 7), (3, 4), 2)
grads(lambda i: F.unfold(i, (3, 2), padding=1), img)
grads(lambda i: F.fold(i.reshape(2, 8, 15), (6, 4), 2), img)
nn.Unfold(2), nn.Fold((3, 4), 2)
F.pixel_shuffle(img, 2).detach(), nn.PixelShuffle(2), F.pixel_unshuffle(img[:, :, :, :4], 2).detach()
F.pixel_shuffle(seq, 3)
nn.GroupNorm(2, 4), nn.GroupNorm(2, 4)(img)
nn.GroupNorm(3, 4)
F.group_norm(img, 3)
F.group_norm(seq[0, 0], 1)
learned(nn.GroupNorm(2, 4), img)
grads(lambda i, w: F.group_norm(i, 2, w), img, torch.ones(4, requires_grad=True))
nn.InstanceNorm2d(4), nn.InstanceNorm2d(4)(img)
(lambda m: (m(img), m.running_mean, m.running_var)[1:])(nn.InstanceNorm2d(4, track_running_stats=True))
nn.RMSNorm(5), nn.RMSNorm(5)(img)
nn.LocalResponseNorm(2)(img)
nn.BatchNorm3d(2)(vol)
"""

LOSSES = """
F.margin_ranking_loss(v[:, 0], v[:, 1], t, margin=.5)
F.margin_ranking_loss(v, v, t)
F.hinge_embedding_loss(v[:, 0], t)
F.cosine_embedding_loss(v, v.flip(0), t, margin=.1)
F.cosine_embedding_loss(v, v, v)
F.triplet_margin_loss(v, v.flip(0), v.flip(1))
F.triplet_margin_loss(v, v.flip(0), v.flip(1), swap=True, p=1, reduction='none')
F.triplet_margin_loss(v, v, v, margin=-1)
F.soft_margin_loss(v[:, 0], t).detach()
F.multilabel_soft_margin_loss(v, (v > 0).float())
F.multi_margin_loss(v, c).detach(), F.multi_margin_loss(v, c, p=2, weight=torch.arange(5.), reduction='none').detach()
F.multi_margin_loss(v, c, p=3)
F.multilabel_margin_loss(v[0], torch.tensor([3, 0, -1, 1, 2])).detach()
F.poisson_nll_loss(v, v.abs() * 3)
F.poisson_nll_loss(v.abs(), v.abs() * 3, log_input=False, full=True)
F.gaussian_nll_loss(v, v + 1, v.abs())
F.gaussian_nll_loss(v, v + 1, v[:, 0].abs().detach(), full=True)
F.gaussian_nll_loss(v, v + 1, -v.abs())
F.gaussian_nll_loss(v, v + 1, torch.ones(3))
[grads(lambda v: f(v, v.flip(0), t), v) for f in (F.cosine_embedding_loss,)]
[grads(lambda v: f(v, v.flip(0), v.flip(1)), v) for f in (F.triplet_margin_loss,)]
grads(lambda v: F.multi_margin_loss(v, c), v)
grads(lambda v: F.multilabel_soft_margin_loss(v, (v > 0).float()), v)
nn.TripletMarginLoss(), nn.CosineEmbeddingLoss(.3), nn.PoissonNLLLoss(), nn.MultiMarginLoss(), nn.CosineSimilarity()
nn.GaussianNLLLoss()(v, v, torch.ones(4, 5)), nn.HingeEmbeddingLoss()(v[:, 0], t), nn.MarginRankingLoss()(t, -t, t)
nn.PairwiseDistance()(v, v.flip(0)).detach(), nn.CosineSimilarity()(v, v.flip(0))
F.alpha_dropout(v, .3, True).detach(), nn.AlphaDropout(.2)
F.rrelu(v), nn.RReLU()
F.rrelu(v, training=True)
F.gumbel_softmax(v), F.gumbel_softmax(v, hard=True).detach()
nn.Softmax2d()(img).sum(1).detach()
nn.Embedding(3, 2, max_norm=.5)(torch.tensor([0, 2])), nn.Embedding(3, 2, max_norm=1, norm_type=1)
nn.Embedding.from_pretrained(torch.ones(2, 3)), nn.Embedding.from_pretrained(torch.ones(2, 3)).weight
F.glu(v[:, :4]).detach()
"""

HOOKS = """
type("Bare", (nn.Module,), {"__init__": lambda self: None, "forward": lambda self, x: x})()(1)
(nn.Linear(5, 2).register_full_backward_hook(lambda m, i, o: said.append((i, o))), said)[1]
(lambda m: (m.register_full_backward_hook(lambda m, i, o: said.append((i, o))), m(v).sum().backward(), said))(nn.Tanh())[1:]
(lambda m: (m.register_full_backward_hook(lambda m, i, o: (i[0] * 2,)), m(v).sum().backward(), v.grad))(nn.Tanh())[1:]
(lambda m: (m.register_full_backward_pre_hook(lambda m, o: (o[0] * 3,)), m(v).sum().backward(), v.grad))(nn.Tanh())[1:]
(lambda m: (m.register_full_backward_hook(lambda m, i, o: (i, i)), m(v).sum().backward()))(nn.Tanh())
(lambda m: (m.register_full_backward_hook(lambda m, i, o: said.append((i, o))), m(v.detach()).sum().backward(), said))(nn.Linear(5, 1))[1:]
(lambda m: (m.register_full_backward_hook(lambda m, i, o: None), m(v)))(nn.ReLU())[1]
(lambda m: (m.register_forward_hook(lambda m, a, k, o: said.append((a, k)), with_kwargs=True), m(input=t), said))(nn.ReLU())[1:]
(lambda m: (m.register_forward_pre_hook(lambda m, a, k: ((), {'input': t * 2}), with_kwargs=True), m(t)))(nn.ReLU())[1]
(lambda m: (m.register_forward_hook(lambda *a: said.append(1)), m.register_forward_hook(lambda *a: said.append(2), prepend=True), m(t), said))(nn.ReLU())[3]
nn.utils.clip_grad_norm_([v], 1.)
(v.sum().backward(), nn.utils.clip_grad_norm_([v], 1.), v.grad, nn.utils.clip_grad_value_([v], .1), v.grad)
nn.utils.parameters_to_vector(nn.Linear(2, 3).parameters())
nn.Buffer(torch.ones(2)), nn.ReLU()
"""

LINES = [line for block in (RECURRENT, ATTENTION, GRIDS, LOSSES, HOOKS) for line in block.split("\n") if line]


@pytest.mark.parametrize("line", LINES)
def test_line(line: str) -> None:
    mine, theirs = outcome(engine, line, SETUP), outcome(torch, line, SETUP)
    assert same_text(mine[0], theirs[0]), f"\n{mine[0]}\n---\n{theirs[0]}"
    assert mine[1] == theirs[1]
