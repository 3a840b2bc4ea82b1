"""The forms in which attention is written, each as a module of its own."""

import math

import torch
from torch import nn
from torch.nn import functional

from case import ALL, Block, Case
from recorder import recorded

WIDTH, HEADS, TOKENS, BATCH = 12, 3, 7, 2
SIZE = WIDTH // HEADS


def tokens(batch=BATCH, length=TOKENS, width=WIDTH):
    return lambda: (torch.randn(batch, length, width),)


class Projecting(nn.Module):
    """Queries, keys and values of one input, and the projection of the result."""

    def __init__(self, width=WIDTH, heads=HEADS):
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.q, self.k, self.v, self.out = (nn.Linear(width, width) for _ in range(4))

    def split(self, x):
        return x.view(x.shape[0], x.shape[1], self.heads, -1).transpose(1, 2)

    def forward(self, x):
        y = self.norm(x)
        context = self.attend(self.split(self.q(y)), self.split(self.k(y)), self.split(self.v(y)))
        return x + self.out(context.transpose(1, 2).flatten(2))


class ScaledBehind(Projecting):
    def attend(self, q, k, v):
        return torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(SIZE), -1) @ v


class ScaledQueries(Projecting):
    def attend(self, q, k, v):
        return torch.softmax(q * SIZE**-0.5 @ k.transpose(-2, -1), -1) @ v


class ScaledBoth(Projecting):
    def attend(self, q, k, v):
        root = torch.sqrt(torch.sqrt(torch.tensor(float(SIZE))))
        return torch.softmax(q / root @ (k / root).transpose(-2, -1), -1) @ v


class AddedMask(Projecting):
    def attend(self, q, k, v):
        mask = torch.zeros(TOKENS)
        mask[-2:] = -1e4
        return torch.softmax(q @ k.transpose(-2, -1) * 0.3 + mask, -1) @ v


class ChosenMask(Projecting):
    def attend(self, q, k, v):
        hidden = torch.arange(TOKENS) > 4
        return torch.softmax((q @ k.transpose(-2, -1)).masked_fill(hidden, -1e9), -1) @ v


class FedMask(Projecting):
    """The mask is an input of the model."""

    def forward(self, x, mask):
        self.bias = (1.0 - mask[:, None, None, :].to(x.dtype)) * -1e4
        return super().forward(x)

    def attend(self, q, k, v):
        return torch.softmax(q @ k.transpose(-2, -1) + self.bias, -1) @ v


class Triangle(Projecting):
    def __init__(self):
        super().__init__()
        self.register_buffer('triangle', torch.ones(16, 16).tril().bool()[None, None])

    def attend(self, q, k, v):
        scores = q @ k.transpose(-2, -1) / math.sqrt(SIZE)
        seen = self.triangle[:, :, : q.shape[2], : k.shape[2]]
        return torch.softmax(scores.masked_fill(~seen, torch.finfo(scores.dtype).min), -1) @ v


class TriangleMade(Projecting):
    def attend(self, q, k, v):
        scores = q @ k.transpose(-2, -1) / math.sqrt(SIZE)
        bias = torch.full(scores.shape[-2:], -math.inf).triu(1)
        return torch.softmax(scores + bias, -1) @ v


class Positions(Projecting):
    """Places are compared, as newer models of transformers do."""

    def attend(self, q, k, v):
        place = torch.arange(q.shape[2])
        seen = place[None, :] <= place[:, None]
        scores = (q @ k.transpose(-2, -1)).masked_fill(~seen, -1e9)
        return torch.softmax(scores, -1) @ v


class Einsum(Projecting):
    def split(self, x):
        return x.view(x.shape[0], x.shape[1], self.heads, -1)

    def forward(self, x):
        q, k, v = (self.split(each(x)) for each in (self.q, self.k, self.v))
        probabilities = torch.softmax(torch.einsum('bqhd,bkhd->bhqk', q, k) * 0.4, -1)
        return self.out(torch.einsum('bhqk,bkhd->bqhd', probabilities, v).flatten(2))


class EinsumHeadsLast(Einsum):
    def forward(self, x):
        q, k, v = (self.split(each(x)) for each in (self.q, self.k, self.v))
        probabilities = torch.softmax(torch.einsum('bqhd,bkhd->bqkh', q, k), 2)
        return self.out(torch.einsum('bqkh,bkhd->bqhd', probabilities, v).flatten(2))


class EinsumProjections(nn.Module):
    """Weights with an axis of heads, as Keras has them."""

    def __init__(self):
        super().__init__()
        self.q, self.k, self.v = (nn.Parameter(torch.randn(WIDTH, HEADS, SIZE) * 0.3) for _ in range(3))
        self.out = nn.Parameter(torch.randn(HEADS, SIZE, WIDTH))

    def forward(self, x):
        q, k, v = (torch.einsum('abc,cde->abde', x, each) for each in (self.q, self.k, self.v))
        scores = torch.einsum('aecd,abcd->acbe', k, q * 0.3)
        context = torch.einsum('acbe,aecd->abcd', torch.softmax(scores, -1), v)
        return torch.einsum('abcd,cde->abe', context, self.out)


class MergedBatch(Projecting):
    """Batch and heads in one axis."""

    def split(self, x):
        return super().split(x).reshape(-1, x.shape[1], SIZE)

    def forward(self, x):
        q, k, v = (self.split(each(x)) for each in (self.q, self.k, self.v))
        context = torch.bmm(torch.softmax(torch.bmm(q, k.transpose(1, 2)), -1), v)
        context = context.view(x.shape[0], self.heads, x.shape[1], SIZE).transpose(1, 2)
        return x + self.out(context.flatten(2))


class HeadsInBatch(Projecting):
    """Heads one after the other in the batch, as Set Transformers have them."""

    def forward(self, x):
        q, k, v = (torch.cat(each(x).split(SIZE, 2), 0) for each in (self.q, self.k, self.v))
        context = torch.softmax(q.bmm(k.transpose(1, 2)) / math.sqrt(WIDTH), 2).bmm(v)
        return x + self.out(torch.cat(context.split(x.size(0), 0), 2))


class PackedProjection(Projecting):
    """One projection for all three, and batch and heads merged, as in Segment Anything."""

    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)

    def forward(self, x):
        batch, length, _ = x.shape
        qkv = self.qkv(x).reshape(batch, length, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.reshape(3, batch * HEADS, length, -1).unbind(0)
        context = torch.softmax((q * 0.3) @ k.transpose(-2, -1), -1) @ v
        return self.out(context.view(batch, HEADS, length, -1).transpose(1, 2).flatten(2))


class WrittenOut(Projecting):
    def attend(self, q, k, v):
        exponentials = torch.exp(q @ k.transpose(-2, -1))
        return exponentials / exponentials.sum(-1, keepdim=True) @ v


class WrittenOutStable(Projecting):
    def attend(self, q, k, v):
        scores = q @ k.transpose(-2, -1) * 0.3
        exponentials = torch.exp(scores - scores.amax(-1, keepdim=True))
        return exponentials / (exponentials.sum(-1, keepdim=True) + 1e-9) @ v


class WrittenOutLogarithm(Projecting):
    def attend(self, q, k, v):
        return torch.exp(functional.log_softmax(q @ k.transpose(-2, -1), -1)) @ v


class Transposed(Projecting):
    """Keys by queries, with the values in front."""

    def attend(self, q, k, v):
        probabilities = torch.softmax(k @ q.transpose(-2, -1) * 0.4, -2)
        return (v.transpose(-2, -1) @ probabilities).transpose(-2, -1)


class ChannelsFirst(nn.Module):
    """A block of a detector: 1×1 convolutions, channels before places, the probabilities transposed."""

    def __init__(self):
        super().__init__()
        self.qkv = nn.Conv2d(WIDTH, 3 * WIDTH, 1)

    def forward(self, x):
        batch, _, rows, columns = x.shape
        q, k, v = self.qkv(x).view(batch, HEADS, 3 * SIZE, rows * columns).split([SIZE] * 3, 2)
        probabilities = torch.softmax(q.transpose(-2, -1) @ k * 0.3, -1)
        return (v @ probabilities.transpose(-2, -1)).view(batch, -1, rows, columns) + x


class NonLocal(nn.Module):
    """One head over the places of a map (Wang et al. 2018)."""

    def __init__(self):
        super().__init__()
        self.q, self.k, self.v = (nn.Conv2d(WIDTH, WIDTH // 2, 1) for _ in range(3))
        self.out = nn.Conv2d(WIDTH // 2, WIDTH, 1)

    def forward(self, x):
        q, k, v = (each(x).flatten(2) for each in (self.q, self.k, self.v))
        probabilities = torch.softmax(torch.matmul(q.transpose(1, 2), k), -1)
        context = torch.matmul(probabilities, v.transpose(1, 2)).transpose(1, 2)
        return x + self.out(context.reshape(x.shape[0], -1, *x.shape[2:]))


class Dropped(Projecting):
    def attend(self, q, k, v):
        probabilities = functional.dropout(torch.softmax(q @ k.transpose(-2, -1), -1), 0.1, self.training)
        return probabilities.to(torch.float16).to(v.dtype) @ v


class MultiheadAttention(nn.Module):
    def __init__(self, batch_first=True, weights=False, causal=False):
        super().__init__()
        self.attention = nn.MultiheadAttention(WIDTH, HEADS, batch_first=batch_first)
        self.weights, self.causal = weights, causal

    def forward(self, x):
        length = x.shape[1 if self.attention.batch_first else 0]
        mask = nn.Transformer.generate_square_subsequent_mask(length) if self.causal else None
        return self.attention(x, x, x, attn_mask=mask, is_causal=self.causal, need_weights=self.weights)[0]


class Fused(Projecting):
    def __init__(self, causal=False):
        super().__init__()
        self.causal = causal

    def attend(self, q, k, v):
        return functional.scaled_dot_product_attention(q, k, v, is_causal=self.causal)


class FusedGroups(nn.Module):
    def __init__(self, heads=4, key_heads=2):
        super().__init__()
        self.heads, self.key_heads = heads, key_heads
        self.q = nn.Linear(WIDTH, heads * 6)
        self.k, self.v = (nn.Linear(WIDTH, key_heads * 6) for _ in range(2))

    def split(self, x, heads):
        return x.view(x.shape[0], x.shape[1], heads, -1).transpose(1, 2)

    def forward(self, x):
        q = self.split(self.q(x), self.heads)
        k, v = self.split(self.k(x), self.key_heads), self.split(self.v(x), self.key_heads)
        return self.attend(q, k, v).transpose(1, 2).flatten(2)

    def attend(self, q, k, v):
        return functional.scaled_dot_product_attention(q, k, v, enable_gqa=True)


class RepeatedKeys(FusedGroups):
    def attend(self, q, k, v):
        count = self.heads // self.key_heads

        def repeated(x):
            batch, heads, length, size = x.shape
            x = x[:, :, None].expand(batch, heads, count, length, size)
            return x.reshape(batch, heads * count, length, size)

        return torch.softmax(q @ repeated(k).transpose(2, 3) * 0.5, -1) @ repeated(v)


class SharedKeys(FusedGroups):
    """One head of keys that all queries share, by broadcasting."""

    def __init__(self):
        super().__init__(4, 1)

    def attend(self, q, k, v):
        return torch.softmax(q @ k.transpose(2, 3) * 0.5, -1) @ v


class BroadcastGroups(FusedGroups):
    def attend(self, q, k, v):
        groups = q.unflatten(1, (self.key_heads, -1))
        context = torch.softmax(groups @ k[:, :, None].transpose(3, 4), -1) @ v[:, :, None]
        return context.flatten(1, 2)


class Rotary(Projecting):
    def attend(self, q, k, v):
        angle = torch.arange(TOKENS)[:, None] * torch.tensor([1, 0.01])
        angle = torch.cat([angle, angle], -1)

        def turned(x):
            a, b = x.chunk(2, -1)
            return x * angle.cos() + torch.cat([-b, a], -1) * angle.sin()

        return torch.softmax(turned(q) @ turned(k).transpose(2, 3) * SIZE**-0.5, -1) @ v


class NormedHeads(Projecting):
    def __init__(self):
        super().__init__()
        self.q_norm, self.k_norm = nn.LayerNorm(SIZE), nn.LayerNorm(SIZE)

    def attend(self, q, k, v):
        return torch.softmax(self.q_norm(q) @ self.k_norm(k).transpose(2, 3), -1) @ v


class CosineScores(Projecting):
    """Swin V2: normalised queries and keys with a learned factor for each head."""

    def __init__(self):
        super().__init__()
        self.factor = nn.Parameter(torch.rand(HEADS, 1, 1))

    def attend(self, q, k, v):
        scores = functional.normalize(q, dim=-1) @ functional.normalize(k, dim=-1).transpose(2, 3)
        return torch.softmax(scores * self.factor.clamp(max=4).exp(), -1) @ v


class CappedScores(Projecting):
    def attend(self, q, k, v):
        return torch.softmax(torch.tanh(q @ k.transpose(2, 3) / 5) * 5, -1) @ v


class TalkingHeads(Projecting):
    def __init__(self):
        super().__init__()
        self.before, self.behind = nn.Linear(HEADS, HEADS), nn.Linear(HEADS, HEADS)

    def attend(self, q, k, v):
        scores = self.before((q @ k.transpose(2, 3)).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        probabilities = torch.softmax(scores, -1)
        return self.behind(probabilities.permute(0, 2, 3, 1)).permute(0, 3, 1, 2) @ v


class Differential(Projecting):
    """The difference of two attentions (Ye et al. 2024)."""

    def attend(self, q, k, v):
        (q1, q2), (k1, k2) = q.chunk(2, -1), k.chunk(2, -1)
        first = torch.softmax(q1 @ k1.transpose(2, 3), -1)
        second = torch.softmax(q2 @ k2.transpose(2, 3), -1)
        return (first - 0.4 * second) @ v


class HeadMask(Projecting):
    def forward(self, x, mask):
        self.mask = mask[None, :, None, None]
        return super().forward(x)

    def attend(self, q, k, v):
        return (torch.softmax(q @ k.transpose(2, 3), -1) * self.mask) @ v


class Cross(nn.Module):
    def __init__(self):
        super().__init__()
        self.q, self.k, self.v, self.out = (nn.Linear(WIDTH, WIDTH) for _ in range(4))

    def split(self, x):
        return x.view(x.shape[0], x.shape[1], HEADS, -1).transpose(1, 2)

    def forward(self, x, memory):
        q, k, v = self.split(self.q(x)), self.split(self.k(memory)), self.split(self.v(memory))
        context = torch.softmax(q @ k.transpose(-2, -1) * 0.4, -1) @ v
        return self.out(context.transpose(1, 2).flatten(2))


class LearnedQueries(Cross):
    def __init__(self):
        super().__init__()
        self.latent = nn.Parameter(torch.randn(1, 2, WIDTH))

    def forward(self, x):
        return super().forward(self.latent, x)


class ClassToken(Cross):
    def forward(self, x):
        return super().forward(x[:, :1], x)


class ClassTokenIndexed(Cross):
    def forward(self, x):
        return super().forward(x[:, 0].unsqueeze(1), x)


class Windowed(Projecting):
    """A shifted window of Swin."""

    def forward(self, x):
        batch, rows, columns, width = x.shape
        y = torch.roll(self.norm(x), (-1, -1), (1, 2))
        y = y.view(batch, rows // 2, 2, columns // 2, 2, width).permute(0, 1, 3, 2, 4, 5).reshape(-1, 4, width)
        q, k, v = (self.split(each(y)) for each in (self.q, self.k, self.v))
        context = torch.softmax(q @ k.transpose(-2, -1) * SIZE**-0.5, -1) @ v
        y = self.out(context.transpose(1, 2).flatten(2))
        y = y.view(batch, rows // 2, columns // 2, 2, 2, width).permute(0, 1, 3, 2, 4, 5)
        return x + torch.roll(y.reshape(batch, rows, columns, width), (1, 1), (1, 2))


class ReducedKeys(Projecting):
    """Keys and values at half the resolution (Pyramid Vision Transformer)."""

    def __init__(self):
        super().__init__()
        self.reduce = nn.Conv2d(WIDTH, WIDTH, 2, 2)
        self.reduced_norm = nn.LayerNorm(WIDTH)

    def forward(self, x):
        batch, length, width = x.shape
        y = self.norm(x)
        side = math.isqrt(length)
        small = self.reduce(y.transpose(1, 2).reshape(batch, width, side, side)).flatten(2).transpose(1, 2)
        small = self.reduced_norm(small)
        q, k, v = self.split(self.q(y)), self.split(self.k(small)), self.split(self.v(small))
        context = torch.softmax(q @ k.transpose(-2, -1) * SIZE**-0.5, -1) @ v
        return x + self.out(context.transpose(1, 2).flatten(2))


# ---------------------------------------------------------------- no attention


class Linear(Projecting):
    """Linear attention (Katharopoulos et al. 2020)."""

    def attend(self, q, k, v):
        q, k = functional.elu(q) + 1, functional.elu(k) + 1
        return q @ (k.transpose(-2, -1) @ v) / (q @ k.sum(2)[..., None])


class Efficient(Projecting):
    """Efficient attention (Shen et al. 2021): a softmax over the places of keys, and one over the features of queries."""

    def attend(self, q, k, v):
        return torch.softmax(q, -1) @ (torch.softmax(k, -2).transpose(-2, -1) @ v)


class SqueezeExcite(nn.Module):
    def __init__(self, gate=nn.Sigmoid, convolutions=True):
        super().__init__()
        self.first, self.second = (
            (nn.Conv2d(WIDTH, 6, 1), nn.Conv2d(6, WIDTH, 1)) if convolutions else (nn.Linear(WIDTH, 6), nn.Linear(6, WIDTH))
        )
        self.gate = gate()
        self.convolutions = convolutions

    def forward(self, x):
        squeezed = x.mean((2, 3), keepdim=self.convolutions)
        gates = self.gate(self.second(functional.relu(self.first(squeezed))))
        return x * (gates if self.convolutions else gates[:, :, None, None])


class Branches(nn.Module):
    """A softmax chooses between two convolutions (Selective Kernel networks)."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(WIDTH, WIDTH, 1), nn.Conv2d(WIDTH, WIDTH, 3, padding=1)
        self.choice = nn.Linear(WIDTH, 2 * WIDTH)

    def forward(self, x):
        both = torch.stack([self.first(x), self.second(x)], 1)
        choice = self.choice(both.sum(1).mean((2, 3))).view(-1, 2, WIDTH, 1, 1)
        return (both * torch.softmax(choice, 1)).sum(1)


class SoftAssignment(nn.Module):
    """NetVLAD: places are assigned to clusters; the sum goes over places, not over what adds up to 1."""

    def __init__(self):
        super().__init__()
        self.clusters = nn.Conv2d(WIDTH, 5, 1)

    def forward(self, x):
        assignment = torch.softmax(self.clusters(x).flatten(2), 1)
        return assignment @ x.flatten(2).transpose(1, 2)


class SoftArgmax(nn.Module):
    """The mean place under a softmax, and the class scores of a head."""

    def __init__(self):
        super().__init__()
        self.scores = nn.Conv2d(WIDTH, 4, 1)
        self.classes = nn.Linear(WIDTH, 10)

    def forward(self, x):
        weights = torch.softmax(self.scores(x).flatten(2), -1)
        place = weights @ torch.arange(weights.shape[-1], dtype=x.dtype)[:, None]
        return place, torch.softmax(self.classes(x.mean((2, 3))), -1)


def image():
    return (torch.randn(BATCH, WIDTH, 4, 4),)


def own(name, make, inputs=tokens(), heads=HEADS, kind='self', causal=False, key_heads=None, blocks=1, **more):
    block = Block(heads, kind, causal, key_heads)
    return Case(name, make, inputs, (block,) * blocks, exports=ALL, **more)


def none(name, make, inputs=image, lookalikes=()):
    return Case(name, make, inputs, (), exports=ALL, lookalikes=lookalikes)


def with_mask():
    mask = torch.ones(BATCH, TOKENS, dtype=torch.int64)
    mask[1, 4:] = 0
    return (torch.randn(BATCH, TOKENS, WIDTH), mask)


def written_out(form):
    """The probabilities of a module that writes its softmax out, from one that does not."""

    def reference(model, inputs):
        plain = form().eval().to(inputs[0].dtype)
        plain.load_state_dict(model.state_dict())
        with torch.no_grad(), recorded() as found:
            plain(*inputs)
        return found

    return reference


class Plain(Projecting):
    def attend(self, q, k, v):
        return torch.softmax(q @ k.transpose(-2, -1), -1) @ v


class PlainScaled(Projecting):
    def attend(self, q, k, v):
        return torch.softmax(q @ k.transpose(-2, -1) * 0.3, -1) @ v


CASES = [
    own('scaledBehind', ScaledBehind),
    own('scaledQueries', ScaledQueries),
    own('scaledBoth', ScaledBoth),
    own('addedMask', AddedMask),
    own('chosenMask', ChosenMask),
    own('fedMask', FedMask, with_mask),
    own('triangle', Triangle, causal=True),
    own('triangleMade', TriangleMade, causal=True),
    own('positions', Positions, causal=True),
    own('einsum', Einsum),
    own('einsumHeadsLast', EinsumHeadsLast, canonical=lambda p: p.permute(0, 3, 1, 2)),
    own('einsumProjections', EinsumProjections),
    own('mergedBatch', MergedBatch),
    own('headsInBatch', HeadsInBatch, canonical=lambda p: p.view(HEADS, BATCH, *p.shape[1:]).transpose(0, 1)),
    own('packedProjection', PackedProjection),
    own('writtenOut', WrittenOut, reference=written_out(Plain), gain=1.0),
    own('writtenOutStable', WrittenOutStable, reference=written_out(PlainScaled)),
    own('writtenOutLogarithm', WrittenOutLogarithm, reference=written_out(Plain)),
    own('transposed', Transposed, canonical=lambda p: p.transpose(-2, -1)),
    own('channelsFirst', ChannelsFirst, image),
    own('nonLocal', NonLocal, image, heads=1),
    own('dropped', Dropped),
    own('multiheadAttention', MultiheadAttention),
    own('multiheadAttentionWeights', lambda: MultiheadAttention(weights=True)),
    own('multiheadAttentionSequenceFirst', lambda: MultiheadAttention(batch_first=False)),
    own('multiheadAttentionSequenceFirstWeights', lambda: MultiheadAttention(batch_first=False, weights=True)),
    own('multiheadAttentionCausal', lambda: MultiheadAttention(causal=True), causal=True),
    own('fused', Fused),
    own('fusedCausal', lambda: Fused(causal=True), causal=True),
    own('fusedDynamic', Fused, dynamic={0: 'batch', 1: 'length'}),
    own('fusedGroups', FusedGroups, heads=4, key_heads=2),
    own('repeatedKeys', RepeatedKeys, heads=4, key_heads=2),
    own('sharedKeys', SharedKeys, heads=4, key_heads=1),
    own('broadcastGroups', BroadcastGroups, heads=4, key_heads=2),
    own('rotary', Rotary),
    own('normedHeads', NormedHeads),
    own('cosineScores', CosineScores),
    own('cappedScores', CappedScores),
    own('talkingHeads', TalkingHeads),
    own('differential', Differential, blocks=2),
    own('headMask', HeadMask, lambda: (torch.randn(BATCH, TOKENS, WIDTH), torch.tensor([1.0, 0.0, 1.0]))),
    own('cross', Cross, lambda: (torch.randn(BATCH, 5, WIDTH), torch.randn(BATCH, TOKENS, WIDTH)), kind='cross'),
    own('learnedQueries', LearnedQueries, kind='cross'),
    own('classToken', ClassToken, kind='class'),
    own('classTokenIndexed', ClassTokenIndexed, kind='class'),
    own('windowed', Windowed, lambda: (torch.randn(BATCH, 4, 6, WIDTH),), kind='windowed'),
    own('reducedKeys', ReducedKeys, tokens(length=16)),
    none('linearAttention', Linear, tokens(), ('linear',)),
    none('efficientAttention', Efficient, tokens(), ('linear',)),
    none('squeezeExcite', SqueezeExcite, lookalikes=('squeeze-excite',)),
    none('squeezeExciteHard', lambda: SqueezeExcite(nn.Hardsigmoid, False), lookalikes=('squeeze-excite',)),
    none('branches', Branches),
    none('softAssignment', SoftAssignment),
    none('softArgmax', SoftArgmax),
]
