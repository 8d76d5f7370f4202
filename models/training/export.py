"""From torch modules to the ONNX files of the model contract: opset 17, no custom operators."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn

import detector as det
import embedder as emb
from evaluate import session

OPSET = 17
# float32 through some fifty layers, two implementations: relative differences near 1e-5.
PARITY = 2e-3
PARITY_BOXES_PX = 0.05


def _convert(module: nn.Module, example: Tensor, inputs: list[str], outputs: list[str], dynamic: dict | None) -> onnx.ModelProto:
    """Traces a module with torch's TorchScript exporter, the one that writes opset 17 directly."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module, (example,), buffer, opset_version=OPSET, dynamo=False,
            input_names=inputs, output_names=outputs, dynamic_axes=dynamic,
        )  # fmt: skip
    return onnx.load_from_string(buffer.getvalue())


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
