"""What autograd gives for a network: its output, and gradients of scalars with respect to the input, in two precisions."""

import contextlib
import copy
import warnings
from dataclasses import dataclass

import numpy as np
import torch

from images import pictures
from kinks import keep_from_kinks

#: Above it some unit, or some maximum of a window, is another one in float32 than in float64.
ONE_PIECE = 1e-5
ATTEMPTS = 8


@dataclass(frozen=True)
class Reference:
    """A network and arrays of one image. `targets`: (name, index of one element or None, weights of the output's shape)."""

    model: torch.nn.Module
    double: torch.nn.Module
    image: torch.Tensor
    output: np.ndarray
    targets: list
    exact: list
    single: list
    #: Of float32 with either order of summation.
    error: float


def reference(model, network, others):
    """
    Of the first image whose gradient in float32 is that of float64; of several images the best. Biases of the network are shifted a little
    for it and for the `others`: see kinks.py. What that does not reach are near ties in max pooling.
    """
    best = None
    for attempt in range(ATTEMPTS):
        image = pictures(1, network.size, network.seed + 100 + attempt)
        found = attempted(model, network, image, torch.cat([image, *others]))
        if best is None or found.error < best.error:
            best = found
        if best.error <= ONE_PIECE:
            break
    return best


def attempted(model, network, image, images):
    model = in_float64(model)
    keep_from_kinks(model, images.double())
    model.float()
    double = in_float64(model)
    with torch.no_grad():
        output = double(image.double()).numpy()
    targets = targets_of(network.target, output, network.seed)
    weights = [each for _, _, each in targets]
    exact = gradients(double, image.double(), weights)
    single = gradients(model, image, weights)
    with without_onednn():
        other = gradients(model, image, weights)
    error = max(relative_error(*pair) for got in (single, other) for pair in zip(got, exact))
    return Reference(model, double, image, output, targets, exact, single, error)


@contextlib.contextmanager
def without_onednn():
    with warnings.catch_warnings():
        # Switching says that the machine has no Intel GPU.
        warnings.simplefilter('ignore')
        with torch.backends.mkldnn.flags(enabled=False):
            yield


def gradients(model, image, weights):
    """For each weighting the gradient of Σ output · weights with respect to the image."""
    image = image.clone().requires_grad_()
    output = model(image)
    scalars = [(output * torch.from_numpy(each).to(output)).sum() for each in weights]
    return [torch.autograd.grad(each, image, retain_graph=True)[0].numpy() for each in scalars]


def in_float64(model):
    return copy.deepcopy(model).double()


def relative_error(got, wanted):
    """|got − wanted| / |wanted|, both as vectors, in float64."""
    wanted = wanted.astype(np.float64)
    return float(np.linalg.norm(got.astype(np.float64) - wanted) / np.linalg.norm(wanted))


def targets_of(kind, output, seed):
    """What is differentiated, for the output of one image."""
    if kind == 'map':
        return [('map', None, random_weights(output, seed))]
    if kind == 'class':
        return [one_element('class', (0, int(output.argmax())), output)]
    # A score that is neither 0 nor 1, where the sigmoid is flat; the weighted sum goes through the boxes too.
    scores = output[0, 4:]
    category, cell = np.unravel_index(np.abs(scores - 0.5).argmin(), scores.shape)
    return [
        one_element('score', (0, 4 + int(category), int(cell)), output),
        ('everything', None, random_weights(output, seed)),
    ]


def one_element(name, index, output):
    weights = np.zeros(output.shape, np.float32)
    weights[index] = 1
    return name, list(index), weights


def random_weights(output, seed):
    return np.random.default_rng(seed).normal(size=output.shape).astype(np.float32)
