"""Writes a trained network as an ONNX file, with the older and the newer exporter of PyTorch.

The newer exporter notes for every node which line of which source file made it. It
writes the full path on this computer; here only the name of a file in this folder is
kept, and lines of installed packages are left out.
"""

import re
from pathlib import Path

import onnx
import torch
from torch import nn

from pictures import SIZE

ROOT = Path(__file__).resolve().parent
STACK_TRACE_KEY = "pkg.torch.onnx.stack_trace"
FRAME = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+), in (?P<function>\S+)')


def export_torchscript(model: nn.Module, path: Path, dynamic_batch: bool) -> None:
    """Export by tracing (opset 17): the nodes are named after the modules."""
    torch.onnx.export(
        _ready(model),
        (_example(1),),
        path,
        input_names=["pixel_values"],
        output_names=["logits"],
        dynamic_axes={"pixel_values": {0: "batch"}, "logits": {0: "batch"}} if dynamic_batch else None,
        opset_version=17,
        dynamo=False,
    )
    _save_without_paths(onnx.load(path), path)


def export_dynamo(model: nn.Module, path: Path, dynamic_batch: bool) -> None:
    """Export from the graph of torch.export (opset 18): the nodes carry metadata."""
    program = torch.onnx.export(
        _ready(model),
        (_example(2 if dynamic_batch else 1),),
        input_names=["pixel_values"],
        output_names=["logits"],
        dynamic_shapes=({0: torch.export.Dim("batch")},) if dynamic_batch else None,
        opset_version=18,
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    _save_without_paths(program.model_proto, path)


def relative_stack_trace(text: str) -> str:
    """Keep only the frames of files in this folder, by file name."""
    kept = []
    for frame in _split_frames(text):
        match = FRAME.search(frame)
        if match is None:
            continue
        file = Path(match["file"])
        if file.parent == ROOT:
            kept.append(frame.replace(match["file"], file.name))
    return "".join(kept).strip()


def _split_frames(text: str) -> list[str]:
    """One piece of text per frame: its "File" line and the source lines after it."""
    return re.split(r"(?m)^(?=\s*File \")", text)


def _ready(model: nn.Module) -> nn.Module:
    return model.to(memory_format=torch.contiguous_format).eval()


def _example(batch: int) -> torch.Tensor:
    return torch.zeros(batch, 3, SIZE, SIZE)


def _save_without_paths(model: onnx.ModelProto, path: Path) -> None:
    for node in model.graph.node:
        for entry in node.metadata_props:
            if entry.key == STACK_TRACE_KEY:
                entry.value = relative_stack_trace(entry.value)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
