"""Random weights under which a network has activations and gradients of ordinary size everywhere.

The usual start values are made for training: heads and layer scales near zero, attention almost uniform, normalisations that do nothing.
"""

import math

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from images import pictures

CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)
BATCHES, BATCH = 4, 8


def liven(model, size, seed):
    """Sets every parameter from the seed, then the statistics of BatchNorm from a few batches. Leaves the model in evaluation mode."""
    generator = torch.Generator().manual_seed(seed)
    model.eval().requires_grad_(False)
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            centre, deviation = distribution(module, name, parameter)
            parameter.normal_(centre, deviation, generator=generator)
    calibrate(model, size, seed + 1)
    return model


def distribution(module, name, parameter):
    """Mean and standard deviation of a parameter's values."""
    if isinstance(module, CONVOLUTIONS) and name == 'weight':
        return 0, math.sqrt(2 / inputs_of_convolution(module))
    if name in ('weight', 'in_proj_weight') and parameter.dim() == 2:
        return 0, 1 / math.sqrt(parameter.shape[1])
    if name == 'weight':
        return 1, 0.2
    if 'bias_table' in name or 'pos_embed' in name or 'token' in name:
        return 0, 0.5
    if name in ('gamma', 'layer_scale'):
        return 0.5, 0.1
    return 0, 0.1


def inputs_of_convolution(module):
    """Products that add up to one output, on average."""
    kernel = math.prod(module.kernel_size) * module.in_channels / module.groups
    return kernel / math.prod(module.stride) if module.transposed else kernel


def calibrate(model, size, seed):
    normalisations = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    if not normalisations:
        return
    for module in normalisations:
        module.reset_running_stats()
        # A plain average over the batches.
        module.momentum = None
        module.train()
    with torch.no_grad():
        for batch in range(BATCHES):
            model(pictures(BATCH, size, seed + batch))
    model.eval()
