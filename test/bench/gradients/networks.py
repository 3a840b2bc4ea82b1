"""The networks that are exported: six that are timed, at their own size, and a dozen families at reduced size and width."""

from dataclasses import dataclass
from typing import Callable

import timm
from torchvision import models
from torchvision.models.convnext import CNBlockConfig
from torchvision.models.resnet import Bottleneck

from detector import Detector
from uNet import UNet

CLASSES = 100


@dataclass(frozen=True)
class Network:
    name: str
    #: `timed`: one of the six; `home`: checked only.
    group: str
    size: int
    make: Callable
    #: Exporter and opset of each file.
    exports: tuple
    #: What is differentiated: `class`, `map` (weighted sum of the output) or `score` (a detection, and a weighted sum).
    target: str = 'class'
    seed: int = 1

    @property
    def files(self):
        return [f'{exporter}{opset}.onnx' for exporter, opset in self.exports]


def tv(name):
    return lambda: getattr(models, name)(weights=None)


def tm(name, **options):
    return lambda: timm.create_model(name, pretrained=False, **options)


def convnext():
    widths = [48, 96, 192, 384]
    blocks = [
        CNBlockConfig(width, following, depth)
        for width, following, depth in zip(widths, [*widths[1:], None], (3, 3, 9, 3))
    ]
    return models.ConvNeXt(blocks, num_classes=CLASSES)


def swin():
    return models.SwinTransformer(
        patch_size=[4, 4], embed_dim=48, depths=[2, 2, 6, 2], num_heads=[3, 6, 12, 24],
        window_size=[7, 7], num_classes=CLASSES,
    )


def vit():
    return models.VisionTransformer(
        image_size=96, patch_size=16, num_layers=6, num_heads=3, hidden_dim=192, mlp_dim=768,
        num_classes=CLASSES,
    )


BOTH = (('torchscript', 17), ('dynamo', 20))
OLD = (('torchscript', 11), ('torchscript', 17), ('dynamo', 18))

TIMED = (
    Network('squeezenet1_1', 'timed', 224, tv('squeezenet1_1'), BOTH),
    Network('mobilenet_v2', 'timed', 224, tv('mobilenet_v2'), BOTH),
    Network('resnet18', 'timed', 224, tv('resnet18'), BOTH),
    Network('resnet50', 'timed', 224, tv('resnet50'), BOTH),
    Network('deit_small', 'timed', 224, tm('deit_small_patch16_224'), BOTH),
    # One file: it has 346 MB.
    Network('vit_base', 'timed', 224, tm('vit_base_patch16_224'), BOTH[:1]),
)

HOME = (
    Network(
        'resnet', 'home', 96,
        lambda: models.ResNet(
            Bottleneck, [2, 2, 2, 2], num_classes=CLASSES, groups=8, width_per_group=4,
        ),
        (('torchscript', 7), *OLD),
    ),
    Network(
        'mobilenet_v2_half', 'home', 96,
        lambda: models.mobilenet_v2(weights=None, width_mult=0.5, num_classes=CLASSES), OLD,
    ),
    Network(
        'mobilenet_v3', 'home', 96,
        lambda: models.mobilenet_v3_small(weights=None, num_classes=CLASSES), OLD,
    ),
    Network(
        'efficientnet_b0', 'home', 96,
        lambda: models.efficientnet_b0(weights=None, num_classes=CLASSES), BOTH,
    ),
    Network('convnext', 'home', 96, convnext, BOTH),
    Network(
        'densenet121', 'home', 64,
        lambda: models.DenseNet(
            growth_rate=16, block_config=(6, 12, 24, 16), num_init_features=32, num_classes=CLASSES,
        ),
        BOTH,
    ),
    Network('swin', 'home', 128, swin, (*BOTH, ('dynamo', 18))),
    Network('vit', 'home', 96, vit, (('torchscript', 14), *BOTH)),
    Network(
        'deit_tiny', 'home', 96,
        tm('deit_tiny_distilled_patch16_224', img_size=96, num_classes=CLASSES),
        (('torchscript', 14), *BOTH, ('dynamo', 23)),
    ),
    Network(
        'unet', 'home', 96, lambda: UNet(classes=5),
        (*OLD, ('dynamo', 20)), target='map',
    ),
    Network(
        'yolo', 'home', 128, lambda: Detector(classes=10),
        (('torchscript', 11), ('torchscript', 13), *BOTH), target='score',
    ),
)

NETWORKS = (*TIMED, *HOME)
