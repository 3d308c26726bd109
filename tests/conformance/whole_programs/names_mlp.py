"""Names letter by letter: counts of pairs, then a network over embeddings of three letters, then new names."""

import torch
import torch.nn.functional as F

names = "ada emil lena noor timo mila oskar frida anton klara bela irma otto rosa leo nina paul edda hugo lea".split()
letters = "." + "".join(sorted(set("".join(names))))
number = {letter: place for place, letter in enumerate(letters)}

counts = torch.zeros(len(letters), len(letters), dtype=torch.int32)
for name in names:
    for first, second in zip("." + name, name + ".", strict=True):
        counts[number[first], number[second]] += 1
P = (counts + 1).float()
P /= P.sum(1, keepdim=True)
print(counts.sum(), P[0, :5], P.sum(1).mean())

block = 3
rows, targets = [], []
for name in names:
    context = [0] * block
    for letter in name + ".":
        rows.append(context)
        targets.append(number[letter])
        context = context[1:] + [number[letter]]
X, Y = torch.tensor(rows), torch.tensor(targets)
print(X.shape, Y.shape, X.dtype)

g = torch.Generator().manual_seed(2147483647)
C = torch.randn((len(letters), 4), generator=g)
W1 = torch.randn((block * 4, 30), generator=g) * 0.2
b1 = torch.randn(30, generator=g) * 0.01
W2 = torch.randn((30, len(letters)), generator=g) * 0.1
b2 = torch.zeros(len(letters))
parameters = [C, W1, b1, W2, b2]
for p in parameters:
    p.requires_grad = True
print(sum(p.nelement() for p in parameters))

for i in range(200):
    ix = torch.randint(0, X.shape[0], (32,), generator=g)
    emb = C[X[ix]]
    h = torch.tanh(emb.view(-1, block * 4) @ W1 + b1)
    logits = h @ W2 + b2
    loss = F.cross_entropy(logits, Y[ix])
    for p in parameters:
        p.grad = None
    loss.backward()
    for p in parameters:
        p.data += -0.2 * p.grad
    if i % 50 == 0:
        print(f"{i:3d} {loss.item():.4f}")
print(f"whole set: {F.cross_entropy(torch.tanh(C[X].view(-1, block * 4) @ W1 + b1) @ W2 + b2, Y).item():.4f}")

g = torch.Generator().manual_seed(10)
for _ in range(5):
    out, context = [], [0] * block
    while len(out) < 12:
        emb = C[torch.tensor([context])]
        h = torch.tanh(emb.view(1, -1) @ W1 + b1)
        probs = F.softmax(h @ W2 + b2, dim=1)
        ix = torch.multinomial(probs, num_samples=1, generator=g).item()
        if ix == 0:
            break
        context = context[1:] + [ix]
        out.append(letters[ix])
    print("".join(out))
