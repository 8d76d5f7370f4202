"""models/manifest.json: what the daemon checks before it loads a model, and what people ask of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from PIL import Image

from backbone import sha256
from evaluate import session

FORMAT = 1
MIN_COSINE = 0.999
DTYPES = {onnx.TensorProto.UINT8: "uint8", onnx.TensorProto.FLOAT: "float32"}
LICENCE = "Apache-2.0 OR MIT"
SELF_TEST = "self-test.png"
MANIFEST = "manifest.json"
MOST_SELF_TEST_BYTES = 60_000

BACKBONE = {
    "name": "MobileNetV2 1.0 224, int8 TFLite, ImageNet (tf2_mobilenet_v2_1.0_224_ptq.tflite)",
    "from": "google-coral/test_data",
    "licence": "Apache-2.0",
    "note": "Its weights were learned from ImageNet (ILSVRC 2012).",
}
GROCERY = {
    "name": "GroceryStoreDataset, part of its training split",
    "from": "Marcus Klasson et al., \"A Hierarchical Grocery Store Image Dataset with Visual and Semantic Labels\", WACV 2019",
    "licence": "MIT",
    "note": "Photographs taken in stores; used to fit the projection.",
}
RENDERED = {
    "name": "Scenes and products drawn by this project's own renderer (firmware-sim)",
    "from": "this repository",
    "licence": LICENCE,
    "note": "No real baskets stand behind it.",
}


def _ports(values: Any) -> list[dict[str, Any]]:
    """Names, types and shapes of a graph's inputs or outputs; a dynamic size is a name."""
    ports = []
    for value in values:
        kind = value.type.tensor_type
        shape = [d.dim_param or d.dim_value for d in kind.shape.dim]
        ports.append({"name": value.name, "dtype": DTYPES[kind.elem_type], "shape": shape})
    return ports


def entry(path: Path, role: str, extra: dict[str, Any]) -> dict[str, Any]:
    """One model's entry, read from the file itself; `extra` adds what the file does not say."""
    model = onnx.load(str(path))
    metadata = {p.key: p.value for p in model.metadata_props}
    return {
        "role": role,
        "file": path.name,
        "sha256": sha256(path),
        "bytes": path.stat().st_size,
        "model_id": metadata["model_id"],
        "version": metadata["version"],
        "opset": model.opset_import[0].version,
        "input": _ports(model.graph.input)[0],
        "outputs": _ports(model.graph.output),
        "metadata": metadata,
        "licence": LICENCE,
        **extra,
    }


def self_test(folder: Path, model: Path, pictures: list[Image.Image]) -> dict[str, Any]:
    """Writes the first small enough picture as proof of a loaded embedder, and says what it must give."""
    path = folder / SELF_TEST
    for picture in pictures:
        picture.save(path, optimize=True)
        if path.stat().st_size <= MOST_SELF_TEST_BYTES:
            break
    else:
        raise ValueError(f"no picture of {len(pictures)} fits into {MOST_SELF_TEST_BYTES} bytes")
    embedding = session(model).run(["embedding"], {"crops": np.asarray(picture)[None]})[0][0]
    return {
        "image": path.name,
        "sha256": sha256(path),
        "embedding": [round(float(v), 6) for v in embedding],
        "min_cosine": MIN_COSINE,
    }


def write(folder: Path, models: list[dict[str, Any]], command: str) -> None:
    """Writes manifest.json into the folder of the models it describes."""
    document = {
        "format": FORMAT,
        "models": models,
        "onnxruntime": onnxruntime.__version__,
        "made_by": command,
        "note": "All figures of scenes come from rendered scenes; no real baskets stand behind these models.",
    }
    (folder / MANIFEST).write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def install(stage: Path, out: Path) -> None:
    """Moves finished models into place, the manifest last, so that what it names is there."""
    out.mkdir(parents=True, exist_ok=True)
    for name in (*sorted(p.name for p in stage.iterdir() if p.name != MANIFEST), MANIFEST):
        waiting = out / f"{name}.new"
        shutil.copyfile(stage / name, waiting)
        waiting.replace(out / name)
