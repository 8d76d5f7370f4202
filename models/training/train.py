"""One command from data to shipped models:

    python3 models/training/train.py --data ../shared/data --out models

Draws scenes and products with `firmware-sim`, trains the detector, fits and calibrates the
embedder, writes both ONNX files, holds them against torch, measures them on identities that
were not trained on, and writes the manifest last.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

import augment
import backbone
import calibration
import detector as det
import embedder as emb
import evaluate
import export
import learning
import manifest
import recording
import scenes

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
RECORD = ROOT / "proving" / "data" / "vision.json"
COMMAND = "python3 models/training/train.py --data ../shared/data --out models"
VERSION = "0.3.0"


@dataclass(frozen=True)
class Plan:
    """How much of everything; stands in the training manifest."""

    seed: int = 1
    train_scenes: int = 4700
    rough_scenes: int = 1000  # any angle, bags, empty containers, odd light, bent and unsharp pictures
    test_scenes: int = 300
    counting_scenes: int = 300  # of a seed of their own: what a score counts for is learned on them and the test scenes, by folds
    threshold_scenes: int = 100  # of them: the threshold is chosen on these, figures come from the others
    steps: int = 1000
    batch: int = 16
    fit_scenes: int = 125  # whose goods also teach the projection
    fit_pictures: int = 5
    enrolled_scenes: int = 300  # test scenes whose goods are enrolled
    enrolled_pictures: int = 8
    shrink: float = 0.3


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with backbone/ and grocery/")
    parser.add_argument("--out", type=Path, required=True, help="folder that gets the models")
    parser.add_argument("--work", type=Path, default=ROOT / "target" / "training", help="folder for drawn pictures")
    parser.add_argument("--simulator", type=Path, help="a built firmware-sim; built here if not given")
    parser.add_argument("--start", type=Path, help="weights of a detector (itemdet.pt) to go on from")
    parser.add_argument("--steps", type=int, default=Plan.steps, help="training steps of the detector; 0 keeps its weights")
    return parser.parse_args()


def simulator(given: Path | None) -> Path:
    """The renderer's program, built if need be."""
    if given is not None:
        return given
    subprocess.run(["cargo", "build", "--release", "-p", "firmware-sim"], cwd=ROOT, check=True)
    return Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "firmware-sim"


def training_manifest(data: Path, plan: Plan) -> str:
    """Writes what the models are made from; returns the file's SHA-256, which stands in both models."""
    grocery = sorted(path for path, _ in scenes.grocery(data / "grocery"))
    pictures = "".join(backbone.sha256(path) for path in grocery).encode()
    document = {
        "plan": asdict(plan),
        "backbone": backbone.sha256(data / "backbone" / backbone.FILE_NAME),
        "grocery": {"pictures": len(grocery), "sha256": backbone.sha256_bytes(pictures)},
        "scripts": {path.name: backbone.sha256(path) for path in sorted(HERE.glob("*.py"))},
    }
    path = HERE / "training-manifest.json"
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return backbone.sha256(path)


def make_detector(args: argparse.Namespace, plan: Plan, origin: str) -> dict:
    """Trains, exports, checks and measures the detector; returns its manifest entry."""
    test = scenes.read(args.work / "test")[: plan.test_scenes]
    torch.manual_seed(plan.seed)
    network, kept = det.Detector(backbone.load(args.data / "backbone" / backbone.FILE_NAME)), args.work / "itemdet.pt"
    if args.steps > 0:
        if args.start is not None:
            network.load_state_dict(torch.load(args.start))
        course = learning.Course(steps=args.steps, batch=plan.batch, seed=plan.seed)
        learning.train(network, [args.work / "train", args.work / "rough"], course, kept)
        network = det.Detector(backbone.load(args.data / "backbone" / backbone.FILE_NAME))
    network.load_state_dict(torch.load(kept))
    module, path = export.detector_module(network), args.stage / "itemdet.onnx"
    metadata = {
        "model_id": "augenmass-itemdet",
        "version": VERSION,
        "input_size": str(det.SIZE_PX),
        "threshold": "0.3",
        "training_manifest_sha256": origin,
    }
    export.write_detector(module, path, metadata)
    frames = [augment.test_frame(s.image(), s.boxes, s.visible) for s in test]
    found = evaluate.detect(path, frames)
    measured = found[plan.threshold_scenes :]
    counted = scenes.read(args.work / "counting")[: plan.counting_scenes]
    counted = found + evaluate.detect(path, [augment.test_frame(s.image(), s.boxes, s.visible) for s in counted])
    counting = evaluate.fit_counting(counted)
    threshold = evaluate.best_threshold(found[: plan.threshold_scenes])
    export.write_detector(module, path, {**metadata, "threshold": repr(threshold)})
    difference = export.check_detector(module, path, [f[0] for f in frames[:16]])
    figures = {
        "measured_on": f"{len(measured)} rendered scenes, goods not trained on",
        "by": COMMAND,
        "visible_from_0.2": evaluate.detector_figures(measured, threshold, 0.2),
        "visible_from_0.3": evaluate.detector_figures(measured, threshold, 0.3),
        "intervals_visible_from_0.3": evaluate.intervals(measured, threshold, 0.3),
        "counting": evaluate.counting_figures(counted),
        "largest_difference_from_torch": difference,
        "cpu_ms_1_thread": evaluate.latency_ms(path, {"image": frames[0][0][None]}),
    }
    extra = {"threshold": threshold, "counting": asdict(counting), "sources": [manifest.BACKBONE, manifest.RENDERED], "figures": figures}
    return manifest.entry(path, "itemdet", extra)


def make_embedder(args: argparse.Namespace, plan: Plan, origin: str) -> tuple[dict, dict]:
    """Fits, calibrates, exports, checks and measures the embedder; returns its manifest entry, and its cosines for the record."""
    base = backbone.load(args.data / "backbone" / backbone.FILE_NAME)
    features = evaluate.session(export.feature_model(emb.Features(base)), 2)
    rows, identity = calibration.fitting_rows(features, args.work, args.data / "grocery", plan)
    mean, projection = emb.fit(rows, identity, plan.shrink)
    trial = calibration.trial(features, args.work, args.stage / "itemdet.onnx", plan)
    pairs = calibration.compared(trial, mean, projection)
    line, figures = calibration.measure(trial, pairs)
    module, path = emb.Embedder(base, mean, projection).eval(), args.stage / "itememb.onnx"
    weights = module.project.weight.detach().numpy().tobytes() + module.project.bias.detach().numpy().tobytes()
    space = f"mnv2-192-lda256-{backbone.sha256_bytes(weights)[:12]}"
    metadata = {
        "model_id": "augenmass-itememb",
        "version": VERSION,
        "input_size": str(emb.SIZE_PX),
        "space_id": space,
        "calibration_a": repr(line.a),
        "calibration_b": repr(line.b),
        "calibration_curve": json.dumps(line.curve),
        "training_manifest_sha256": origin,
    }
    export.write_embedder(module, path, metadata)
    crops = np.stack([np.asarray(c) for c in trial.crops[:8]])
    figures = {
        "measured_on": "detected crops of rendered scenes against enrolled pictures, goods not trained on",
        "by": COMMAND,
        **figures,
        "grocery": calibration.grocery_folds(features, args.data / "grocery", plan),
        "largest_difference_from_torch": export.check_embedder(module, path, crops),
        "cpu_ms_1_crop_1_thread": evaluate.latency_ms(path, {"crops": crops[:1]}),
        "cpu_ms_8_crops_1_thread": evaluate.latency_ms(path, {"crops": crops}),
    }
    extra = {
        "space_id": space,
        "calibration": {"a": line.a, "b": line.b, "curve": line.curve},
        "sources": [manifest.BACKBONE, manifest.GROCERY, manifest.RENDERED],
        "figures": figures,
        "self_test": manifest.self_test(args.stage, path, trial.pictures),
    }
    told = recording.cosines(pairs.scores, pairs.match, pairs.used)
    return manifest.entry(path, "itememb", extra), told


def main() -> None:
    """Everything, in order."""
    args, plan = arguments(), Plan()
    torch.set_num_threads(2)
    program = simulator(args.simulator)
    scenes.render(program, args.work / "train", scenes=plan.train_scenes, seed=plan.seed, split="train")
    rough = {"scenes": plan.rough_scenes, "seed": plan.seed + 1, "split": "train", "manner": "rough"}
    scenes.render(program, args.work / "rough", **rough)
    scenes.render(program, args.work / "test", scenes=plan.test_scenes, seed=plan.seed, split="test")
    scenes.render(program, args.work / "counting", scenes=plan.counting_scenes, seed=plan.seed + 2, split="test")
    calibration.take_looks(program, args.work, plan)
    origin = training_manifest(args.data, plan)
    args.stage = args.work / "stage"
    args.stage.mkdir(exist_ok=True)
    detector = make_detector(args, plan, origin)
    embedder, cosines = make_embedder(args, plan, origin)
    entries = [detector, embedder]
    plates = recording.plates(args.stage / "itemdet.onnx", detector["threshold"], scenes.read(args.work / "test")[: plan.test_scenes])
    manifest.write(args.stage, entries, COMMAND)
    manifest.install(args.stage, args.out)
    named = " and ".join(f"{e['role']} {e['version']}" for e in entries)
    recording.write(RECORD, f"{named} on {plan.test_scenes} rendered scenes", cosines, recording.sights(plates))
    print(json.dumps({e["role"]: e["figures"] for e in entries}, indent=1))


if __name__ == "__main__":
    main()
