"""Exports networks with random weights, and what autograd gives for them, to test/generated/gradients.

    pip install torch torchvision timm onnx onnxscript onnxruntime numpy grad-cam
    python test/bench/gradients/makeModels.py [NAME ...]

Makes what is not there yet; delete a network's folder to make it again. Nothing is downloaded: all weights come from a seed.
Each folder has the exported files, `input.npy`, `output.npy` (float64), for each target the gradient with respect to the input by
autograd in float64 and in float32, and `case.json`, which names them and is written last.
"""

import json
import pathlib
import shutil
import sys
import time

import numpy as np
import onnx
import torch

from exportModel import export, run
from gradCam import grad_cams, images_of
from liven import liven
from networks import NETWORKS
from references import reference, relative_error

GENERATED = pathlib.Path(__file__).parents[2] / 'generated' / 'gradients'
#: An exported file that differs more from the network is another function.
OUTPUT_TOLERANCE = 1e-3


def write_case(network, folder):
    torch.manual_seed(network.seed)
    model = liven(network.make(), network.size, network.seed)
    with_cams = network.name == 'resnet18'
    found = reference(model, network, [images_of(network)] if with_cams else [])
    np.save(folder / 'input.npy', found.image.numpy())
    np.save(folder / 'output.npy', found.output)
    targets = zip(found.targets, found.exact, found.single, strict=True)
    case = {
        'name': network.name,
        'group': network.group,
        'input': {'name': 'input', 'file': 'input.npy'},
        'output': {'name': 'output', 'file': 'output.npy'},
        'targets': [write_target(folder, *each) for each in targets],
        'models': [write_model(found, folder, *each) for each in network.exports],
        'gradCam': grad_cams(found, network, folder) if with_cams else None,
    }
    (folder / 'case.json').write_text(json.dumps(case, indent=2) + '\n', encoding='utf-8')


def write_target(folder, target, exact, single):
    name, index, weights = target
    np.save(folder / f'{name}.float64.npy', exact)
    np.save(folder / f'{name}.float32.npy', single)
    if index is None:
        np.save(folder / f'{name}.weights.npy', weights)
    error = relative_error(single, exact)
    print(f'  gradient of {name}: norm {np.linalg.norm(exact):.3g}, float32 is {error:.1e} off')
    return {
        'name': name,
        'index': index,
        'weights': f'{name}.weights.npy' if index is None else None,
        'float64': f'{name}.float64.npy',
        'float32': f'{name}.float32.npy',
    }


def write_model(found, folder, exporter, opset):
    file = folder / f'{exporter}{opset}.onnx'
    started = time.monotonic()
    export(found.model, found.image, file, exporter, opset)
    proto = onnx.load(file)
    stored = {each.domain: each.version for each in proto.opset_import}['']
    if stored != opset:
        raise ValueError(f'{file} was asked for in opset {opset} and has {stored}')
    error = relative_error(run(str(file), found.image.numpy())['output'], found.output)
    if error > OUTPUT_TOLERANCE:
        raise ValueError(f'{file} differs by {error:.1e} from the network')
    size = file.stat().st_size / 1e6
    seconds = time.monotonic() - started
    print(f'  {file.name}: {size:.0f} MB, {len(proto.graph.node)} nodes, output {error:.1e} off, {seconds:.0f} s')
    return {'file': file.name, 'exporter': exporter, 'opset': opset}


def main(names):
    torch.set_num_threads(2)
    unknown = set(names) - {network.name for network in NETWORKS}
    if unknown:
        sys.exit(f'There is no network {", ".join(sorted(unknown))}.')
    for network in NETWORKS:
        if names and network.name not in names:
            continue
        folder = GENERATED / network.name
        if (folder / 'case.json').exists():
            print(f'{network.name}: is there')
            continue
        print(f'{network.name} at {network.size}×{network.size}', flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        write_case(network, folder)


if __name__ == '__main__':
    main(sys.argv[1:])
