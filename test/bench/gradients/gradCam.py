"""Grad-CAM of pytorch-grad-cam for layers of ResNet-18, before it is rectified and upsampled."""

import numpy as np
import onnx
import torch
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from exportModel import run
from images import pictures
from references import relative_error

IMAGES = 20
LAYERS = ('layer1', 'layer2', 'layer3', 'layer4')


class RawGradCAM(GradCAM):
    """Keeps each layer's map as the method defines it: the sum of the channels weighted by their mean gradients."""

    def __init__(self, model, target_layers):
        super().__init__(model, target_layers)
        self.maps = []

    def get_cam_image(self, *arguments):
        self.maps.append(super().get_cam_image(*arguments))
        return self.maps[-1]


def images_of(network):
    return pictures(IMAGES, network.size, network.seed + 200)


def grad_cams(found, network, folder):
    """Writes the images and `<layer>.float32.npy`, `<layer>.float64.npy` of [images, rows, columns]; gives what `case.json` says of them."""
    images = images_of(network)
    classes = np.random.default_rng(network.seed).integers(1000, size=IMAGES).tolist()
    target = folder / 'gradCam'
    target.mkdir()
    for index, image in enumerate(images):
        np.save(target / f'input{index:02}.npy', image[None].numpy())
    single = maps_of(found.model, images, classes)
    exact = maps_of(found.double, images.double(), classes)
    layers = []
    for layer, single, exact in zip(LAYERS, single, exact):
        np.save(target / f'{layer}.float32.npy', single)
        np.save(target / f'{layer}.float64.npy', exact)
        print(f'  Grad-CAM of {layer}: float32 is {relative_error(single, exact):.1e} off')
        value = output_of(found.model, layer, found.image)
        image = found.image.numpy()
        layers.append({
            'layer': layer,
            'float32': f'gradCam/{layer}.float32.npy',
            'float64': f'gradCam/{layer}.float64.npy',
            'tensors': {file: tensor_with(folder / file, image, value) for file in network.files},
        })
    inputs = [f'gradCam/input{index:02}.npy' for index in range(IMAGES)]
    return {'inputs': inputs, 'classes': classes, 'layers': layers}


def maps_of(model, images, classes):
    """For each layer [images, rows, columns]."""
    # Gradients of activations are recorded only where there is something to learn.
    model.requires_grad_(True)
    per_image = []
    for image, category in zip(images, classes):
        with RawGradCAM(model, [model.get_submodule(layer)[-1] for layer in LAYERS]) as cam:
            cam(image[None], [ClassifierOutputTarget(category)])
            per_image.append(cam.maps)
    return [np.concatenate(maps) for maps in zip(*per_image)]


def output_of(model, layer, image):
    kept = []
    handle = model.get_submodule(layer).register_forward_hook(lambda *call: kept.append(call[2]))
    with torch.no_grad():
        model(image)
    handle.remove()
    return kept[0].numpy()


def tensor_with(file, image, value):
    """The name of the tensor of an exported model that has this value."""
    model = onnx.load(file)
    names = [name for node in model.graph.node for name in node.output if name != '']
    del model.graph.output[:]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    errors = {
        name: relative_error(found, value)
        for name, found in run(model.SerializeToString(), image).items()
        if found.shape == value.shape
    }
    best = min(errors, key=errors.get)
    if errors[best] > 1e-4:
        raise ValueError(f'No tensor of {file} has the value of the layer; {best} is {errors[best]:.1e} off')
    return best
