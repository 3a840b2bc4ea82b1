"""Writes the single-operator models of ONNX's own backend node tests, with their inputs, to test/generated/nodeTests.

    pip install onnx==1.21.0
    python test/bench/operators/makeModels.py

That release has opset 26, the last one that ONNX Runtime 1.30 loads. Each case is `<name>.onnx` and `<name>.json`, which has the inputs in the
order of the graph: shape and little-endian elements in base64, or null for texts, sequences and optionals. Inputs of types that JavaScript has
no array for (bfloat16, float8, int4 and the like, float16) become initializers.
"""

import base64
import json
import pathlib
import shutil
import warnings

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases

GENERATED = pathlib.Path(__file__).parents[2] / 'generated' / 'nodeTests'
FED = {
    onnx.TensorProto.DataType.Value(name)
    for name in 'BOOL DOUBLE FLOAT INT8 INT16 INT32 INT64 UINT8 UINT16 UINT32 UINT64'.split()
}


def stored(value):
    """What the JSON has for an input."""
    array = numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else np.asarray(value)
    elements = np.ascontiguousarray(array.astype(array.dtype.newbyteorder('<')))
    return {'shape': array.shape, 'data': base64.b64encode(elements.tobytes()).decode('ascii')}


def initializer(name, value):
    proto = onnx.TensorProto()
    proto.CopyFrom(value if isinstance(value, onnx.TensorProto) else numpy_helper.from_array(value))
    proto.name = name
    return proto


def written(case):
    """The model, and what is fed."""
    model = case.model
    inputs, _ = case.data_sets[0]
    fed, kept = [], []
    for info, value in zip(model.graph.input, inputs, strict=True):
        kind = info.type.WhichOneof('value')
        element = info.type.tensor_type.elem_type
        if kind == 'tensor_type' and element in FED:
            fed.append(stored(value))
        elif kind == 'tensor_type' and element != onnx.TensorProto.STRING:
            model.graph.initializer.append(initializer(info.name, value))
            continue
        else:
            fed.append(None)
        kept.append(info)
    del model.graph.input[:]
    model.graph.input.extend(kept)
    return model, {'inputs': fed}


def main():
    with warnings.catch_warnings():
        # some cases divide by zero on purpose
        warnings.simplefilter('ignore')
        cases = collect_testcases(None)
    shutil.rmtree(GENERATED, ignore_errors=True)
    GENERATED.mkdir(parents=True)
    for case in cases:
        model, inputs = written(case)
        onnx.save(model, GENERATED / f'{case.name}.onnx')
        (GENERATED / f'{case.name}.json').write_text(json.dumps(inputs) + '\n', encoding='utf-8')
    print(f'{len(cases)} cases of onnx {onnx.__version__}')


if __name__ == '__main__':
    main()
