"""A Vision Transformer small enough to read in one sitting and to train on a laptop."""

import torch
from torch import Tensor, nn

ONNX_FILE = "models/tiny_vit.onnx"


def grid_positions(grid: int, dim: int) -> Tensor:
    """Sines and cosines of row and column [grid * grid, dim]: a start from which positions are learned."""
    frequencies = 0.01 ** (torch.arange(dim // 4) / (dim // 4))
    angles = torch.arange(grid)[:, None] * frequencies
    waves = 0.5 * torch.cat([angles.sin(), angles.cos()], dim=1)
    rows = waves[:, None].expand(grid, grid, dim // 2)
    columns = waves[None].expand(grid, grid, dim // 2)
    return torch.cat([rows, columns], dim=2).reshape(grid * grid, dim)


class Attention(nn.Module):
    """Self-attention with several heads: every token looks at every other token."""

    def __init__(self, dim: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.scale = (dim // num_heads) ** -0.5
        self.qkv = nn.Linear(dim, dim * 3)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        batch, tokens, dim = x.shape
        qkv = self.qkv(x).reshape(batch, tokens, 3, self.num_heads, dim // self.num_heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)  # each [batch, heads, tokens, dim per head]
        scores = (q * self.scale) @ k.transpose(-2, -1)
        weights = scores.softmax(dim=-1)  # each row sums to 1
        x = (weights @ v).transpose(1, 2).reshape(batch, tokens, dim)
        return self.proj(x)


class Mlp(nn.Module):
    """Two linear layers that work on each token alone."""

    def __init__(self, dim: int, hidden_dim: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden_dim)
        self.act = nn.GELU()
        self.fc2 = nn.Linear(hidden_dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.act(self.fc1(x)))


class Block(nn.Module):
    """Attention and MLP, each after a LayerNorm and each added to what came in."""

    def __init__(self, dim: int, num_heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attn = Attention(dim, num_heads)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = Mlp(dim, dim * 2)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        x = x + self.mlp(self.norm2(x))
        return x


class TinyViT(nn.Module):
    """Picture [batch, 3, 96, 96] in, one score per class [batch, classes] out."""

    def __init__(
        self,
        num_classes: int = 8,
        image_size: int = 96,
        patch_size: int = 8,
        dim: int = 48,
        depth: int = 3,
        num_heads: int = 3,
    ) -> None:
        super().__init__()
        grid = image_size // patch_size  # 12 x 12 patches
        self.patch_embed = nn.Conv2d(3, dim, patch_size, stride=patch_size)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        positions = torch.cat([torch.zeros(1, dim), grid_positions(grid, dim)])
        self.pos_embed = nn.Parameter(positions[None])
        self.blocks = nn.ModuleList(Block(dim, num_heads) for _ in range(depth))
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch_embed(x)
        x = x.flatten(2).transpose(1, 2)  # [batch, patches, dim]
        cls_token = self.cls_token.expand(x.shape[0], -1, -1)
        x = torch.cat([cls_token, x], dim=1) + self.pos_embed
        for block in self.blocks:
            x = block(x)
        x = self.norm(x)
        return self.head(x[:, 0])
