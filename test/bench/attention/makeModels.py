"""
Exports attention in every form, with what PyTorch says of it, into test/generated/attention: `python test/bench/attention/makeModels.py [NAME ...]`;
`fused` stands for what ONNX Runtime makes of the models that are there, `timed` for the network that is timed.
Needs torch, torchvision, timm, transformers, onnx, onnxscript and onnxruntime.
"""

import contextlib
import copy
import io
import json
import logging
import pathlib
import sys
import warnings

import numpy as np
import timm
import torch

from fused import write_fused
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


def run(case, model, inputs):
    """The probabilities of each block."""
    if case.reference:
        return case.reference(model, inputs)
    with torch.no_grad(), recorded() as found:
        model(*inputs)
    return case.picks(found)


def exact(case, model, inputs):
    """The same in float64."""
    doubled = [each.double() if each.is_floating_point() else each for each in inputs]
    return run(case, copy.deepcopy(model).double(), doubled)


def canonical(case, block, probabilities):
    """[batch, heads, queries, keys]."""
    ordered = case.canonical(probabilities).contiguous()
    return ordered.view(-1, block.heads, *ordered.shape[-2:]).double().numpy()


def made(case):
    """The model of a case, and what it is fed."""
    torch.manual_seed(1)
    model = case.make().eval()
    # probabilities that are all alike would hide a mix-up
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(case.gain)
    return model, case.inputs()


def write_case(case, folder):
    model, inputs = made(case)
    probabilities = exact(case, model, inputs) if case.blocks else []
    single = run(case, model, inputs) if case.blocks else []
    if len(probabilities) != len(case.blocks) and case.blocks:
        raise ValueError(f'{case.name}: {len(probabilities)} softmaxes for {len(case.blocks)} blocks')
    folder.mkdir(parents=True, exist_ok=True)
    for i, each in enumerate(inputs):
        np.save(folder / f'input{i}.npy', each.numpy())
    blocks = []
    for i, block in enumerate(case.blocks):
        values = canonical(case, block, probabilities[i])
        np.save(folder / f'probabilities{i}.npy', values.astype(np.float32))
        blocks.append({
            'heads': block.heads, 'kind': block.kind, 'causal': block.causal,
            'keyHeads': block.key_heads or block.heads, 'probabilities': f'probabilities{i}.npy',
            'noise': float(np.abs(canonical(case, block, single[i]) - values).max()),
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


def write_timed():
    """A network that is large enough to be timed."""
    folder = GENERATED / 'timed'
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(1)
    model = timm.create_model('deit_small_patch16_224').eval()
    for exporter, opset in (('torchscript', 17), ('dynamo', 23)):
        export(model, (torch.randn(1, 3, 224, 224),), folder / f'{exporter}{opset}.onnx', exporter, opset, {})


def main(wanted):
    for case in [*patterns, *networks]:
        if wanted and case.name not in wanted:
            continue
        print(case.name, flush=True)
        write_case(case, GENERATED / case.name)
    if not wanted or 'timed' in wanted:
        write_timed()
    if not wanted or 'fused' in wanted:
        write_fused(GENERATED)


if __name__ == '__main__':
    main(sys.argv[1:])
