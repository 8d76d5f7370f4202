"""From torch modules to the ONNX files of the model contract: opset 17, no custom operators."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnx.reference
import torch
from torch import Tensor, nn

import detector as det
import embedder as emb
from evaluate import session

OPSET = 17
# float32 through some fifty layers, two implementations: relative differences near 1e-5.
PARITY = 2e-3
PARITY_BOXES_PX = 0.05


def fold_padding(model: onnx.ModelProto) -> onnx.ModelProto:
    """Moves zeros that are padded before a convolution into its own `pads`; what the model computes stays the same.

    torch has no uneven padding in its convolutions, ONNX has. As nodes of their own the pads would make ONNX Runtime
    leave its blocked layout before each of them and come back to it behind: a fourth of all time.
    """
    graph = model.graph
    made_by = {output: node for node in graph.node for output in node.output}
    users = [name for node in graph.node for name in node.input]
    for conv in [node for node in graph.node if node.op_type == "Conv"]:
        pad = made_by.get(conv.input[0])
        own = next(a for a in conv.attribute if a.name == "pads")
        if pad is None or pad.op_type != "Pad" or any(own.ints) or users.count(pad.output[0]) > 1:
            continue
        widths = _constant(model, pad.input[1]).tolist()
        if any(widths[:2]) or any(widths[4:6]) or any(pad.input[2:]):
            continue
        del own.ints[:]
        own.ints.extend([*widths[2:4], *widths[6:8]])
        conv.input[0] = pad.input[0]
    needed = _needed(graph, [output.name for output in graph.output])
    del graph.node[:]
    graph.node.extend(needed)
    return model


def _needed(graph: onnx.GraphProto, outputs: list[str]) -> list[onnx.NodeProto]:
    """The nodes that the outputs rest on, in their order."""
    wanted, needed = set(outputs), []
    for node in reversed(graph.node):
        if not wanted.isdisjoint(node.output):
            needed.append(node)
            wanted.update(node.input)
    return needed[::-1]


def _constant(model: onnx.ModelProto, name: str) -> np.ndarray:
    """The value of what depends on no input."""
    graph, output = model.graph, onnx.helper.make_empty_tensor_value_info(name)
    part = onnx.helper.make_graph(_needed(graph, [name]), "constant", [], [output], list(graph.initializer))
    return onnx.reference.ReferenceEvaluator(onnx.helper.make_model(part, opset_imports=model.opset_import)).run(None, {})[0]


def _convert(module: nn.Module, example: Tensor, inputs: list[str], outputs: list[str], dynamic: dict | None) -> onnx.ModelProto:
    """Traces a module with torch's TorchScript exporter, the one that writes opset 17 directly."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module, (example,), buffer, opset_version=OPSET, dynamo=False,
            input_names=inputs, output_names=outputs, dynamic_axes=dynamic,
        )  # fmt: skip
    return fold_padding(onnx.load_from_string(buffer.getvalue()))


def _write(model: onnx.ModelProto, path: Path, metadata: dict[str, str]) -> None:
    """Adds the metadata, checks the model and writes it."""
    onnx.helper.set_model_props(model, metadata)
    model.producer_name, model.producer_version, model.doc_string = "augenmass", "", ""
    for node in model.graph.node:
        node.doc_string = ""
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString(deterministic=True))


def detector_module(detector: det.Detector) -> det.Exported:
    """The folded detector with its decoding."""
    return det.Exported(detector.fold().to(memory_format=torch.contiguous_format)).eval()


def write_detector(module: det.Exported, path: Path, metadata: dict[str, str]) -> None:
    """Writes itemdet.onnx."""
    example = torch.zeros(1, det.SIZE_PX, det.SIZE_PX, 3, dtype=torch.uint8)
    _write(_convert(module, example, ["image"], ["boxes", "scores"], None), path, metadata)


def feature_model(module: emb.Features) -> bytes:
    """The backbone alone as an ONNX model `crops` to `features`: ONNX Runtime is three times as fast as torch here."""
    example = torch.zeros(2, emb.SIZE_PX, emb.SIZE_PX, 3, dtype=torch.uint8)
    dynamic = {"crops": {0: "n"}, "features": {0: "n"}}
    return _convert(module.eval(), example, ["crops"], ["features"], dynamic).SerializeToString()


def shallow_model(detector: det.Detector) -> bytes:
    """The detector's frozen part as an ONNX model `images` to `c2`, `c3`, for training."""
    example = torch.zeros(2, det.SIZE_PX, det.SIZE_PX, 3, dtype=torch.uint8)
    dynamic = {name: {0: "n"} for name in ("images", "c2", "c3")}
    return _convert(det.Shallow(detector).eval(), example, ["images"], ["c2", "c3"], dynamic).SerializeToString()


def write_embedder(module: emb.Embedder, path: Path, metadata: dict[str, str]) -> None:
    """Writes itememb.onnx; the number of crops is dynamic."""
    example = torch.zeros(2, emb.SIZE_PX, emb.SIZE_PX, 3, dtype=torch.uint8)
    dynamic = {"crops": {0: "n"}, "embedding": {0: "n"}}
    _write(_convert(module, example, ["crops"], ["embedding"], dynamic), path, metadata)


def check_detector(module: det.Exported, path: Path, frames: list[np.ndarray]) -> float:
    """Largest difference of scores between torch and ONNX Runtime over frames; raises if too large.

    Boxes are held together in order of score; where two scores tie within the tolerance the order is free.
    """
    model, worst = session(path), 0.0
    for frame in frames:
        boxes, scores = model.run(["boxes", "scores"], {"image": frame[None]})
        with torch.inference_mode():
            want_boxes, want_scores = (t.numpy() for t in module(torch.from_numpy(frame[None])))
        worst = max(worst, float(np.abs(scores - want_scores).max()))
        if (np.diff(scores[0]) > 0).any():
            raise ValueError(f"{path.name}: scores are not descending")
        for k in np.where(scores[0] > 0.05)[0]:
            near = np.abs(want_scores[0] - scores[0, k]) <= PARITY
            if np.abs(want_boxes[0][near] - boxes[0, k]).max(axis=1).min() > PARITY_BOXES_PX:
                raise ValueError(f"{path.name}: box {k} differs from torch")
    if worst > PARITY:
        raise ValueError(f"{path.name}: scores differ from torch by {worst}")
    return worst


def check_embedder(module: emb.Embedder, path: Path, crops: np.ndarray) -> float:
    """Largest difference of embeddings between torch and ONNX Runtime, alone and in a batch; raises if too large."""
    model = session(path)
    with torch.inference_mode():
        want = module(torch.from_numpy(crops)).numpy()
    batch = model.run(["embedding"], {"crops": crops})[0]
    alone = np.concatenate([model.run(["embedding"], {"crops": c[None]})[0] for c in crops])
    worst = float(max(np.abs(batch - want).max(), np.abs(alone - want).max()))
    if worst > PARITY or np.abs(np.linalg.norm(batch, axis=1) - 1).max() > 1e-3:
        raise ValueError(f"{path.name}: embeddings differ from torch by {worst} or are not unit vectors")
    return worst
