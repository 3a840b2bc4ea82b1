"""A small detector of the YOLO family: cross-stage partial blocks, SPPF, a neck up and down, a decoupled head and decoded boxes."""

import torch
from torch import nn

BINS = 8


class Convolution(nn.Sequential):
    def __init__(self, inputs, outputs, kernel=1, stride=1):
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(outputs),
            nn.SiLU(inplace=True),
        )


class Bottleneck(nn.Module):
    def __init__(self, channels, shortcut):
        super().__init__()
        self.first = Convolution(channels, channels, 3)
        self.second = Convolution(channels, channels, 3)
        self.shortcut = shortcut

    def forward(self, x):
        y = self.second(self.first(x))
        return x + y if self.shortcut else y


class PartialBlock(nn.Module):
    """Half of the channels pass through bottlenecks; everything that was on the way is joined."""

    def __init__(self, inputs, outputs, count=1, shortcut=True):
        super().__init__()
        half = outputs // 2
        self.split = Convolution(inputs, outputs)
        self.blocks = nn.ModuleList(Bottleneck(half, shortcut) for _ in range(count))
        self.join = Convolution((2 + count) * half, outputs)

    def forward(self, x):
        parts = list(self.split(x).chunk(2, dim=1))
        for block in self.blocks:
            parts.append(block(parts[-1]))
        return self.join(torch.cat(parts, dim=1))


class PooledPyramid(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.reduce = Convolution(channels, channels // 2)
        self.pool = nn.MaxPool2d(5, stride=1, padding=2)
        self.join = Convolution(2 * channels, channels)

    def forward(self, x):
        parts = [self.reduce(x)]
        for _ in range(3):
            parts.append(self.pool(parts[-1]))
        return self.join(torch.cat(parts, dim=1))


class Head(nn.Module):
    """Distances to the four sides as expected values over bins, and class scores, of one level."""

    def __init__(self, channels, classes):
        super().__init__()
        self.sides = nn.Sequential(Convolution(channels, channels, 3), nn.Conv2d(channels, 4 * BINS, 1))
        self.classes = nn.Sequential(Convolution(channels, channels, 3), nn.Conv2d(channels, classes, 1))

    def forward(self, x):
        batch, _, rows, columns = x.shape
        bins = self.sides(x).view(batch, 4, BINS, rows * columns).softmax(dim=2)
        steps = torch.arange(BINS, dtype=x.dtype).view(1, 1, BINS, 1)
        distances = (bins * steps).sum(dim=2)
        return distances, self.classes(x).flatten(2).sigmoid()


class Detector(nn.Module):
    """[N, 3, H, W] to [N, 4 + classes, cells]: centre, width and height in fed pixels, then scores. H and W are multiples of 32."""

    strides = (8, 16, 32)

    def __init__(self, classes, width=16):
        super().__init__()
        a, b, c = 2 * width, 4 * width, 8 * width
        self.stem = nn.Sequential(
            Convolution(3, width, 3, 2), Convolution(width, a, 3, 2), PartialBlock(a, a)
        )
        self.stage3 = nn.Sequential(Convolution(a, a, 3, 2), PartialBlock(a, a, 2))
        self.stage4 = nn.Sequential(Convolution(a, b, 3, 2), PartialBlock(b, b, 2))
        self.stage5 = nn.Sequential(Convolution(b, c, 3, 2), PartialBlock(c, c), PooledPyramid(c))
        self.upsample = nn.Upsample(scale_factor=2, mode='nearest')
        self.up4 = PartialBlock(c + b, b, shortcut=False)
        self.up3 = PartialBlock(b + a, a, shortcut=False)
        self.reduce3 = Convolution(a, a, 3, 2)
        self.down4 = PartialBlock(a + b, b, shortcut=False)
        self.reduce4 = Convolution(b, b, 3, 2)
        self.down5 = PartialBlock(b + c, c, shortcut=False)
        self.heads = nn.ModuleList(Head(channels, classes) for channels in (a, b, c))

    def forward(self, x):
        p3 = self.stage3(self.stem(x))
        p4 = self.stage4(p3)
        p5 = self.stage5(p4)
        p4 = self.up4(torch.cat([self.upsample(p5), p4], dim=1))
        p3 = self.up3(torch.cat([self.upsample(p4), p3], dim=1))
        p4 = self.down4(torch.cat([self.reduce3(p3), p4], dim=1))
        p5 = self.down5(torch.cat([self.reduce4(p4), p5], dim=1))
        levels = [
            self.decode(head, level, stride)
            for head, level, stride in zip(self.heads, (p3, p4, p5), self.strides)
        ]
        return torch.cat(levels, dim=2)

    def decode(self, head, level, stride):
        distances, scores = head(level)
        rows, columns = level.shape[2:]
        y = (torch.arange(rows, dtype=level.dtype) + 0.5).repeat_interleave(columns)
        x = (torch.arange(columns, dtype=level.dtype) + 0.5).repeat(rows)
        centres = torch.stack([x, y])
        near, far = distances.chunk(2, dim=1)
        low, high = centres - near, centres + far
        boxes = torch.cat([(low + high) / 2, high - low], dim=1) * stride
        return torch.cat([boxes, scores], dim=1)
