"""Seeded pictures: soft blobs with fine noise over them, about zero mean and unit variance."""

import torch
from torch.nn import functional


def pictures(count, size, seed):
    """[count, 3, size, size], float32."""
    generator = torch.Generator().manual_seed(seed)
    blobs = torch.randn(count, 3, 7, 7, generator=generator)
    soft = functional.interpolate(blobs, (size, size), mode='bilinear', align_corners=False)
    return 1.2 * soft + 0.4 * torch.randn(count, 3, size, size, generator=generator)
