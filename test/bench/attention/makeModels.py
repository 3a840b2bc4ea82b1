"""
Exports attention in every form, with what PyTorch says of it, into test/generated/attention: `python test/bench/attention/makeModels.py [NAME ...]`.
Needs torch, torchvision, timm, transformers, onnx, onnxscript and onnxruntime.
"""

import contextlib
import io
import json
import logging
import pathlib
import sys
import warnings

import numpy as np
import torch

from networks import CASES as networks
from patterns import CASES as patterns
from recorder import recorded

GENERATED = pathlib.Path(__file__).parents[2] / 'generated' / 'attention'


def export(model, inputs, file, exporter, opset, dynamic):
    names = [f'input{i}' for i in range(len(inputs))]
    logging.getLogger('torch.onnx').setLevel(logging.ERROR)
    logging.getLogger('onnxscript').setLevel(logging.ERROR)
    options = {'dynamo': False, 'dynamic_axes': {names[0]: dynamic} if dynamic else None}
    if exporter == 'dynamo':
        shapes = {axis: torch.export.Dim(name, min=2) for axis, name in dynamic.items()}
        options = {'dynamo': True, 'external_data': False}
        if dynamic:
            options['dynamic_shapes'] = (shapes, *[None] * (len(inputs) - 1))
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter('ignore')
        torch.onnx.export(model, inputs, str(file), opset_version=opset, input_names=names, **options)


def run(model, inputs):
    with torch.no_grad(), recorded() as found:
        model(*inputs)
    return found


def write_case(case, folder):
    torch.manual_seed(1)
    model = case.make().eval()
    # probabilities that are all alike would hide a mix-up
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(case.gain)
    inputs = case.inputs()
    probabilities = case.reference(model, inputs) if case.reference else case.picks(run(model, inputs))
    if len(probabilities) != len(case.blocks) and case.blocks:
        raise ValueError(f'{case.name}: {len(probabilities)} softmaxes for {len(case.blocks)} blocks')
    folder.mkdir(parents=True, exist_ok=True)
    for i, each in enumerate(inputs):
        np.save(folder / f'input{i}.npy', each.numpy())
    blocks = []
    for i, block in enumerate(case.blocks):
        canonical = case.canonical(probabilities[i]).contiguous()
        canonical = canonical.view(-1, block.heads, *canonical.shape[-2:])
        np.save(folder / f'probabilities{i}.npy', canonical.float().numpy())
        blocks.append({
            'heads': block.heads, 'kind': block.kind, 'causal': block.causal,
            'keyHeads': block.key_heads or block.heads, 'probabilities': f'probabilities{i}.npy',
        })
    files = []
    for exporter, opset in case.exports:
        name = f'{exporter}{opset}.onnx'
        try:
            export(model, inputs, folder / name, exporter, opset, case.dynamic)
        except Exception as error:
            # what an exporter cannot write is no case
            print(f'  {name} is left out: {str(error).splitlines()[0][:100]}')
            continue
        files.append(name)
    about = {
        'name': case.name, 'models': files, 'blocks': blocks, 'lookalikes': list(case.lookalikes),
        'inputs': {f'input{i}': f'input{i}.npy' for i in range(len(inputs))},
    }
    (folder / 'case.json').write_text(json.dumps(about, indent=2) + '\n', encoding='utf-8')


def main(wanted):
    for case in [*patterns, *networks]:
        if (GENERATED / case.name / "case.json").exists(): continue
        if wanted and case.name not in wanted:
            continue
        print(case.name, flush=True)
        write_case(case, GENERATED / case.name)


if __name__ == '__main__':
    main(sys.argv[1:])
