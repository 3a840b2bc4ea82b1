"""Writes .onnx files with both exporters of PyTorch, and runs them."""

import contextlib
import io
import logging
import warnings

import onnxruntime
import torch


def export(model, image, file, exporter, opset):
    """`torchscript` traces and folds BatchNorm into convolutions; `dynamo` exports the graph of torch.export."""
    options = {'dynamo': False} if exporter == 'torchscript' else {'dynamo': True, 'external_data': False}
    logging.getLogger('torch.onnx').setLevel(logging.ERROR)
    logging.getLogger('onnxscript').setLevel(logging.ERROR)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter('ignore')
        torch.onnx.export(
            model, (image,), str(file), opset_version=opset, input_names=['input'],
            output_names=['output'], **options,
        )


def session(model):
    """A session of a file or of bytes."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model, options, providers=['CPUExecutionProvider'])


def run(model, image):
    """All outputs of a file or of bytes for one image, by name."""
    opened = session(model)
    names = [each.name for each in opened.get_outputs()]
    return dict(zip(names, opened.run(names, {'input': image})))
