"""A character-level transformer written out: causal attention in several heads, blocks, training, sampling."""

import math

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(1337)
text = "to be or not to be that is the question whether it is nobler in the mind to suffer " * 4
letters = sorted(set(text))
data = torch.tensor([letters.index(letter) for letter in text])
block, width, heads = 16, 24, 3


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.proj = nn.Linear(width, width)
        self.register_buffer("mask", torch.tril(torch.ones(block, block)).view(1, 1, block, block))

    def forward(self, x):
        B, T, C = x.shape
        q, k, v = self.qkv(x).split(width, dim=2)
        q, k, v = (each.view(B, T, heads, C // heads).transpose(1, 2) for each in (q, k, v))
        scores = (q @ k.transpose(-2, -1)) / math.sqrt(k.size(-1))
        scores = scores.masked_fill(self.mask[:, :, :T, :T] == 0, float("-inf"))
        y = F.softmax(scores, dim=-1) @ v
        return self.proj(y.transpose(1, 2).contiguous().view(B, T, C))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln1, self.attn = nn.LayerNorm(width), Attention()
        self.ln2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        x = x + self.attn(self.ln1(x))
        return x + self.mlp(self.ln2(x))


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(len(letters), width)
        self.places = nn.Embedding(block, width)
        self.blocks = nn.Sequential(Block(), Block())
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, len(letters), bias=False)
        self.apply(self._init)

    def _init(self, module):
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, mean=0.0, std=0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, mean=0.0, std=0.02)

    def forward(self, index, targets=None):
        x = self.tokens(index) + self.places(torch.arange(index.shape[1]))
        logits = self.head(self.norm(self.blocks(x)))
        if targets is None:
            return logits, None
        return logits, F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1))


model = GPT()
print(model)
print(sum(p.numel() for p in model.parameters()))
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.95), weight_decay=0.1)
for step in range(30):
    at = torch.randint(len(data) - block, (8,))
    x = torch.stack([data[i : i + block] for i in at])
    y = torch.stack([data[i + 1 : i + 1 + block] for i in at])
    _, loss = model(x, y)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    if step % 10 == 0 or step == 29:
        print(step, f"{loss.item():.4f}")

q = torch.randn(1, heads, 4, 8)
hand = torch.softmax((q @ q.mT / 8**0.5).masked_fill(torch.ones(4, 4).triu(1).bool(), -torch.inf), -1) @ q
print(torch.allclose(F.scaled_dot_product_attention(q, q, q, is_causal=True), hand, atol=1e-6))

model.eval()
index = torch.zeros((1, 1), dtype=torch.long)
with torch.no_grad():
    for _ in range(15):
        logits, _ = model(index[:, -block:])
        top, _ = torch.topk(logits[:, -1, :], 5)
        last = logits[:, -1, :].masked_fill(logits[:, -1, :] < top[:, [-1]], -float("inf"))
        index = torch.cat([index, last.argmax(-1, keepdim=True)], dim=1)
print(repr("".join(letters[i] for i in index[0].tolist())))
