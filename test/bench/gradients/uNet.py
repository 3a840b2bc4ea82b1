"""A small U-Net: two levels up by transposed convolution, one by bilinear interpolation."""

import torch
from torch import nn


def double_convolution(inputs, outputs):
    layers = []
    for source in (inputs, outputs):
        layers += [
            nn.Conv2d(source, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    """[N, 3, H, W] to class scores [N, classes, H, W]; H and W are multiples of 8."""

    def __init__(self, classes, width=16):
        super().__init__()
        widths = [width, 2 * width, 4 * width, 8 * width]
        self.down = nn.ModuleList(
            double_convolution(a, b) for a, b in zip([3, *widths], widths)
        )
        self.pool = nn.MaxPool2d(2)
        self.up = nn.ModuleList([
            nn.ConvTranspose2d(widths[3], widths[2], 2, stride=2),
            nn.ConvTranspose2d(widths[2], widths[1], 2, stride=2),
            nn.Sequential(
                nn.Upsample(scale_factor=2, mode='bilinear', align_corners=False),
                nn.Conv2d(widths[1], widths[0], 1),
            ),
        ])
        self.join = nn.ModuleList(
            double_convolution(2 * each, each) for each in reversed(widths[:3])
        )
        self.head = nn.Conv2d(width, classes, 1)

    def forward(self, x):
        skipped = []
        for level, block in enumerate(self.down):
            x = block(x if level == 0 else self.pool(x))
            skipped.append(x)
        skipped.pop()
        for up, join in zip(self.up, self.join):
            x = join(torch.cat([skipped.pop(), up(x)], dim=1))
        return self.head(x)
