"""Attention as single operators: made by ONNX Runtime's transformer optimiser, its graph optimiser, its quantiser and its packing mode."""

import contextlib
import io
import json
import logging
import shutil

import onnx
import onnxruntime
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer
from onnxruntime.transformers.convert_to_packing_mode import PackingMode
from onnxruntime.transformers.fusion_options import FusionOptions
from onnxruntime.transformers.onnx_model import OnnxModel

#: Networks, and what the transformer optimiser calls their kind.
OPTIMISED = {
    'bert': 'bert', 'distilbert': 'bert', 'clipVision': 'clip', 'vitWrittenOut': 'vit', 'bart': 'bart', 'whisper': 'bart', 't5': 't5',
}
#: Networks that a session of ONNX Runtime saves after its own optimisation.
SAVED = (
    'vit', 'vitRegisters', 'swin', 'torchvisionSwin', 'bert', 'gpt2', 'bart', 'decoder', 'deberta', 'mergedBatch', 'addedMask', 'writtenOut', 'triangle',
    'multiheadAttention', 'softArgmax', 'mobileNet3',
)
#: Half floats have 11 bits: probabilities of 1 differ by that much.
HALF_NOISE = 1e-3


def quietly(function):
    """Without what the tools print."""

    def called(*arguments):
        logging.disable(logging.CRITICAL)
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                return function(*arguments)
        finally:
            logging.disable(logging.NOTSET)

    return called


def optimise(source, kind, case, multi_head):
    heads = case['blocks'][0]['heads']
    options = FusionOptions(kind)
    options.use_multi_head_attention = multi_head
    return optimizer.optimize_model(
        str(source), model_type=kind, num_heads=heads, hidden_size=width_of(source, heads), optimization_options=options, opt_level=0,
    )


def width_of(source, heads):
    """The widest tensor that a LayerNormalization scales."""
    model = onnx.load(source)
    sizes = {each.name: list(each.dims) for each in model.graph.initializer}
    widths = [sizes[node.input[1]][0] for node in model.graph.node
              if node.op_type == 'LayerNormalization' and node.input[1] in sizes]
    return max(widths, default=8 * heads)


@quietly
def optimised(source, target, case):
    kind = OPTIMISED[case['name']]
    models = []
    for multi_head in (False, True):
        name = f'{source.stem}.{"multiHead" if multi_head else "packed"}.onnx'
        optimise(source, kind, case, multi_head).save_model_to_file(str(target / name))
        models.append(name)
    return models


@quietly
def saved(source, target, case):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(target / source.name)
    options.log_severity_level = 4
    onnxruntime.InferenceSession(str(source), options, providers=['CPUExecutionProvider'])
    return [source.name]


@quietly
def half(source, target, case):
    model = optimise(source, OPTIMISED[case['name']], case, False)
    model.convert_float_to_float16(keep_io_types=True)
    model.save_model_to_file(str(target / source.name))
    return [source.name]


@quietly
def quantised(source, target, case):
    fused = target / 'fused.onnx'
    optimise(source, OPTIMISED[case['name']], case, False).save_model_to_file(str(fused))
    quantize_dynamic(
        str(fused), str(target / source.name), weight_type=QuantType.QInt8, extra_options={'DefaultTensorType': onnx.TensorProto.FLOAT},
    )
    fused.unlink()
    return [source.name]


@quietly
def packed(source, target, case):
    model = optimise(source, OPTIMISED[case['name']], case, False).model
    packing = PackingMode(OnnxModel(model))
    packing.convert()
    onnx.save(packing.model.model, target / source.name)
    return [source.name]


def with_noise(noise):
    return lambda block: {**block, 'noise': noise}


def listed_only(block):
    return {**block, 'probabilities': None}


#: Name of the cases, networks, which files, what is done to them, and what becomes of what is said of a block.
STEPS = (
    ('Optimised', tuple(OPTIMISED), None, optimised, lambda block: block),
    ('Saved', SAVED, None, saved, lambda block: block),
    ('Half', ('bert', 'clipVision'), 'torchscript17.onnx', half, with_noise(HALF_NOISE)),
    ('Quantised', ('bert',), 'torchscript17.onnx', quantised, listed_only),
    ('Packed', ('bert',), 'torchscript17.onnx', packed, listed_only),
)


def write_fused(generated):
    """Writes a case for each step and network, from the cases of the networks."""
    for suffix, networks, only, step, changed in STEPS:
        for network in networks:
            folder = generated / network
            case = json.loads((folder / 'case.json').read_text(encoding='utf-8'))
            target = generated / f'{network}{suffix}'
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir(parents=True)
            models = []
            for file in [only] if only else case['models']:
                try:
                    models += step(folder / file, target, case)
                except Exception as error:
                    print(f'  {network}{suffix}/{file} is left out: {str(error).splitlines()[0][:100]}')
            for each in folder.glob('*.npy'):
                shutil.copy(each, target)
            about = {
                **case, 'name': target.name, 'models': models, 'blocks': [changed(block) for block in case['blocks']],
                'runs': suffix != 'Packed',
            }
            (target / 'case.json').write_text(json.dumps(about, indent=2) + '\n', encoding='utf-8')
            print(target.name, flush=True)
