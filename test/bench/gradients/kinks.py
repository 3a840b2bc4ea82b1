"""Keeps every unit away from the kink of its activation, so that a gradient is the same in every order of summation.

The gradient of a network with ReLU jumps where a unit is zero. A network has millions of units, some of them within rounding of zero for any
image; which piece of the function a float32 run is on is then chance. Shifting a bias by less than a fiftieth of its channel's deviation moves
the kink into a gap between the values of that channel.
"""

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

KINKS = {nn.ReLU: (0,), nn.ReLU6: (0, 6), nn.Hardswish: (-3, 3), nn.Hardsigmoid: (-3, 3)}
WITH_BIAS = (_BatchNorm, nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
#: Largest shift, in standard deviations of the channel, and the number of shifts that are tried.
REACH, SHIFTS = 0.02, 401


def keep_from_kinks(model, images):
    """Shifts biases of a float64 model so that, for these images, no unit that is fed to an activation module is close to a kink."""
    last = []

    def remember(module, *_):
        if module.bias is not None:
            last[:] = [module.bias]

    def shifted(activation, arguments):
        (value,) = arguments
        shift = best_shift(value, KINKS[type(activation)])
        last[0].add_(shift)
        return value + shift.view(-1, *[1] * (value.dim() - 2))

    handles = [
        module.register_forward_hook(remember)
        for module in model.modules() if isinstance(module, WITH_BIAS)
    ] + [
        module.register_forward_pre_hook(shifted)
        for module in model.modules() if type(module) in KINKS
    ]
    with torch.no_grad():
        model(images)
    for handle in handles:
        handle.remove()


def best_shift(value, kinks):
    """For each channel the shift after which the nearest value is farthest from a kink."""
    channels = value.transpose(0, 1).flatten(1).sort(dim=1).values
    deviation = channels.std(dim=1, correction=0, keepdim=True)
    shifts = REACH * deviation * torch.linspace(-1, 1, SHIFTS, dtype=value.dtype)
    distances = torch.stack([nearest(channels, kink - shifts) for kink in kinks]).amin(dim=0)
    return shifts.gather(1, distances.argmax(dim=1, keepdim=True)).squeeze(1)


def nearest(sorted_values, wanted):
    """Distance of each wanted number to the nearest of the sorted values of its row."""
    after = torch.searchsorted(sorted_values, wanted).clamp(max=sorted_values.shape[1] - 1)
    before = (after - 1).clamp(min=0)
    return torch.minimum(
        (sorted_values.gather(1, after) - wanted).abs(),
        (sorted_values.gather(1, before) - wanted).abs(),
    )
