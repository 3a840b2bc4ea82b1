"""Times pytorch-grad-cam and captum on the six timed networks, to test/generated/gradients/peers.json.

    pip install torch torchvision timm grad-cam captum
    python test/bench/gradients/peers.py [NAME ...]

Results of networks that are not named stay. Needs the machine to itself: threads that wait for each other are slowed by any other work.
Two threads, 224×224, one image. Medians of runs in shuffled order with the plain forward run (without autograd) between them; `ratio` is to its
median. Integrated Gradients, captum's 50 steps in one batch, is run a quarter as often.
"""

import json
import os
import random
import statistics
import sys
import time
from importlib.metadata import version

import pytorch_grad_cam
import torch
from captum.attr import IntegratedGradients, Saliency
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from images import pictures
from liven import liven
from makeModels import GENERATED
from networks import TIMED

RUNS = 20
CATEGORY = 207
STEPS = 50
CAMS = {'grad-cam': 'GradCAM', 'grad-cam++': 'GradCAMPlusPlus', 'layer-cam': 'LayerCAM'}
#: The layer that each network's maps are usually taken at.
LAYERS = {
    'squeezenet1_1': lambda model: model.features[-1],
    'mobilenet_v2': lambda model: model.features[-1],
    'resnet18': lambda model: model.layer4[-1],
    'resnet50': lambda model: model.layer4[-1],
    'deit_small': lambda model: model.blocks[-1].norm1,
    'vit_base': lambda model: model.blocks[-1].norm1,
}


def token_grid(tokens):
    """[N, 1 + 14·14, channels] to [N, channels, 14, 14]."""
    return tokens[:, 1:].unflatten(1, (14, 14)).permute(0, 3, 1, 2)


def plain(model, image):
    with torch.no_grad():
        model(image)


def methods(network, model, image):
    """For each method, by our name: (library, work, runs). The first is the plain forward run."""
    layer = LAYERS[network.name](model)
    reshape = token_grid if hasattr(model, 'blocks') else None

    def cam(kind):
        def work():
            with getattr(pytorch_grad_cam, kind)(model, [layer], reshape_transform=reshape) as each:
                each(image, [ClassifierOutputTarget(CATEGORY)])

        return work

    # captum says that it would set this by itself.
    explained = image.clone().requires_grad_()
    saliency, integrated = Saliency(model), IntegratedGradients(model)
    return {
        'forward': ('torch', lambda: plain(model, image), RUNS),
        **{name: ('pytorch-grad-cam', cam(kind), RUNS) for name, kind in CAMS.items()},
        'gradient': ('captum', lambda: saliency.attribute(explained, target=CATEGORY), RUNS),
        f'integrated-gradients, {STEPS} steps': (
            'captum', lambda: integrated.attribute(image, target=CATEGORY, n_steps=STEPS), RUNS // 4,
        ),
    }


def measured(network):
    torch.manual_seed(network.seed)
    model = liven(network.make(), network.size, network.seed).requires_grad_(True)
    image = pictures(1, network.size, network.seed + 100)
    timed = methods(network, model, image)
    for _, work, runs in timed.values():
        if runs == RUNS:
            work()
    times = {name: [] for name in timed}
    # The plain run goes before each, so that a busy moment meets both.
    queue = [name for name, (_, _, runs) in timed.items() if name != 'forward' for _ in range(runs)]
    random.Random(network.seed).shuffle(queue)
    for name in queue:
        for each in ('forward', name):
            started = time.perf_counter()
            timed[each][1]()
            times[each].append((time.perf_counter() - started) * 1000)
            model.zero_grad(set_to_none=True)
    forward = statistics.median(times['forward'])
    return [
        {
            'model': network.name,
            'method': name,
            'library': timed[name][0],
            'ms': statistics.median(values),
            'ratio': statistics.median(values) / forward,
            'runs': len(values),
        }
        for name, values in times.items()
    ]


def main(names):
    torch.set_num_threads(2)
    file = GENERATED / 'peers.json'
    chosen = [network for network in TIMED if not names or network.name in names]
    before = json.loads(file.read_text(encoding='utf-8'))['results'] if file.exists() else []
    results = [each for each in before if each['model'] not in {network.name for network in chosen}]
    machine = {'cores': os.cpu_count(), 'threads': torch.get_num_threads(), 'torch': torch.__version__}
    versions = {name: version(name) for name in ('captum', 'grad-cam')}
    GENERATED.mkdir(parents=True, exist_ok=True)
    for network in chosen:
        for each in measured(network):
            results.append(each)
            print(line_of(each), flush=True)
        document = {'machine': {**machine, **versions}, 'results': results}
        file.write_text(json.dumps(document, indent=2) + '\n', encoding='utf-8')


def line_of(result):
    head = f"{result['model']:14} {result['library']:16} {result['method']:30}"
    return f"{head} {result['ms']:9.1f} ms {result['ratio']:7.2f}×"


if __name__ == '__main__':
    main(sys.argv[1:])
