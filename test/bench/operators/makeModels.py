"""Writes the single-operator models of ONNX's own backend node tests, with their inputs, to test/generated/nodeTests.

    pip install onnx==1.21.0
    python test/bench/operators/makeModels.py

That release has opset 26, the last one that ONNX Runtime 1.30 loads. Each case is `<name>.onnx` and `<name>.json`, which has the inputs in the
order of the graph: shape and little-endian elements in base64, or null where an input is no tensor of numbers.
"""

import base64
import json
import pathlib
import shutil
import warnings

import numpy as np
import onnx
from onnx.backend.test.case.node import collect_testcases

GENERATED = pathlib.Path(__file__).parents[2] / 'generated' / 'nodeTests'


def plain(value):
    if not isinstance(value, np.ndarray | np.generic) or value.dtype.kind in 'OSUV':
        return None
    array = np.asarray(value)
    stored = np.ascontiguousarray(array.astype(array.dtype.newbyteorder('<')))
    return {'shape': array.shape, 'data': base64.b64encode(stored.tobytes()).decode('ascii')}


def main():
    with warnings.catch_warnings():
        # some cases divide by zero on purpose
        warnings.simplefilter('ignore')
        cases = collect_testcases(None)
    shutil.rmtree(GENERATED, ignore_errors=True)
    GENERATED.mkdir(parents=True)
    for case in cases:
        onnx.save(case.model, GENERATED / f'{case.name}.onnx')
        inputs, _ = case.data_sets[0]
        text = json.dumps({'inputs': [plain(each) for each in inputs]})
        (GENERATED / f'{case.name}.json').write_text(text + '\n', encoding='utf-8')
    print(f'{len(cases)} cases of onnx {onnx.__version__}')


if __name__ == '__main__':
    main()
