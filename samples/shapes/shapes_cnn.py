"""A small residual network that names the shape or the texture in a 96 x 96 picture."""

import torch
from torch import Tensor, nn

ONNX_FILE = "models/shapes_cnn.onnx"


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions whose result is added to the input of the block."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU()
        if stride != 1 or in_channels != out_channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False),
                nn.BatchNorm2d(out_channels),
            )
        else:
            self.shortcut = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        return self.relu(out + self.shortcut(x))


class ShapesNet(nn.Module):
    """Picture [batch, 3, 96, 96] in, one score per class [batch, classes] out."""

    def __init__(self, num_classes: int = 8) -> None:
        super().__init__()
        # 3 x 96 x 96 -> 16 x 48 x 48. Its 7 x 7 filters see colours and edges.
        self.stem = nn.Sequential(
            nn.Conv2d(3, 16, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU(),
        )
        self.layer1 = nn.Sequential(ResidualBlock(16, 16))  # 16 x 48 x 48
        self.layer2 = nn.Sequential(  # 32 x 24 x 24
            ResidualBlock(16, 32, stride=2),
            ResidualBlock(32, 32),
        )
        self.layer3 = nn.Sequential(ResidualBlock(32, 64, stride=2))  # 64 x 12 x 12
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(64, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = self.layer1(x)
        x = self.layer2(x)
        x = self.layer3(x)
        x = torch.flatten(self.pool(x), 1)
        return self.head(x)
